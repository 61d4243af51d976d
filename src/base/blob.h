/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob: immutable bytes shared between threads by an atomic reference count.
 *
 * What is encoded once on thread 0 is written to every stream from here, without a copy.
 */
#ifndef HEDDLE_BASE_BLOB_H
#define HEDDLE_BASE_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct blob {
    _Atomic uint32_t refs;
    uint32_t len;
    uint8_t data[]; /* len bytes */
};

struct blob *blob_new(const void *data, size_t len); /* one reference; panics over 1 GiB */
struct blob *blob_alloc(size_t len);                 /* uninitialised: fill before sharing */
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* NULL is fine */
struct str blob_str(const struct blob *blob);

#endif
