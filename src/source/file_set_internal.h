/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set_internal: what the parts of file_set share, and nobody else sees.
 *
 *   file_set.c            files by name, batches
 *   file_set_reading.c    the text of a file -> what it claims
 *   file_set_problems.c   what is wrong, and with how many
 *   file_set_state.c      last good objects, kept and brought back
 */
#ifndef HEDDLE_SOURCE_FILE_SET_INTERNAL_H
#define HEDDLE_SOURCE_FILE_SET_INTERNAL_H

#include "base/arena.h"
#include "codec/hash.h"
#include "source/claims.h"

/* Few files have problems to tell, and there may be thousands of files. */
#define FILE_ARENA_FIRST 256

/* What one file says. */
struct file {
    struct str name;              /* owned */
    struct arena arena;           /* of the problems */
    VEC(struct claim *) claims;   /* owned by set->claims */
    VEC(struct problem) problems; /* of all documents, at most FILE_PROBLEMS_MAX and one */
    size_t invalid;               /* documents with an error */
    struct hash sum;              /* of its text, or of the reason why it could not be read */
    bool readable;                /* which of the two */
    bool blind;                   /* what it says is not wholly known: it may be anything */
    bool fresh; /* blind, and since the last file_set_settle() something may have moved there */
    bool known; /* its last good objects are known: it was once without errors, or restored */
    bool gone;  /* removed in this batch */
};

struct file_set {
    VEC(struct file *) files; /* by name; new ones stand at the end until the batch is complete */
    struct map by_name;       /* -> struct file */
    bool unsorted;            /* files is not in order yet */
    size_t gone;              /* files that are only there until the batch is complete */
    size_t fresh;             /* of those that are blind */
    uint64_t readings;
    struct claims claims;
    size_t invalid;  /* of all files, without duplicates */
    size_t problems; /* of all files, without duplicates */
};

/* --- reading ------------------------------------------------------------------------------- */

struct reading {
    struct file_set *set;
    struct file *file;
    struct arena scratch;        /* one object's problems and names */
    struct map kinds;            /* what was said of kinds that are not served */
    size_t nold;                 /* the first of the file's claims, which are past */
    size_t objects;              /* that were read */
    size_t unlisted;             /* problems beyond the limit */
    struct problem first_beyond; /* of those: an error if there is one */
    uint32_t nth;
    bool hides; /* the file is blind, and what other files lose may be in it */
};

/* What the file claimed becomes past. */
void reading_begin(struct file_set *set, struct file *file, struct reading *reading);
void reading_text(struct reading *reading, struct str text);
/* A problem of the file as a whole, which may hide anything. */
void reading_fail(struct reading *reading, enum problem_code code, struct str reason,
                  const char *remedy);
/* Keeps the objects that may stand in what could not be read. */
void reading_end(struct reading *reading);

/* Makes a claim of a file on an object that none of its documents has. Takes the reference. */
void file_hold(struct file_set *set, struct file *file, enum kind_id kind, struct str key,
               struct object *object);
struct file *file_set_find(const struct file_set *set, struct str name);

#endif
