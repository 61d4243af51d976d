/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set: the objects that a set of YAML and JSON files hold, and which of them are in force.
 * No I/O and no clock: texts come in, puts and removals come out. Used by the directory source and
 * by `heddle check` and `heddle translate`.
 *
 *   file ──► documents ──► claims on object keys ──► the first claim (file name, then line) is in
 *                                                     force; later ones are problem HED011
 *
 * Rules (each has a test in tests/unit/test_file_set.c):
 *  - A document that does not parse or validate leaves the last good version of its object in
 *    force; its neighbours in the file are read as usual.
 *  - While a file has a document whose identity cannot be made out, no object vanishes from that
 *    file: the nameless document may be it.
 *  - A file that disappears takes its objects along; another file's claim on one takes over.
 *  - An object written twice: the first in (file name, line) order is in force, whatever the order
 *    of events; when it goes, the next takes its place.
 *  - Unknown kinds are reported once for each kind in a file and skipped.
 */
#ifndef HEDDLE_SOURCE_FILE_SET_H
#define HEDDLE_SOURCE_FILE_SET_H

#include <stdbool.h>

#include "base/str.h"
#include "model/object.h"
#include "model/problem.h"

struct file_set;

struct file_set_events {
    void *user;
    /* Takes the reference. Called for new and changed objects, never for equal ones. */
    void (*put)(void *user, struct object *object, struct str key);
    void (*removed)(void *user, enum kind_id kind, struct str key);
};

struct file_set *file_set_new(const struct file_set_events *events);
void file_set_free(struct file_set *set);

/* A file appeared or changed. name: as shown in messages and used for order. */
void file_set_update(struct file_set *set, struct str name, struct str text);
/* A file could not be read: keeps all objects it had; the reason becomes problem HED012. */
void file_set_unreadable(struct file_set *set, struct str name, struct str reason);
void file_set_remove(struct file_set *set, struct str name);
/* Brings objects back that were in force before a restart (source/state.h), for a file that has
 * broken documents now: the last good version of each broken document, and the objects that no
 * document of any file claims if this one has a document without identity. Call after
 * file_set_update() of all files. */
void file_set_restore(struct file_set *set, struct str name, struct str state_json);
/* The objects of one file that are in force, as a JSON List to be restored later; nothing for a
 * file that is not there. */
void file_set_save(const struct file_set *set, struct str name, struct buf *out);

/* All problems of all files, in file and line order. */
typedef void problem_visit_fn(void *user, struct str file, const struct problem *problem);
void file_set_problems(const struct file_set *set, problem_visit_fn *visit, void *user);
bool file_set_has_errors(const struct file_set *set, struct str name); /* duplicates aside */
size_t file_set_invalid(const struct file_set *set); /* documents with an error now */
/* Whether some document that is broken now may have had a good version that is not known here: its
 * object is not in force, and its file was neither once without errors nor restored. A start in
 * this state must not serve. */
bool file_set_incomplete(const struct file_set *set);

#endif
