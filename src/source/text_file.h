/* SPDX-License-Identifier: Apache-2.0 */
/* text_file: reading files of a directory, within limits. For the source folder only. */
#ifndef HEDDLE_SOURCE_TEXT_FILE_H
#define HEDDLE_SOURCE_TEXT_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#define SOURCE_FILES_MAX 100000        /* of one directory */
#define SOURCE_BYTES_MAX (1024u << 20) /* of all files of one directory */

enum text_file_result {
    TEXT_FILE_OK,
    TEXT_FILE_GONE,       /* it is not there, or no regular file */
    TEXT_FILE_LINK,       /* a symbolic link, which was not to be followed */
    TEXT_FILE_UNREADABLE, /* as it is; err says why */
    TEXT_FILE_FAILED      /* the next time it may be read; err says why not now */
};

/* Whether a directory source reads a file of this name. */
bool text_file_is_config(struct str name);
/* Appends the file's bytes to out, whose maximum is more than DOC_BYTES_MAX. */
enum text_file_result text_file_read(int dir_fd, const char *name, bool follow, struct buf *out,
                                     struct err *err);

struct name_list {
    VEC(char *) names; /* malloc'ed */
    bool cut;          /* there are more of them */
};
/* The config files of a directory, sorted: the first `max` of them. False when not all of the
 * directory could be read. The list must be released in any case. */
bool name_list_read(struct name_list *list, int dir_fd, size_t max, struct err *err);
void name_list_add(struct name_list *list, struct str name);
void name_list_sort(struct name_list *list); /* and drops what stands twice */
void name_list_release(struct name_list *list);

#endif
