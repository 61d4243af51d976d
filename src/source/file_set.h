/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_set: the objects that a set of YAML and JSON files hold, and which of them are in force.
 * No I/O and no clock: texts come in, puts and removals come out. Used by the directory source and
 * by `heddle check` and `heddle translate`.
 *
 *   file ──► documents ──► claims on object keys ──► the first claim (file name, then line) is in
 *                                                     force; later ones are problem HED011
 *
 * Files come, change and go in batches (a turn of the directory), which file_set_settle() ends.
 * Rules (each has a test in tests/unit/test_file_set.c):
 *  - A document that does not parse or validate leaves the last good version of its object in
 *    force; its neighbours in the file are read as usual.
 *  - A file is blind while a document of it has no identity that can be made out, or while it
 *    cannot be read: then no object vanishes from it, because it may be in there. An object that
 *    vanishes from another file in the batch in which a file becomes blind, or changes while it
 *    is, may have moved to it, so it stays too.
 *  - A file that disappears takes its objects along; another file's claim on one takes over.
 *  - An object that moves to another file and is broken there keeps its last good version.
 *  - An object written twice: the first in (file name, line) order is in force; when it goes, the
 *    next takes its place. When both are broken, what was in force stays.
 *  - The order of events within a batch never matters.
 *  - Unknown kinds are reported once for each kind in a file and skipped.
 */
#ifndef HEDDLE_SOURCE_FILE_SET_H
#define HEDDLE_SOURCE_FILE_SET_H

#include <stdbool.h>

#include "base/str.h"
#include "model/object.h"
#include "model/problem.h"

#define FILE_OBJECTS_MAX 50000 /* in one file; what follows is not read */
#define FILE_PROBLEMS_MAX 1000 /* listed of one file; one more says that there are more */
#define FILE_SET_DIRECTORY "." /* the file that problems of the directory as a whole are of */

struct file_set;

struct file_set_events {
    void *user;
    /* Takes the reference. Called for new and changed objects, never for equal ones. */
    void (*put)(void *user, struct object *object, struct str key);
    void (*removed)(void *user, enum kind_id kind, struct str key);
    /* Another file's change altered what file_set_save() says of this one. May be NULL. */
    void (*kept)(void *user, struct str name);
};

struct file_set *file_set_new(const struct file_set_events *events);
void file_set_free(struct file_set *set);

/* A file appeared or changed; nothing happens when its text is the same. name: as shown in messages
 * and used for order. */
void file_set_update(struct file_set *set, struct str name, struct str text);
/* A file could not be read: keeps all objects it had; the reason becomes problem HED012. */
void file_set_unreadable(struct file_set *set, struct str name, struct str reason);
void file_set_remove(struct file_set *set, struct str name);
/* The directory cannot be read, or not all of its files are: problem HED013. An empty reason: all
 * is well again. hides: files came in this batch that are not read; what vanishes may be in there.
 */
void file_set_directory(struct file_set *set, struct str reason, const char *remedy, bool hides);
/* The batch is complete: finds what is in force now and tells the events. What follows below is
 * for between batches. */
void file_set_settle(struct file_set *set);

/* Brings objects back that were in force before a restart (source/state.h), for a file that has
 * broken documents now: the last good version of each broken document, and if it is blind the
 * objects that no document of any file claims. After file_set_update() of all files; ends with
 * file_set_settle(). */
void file_set_restore(struct file_set *set, struct str name, struct str state);
/* The same for what moved while nobody looked: what stood in any file goes to the documents that
 * are broken and have no version yet, or to a blind file when nobody claims it. After
 * file_set_restore() of all files, in the order of their names. */
void file_set_restore_moved(struct file_set *set, struct str state);
/* Whether there is anything that file_set_restore_moved() could help. */
bool file_set_lacks(const struct file_set *set);
/* The last good version of each object of one file, one JSON document in a line, to be restored
 * later; nothing for a file that is not there. */
void file_set_save(const struct file_set *set, struct str name, struct buf *out);

/* All problems of all files, in file and line order. */
typedef void problem_visit_fn(void *user, struct str file, const struct problem *problem);
void file_set_problems(const struct file_set *set, problem_visit_fn *visit, void *user);
/* Of the file itself, duplicates aside; also when it is blind. */
bool file_set_has_errors(const struct file_set *set, struct str name);
bool file_set_directory_ok(const struct file_set *set);
size_t file_set_invalid(const struct file_set *set); /* documents with an error now */
/* Whether some document that is broken now may have had a good version that is not known here: its
 * object is not in force, and its file was neither once without errors nor restored. A start in
 * this state must not serve. */
bool file_set_incomplete(const struct file_set *set);

#endif
