/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: a small file whose text others change (a token, a certificate), read again when it did.
 * Kubernetes swaps such files as a whole, so that what is read is never half of it.
 */
#ifndef HEDDLE_KUBE_FILE_H
#define HEDDLE_KUBE_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

#define KUBE_FILE_MAX (1u << 20)

/* Appends the file's bytes, as far as the buffer's maximum. errno says why not. */
bool kube_file_read(const char *path, struct buf *ret_text, struct err *err);

struct kube_file {
    const char *path; /* borrowed */
    struct stat seen; /* when it was read */
    struct buf text;
};
void kube_file_init(struct kube_file *file, const char *path);
void kube_file_release(struct kube_file *file);
/* Reads it if it changed since; *ret_changed: its text is another one now. On failure the text
 * stays as it was. */
bool kube_file_refresh(struct kube_file *file, bool *ret_changed, struct err *err);

#endif
