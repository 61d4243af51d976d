/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: growable bytes with a maximum that is named when the buffer is made.
 *
 * An append that would pass the maximum sets `toobig` and is dropped whole, as are all later
 * ones: write without checking, look at buf_ok() once at the end.
 */
#ifndef HEDDLE_BASE_BUF_H
#define HEDDLE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf {
    uint8_t *data; /* NULL while empty */
    size_t len;
    size_t cap;
    size_t max;
    bool toobig;
};

#define BUF_UNLIMITED ((size_t)-1 / 2)

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf); /* frees; usable again with the same maximum */
void buf_clear(struct buf *buf);   /* len = 0, keeps the memory, clears toobig */
bool buf_ok(const struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_str(struct buf *buf, struct str s);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Room for len more bytes at data + len, uncounted until buf_commit; NULL when too big. */
uint8_t *buf_reserve(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);
void buf_consume(struct buf *buf, size_t len); /* drops len bytes from the front */
struct str buf_str(const struct buf *buf);     /* borrowed; valid until the next change */
/* Hands the memory to the caller (free()); the buffer is empty afterwards. NUL-terminated.
 * ret_len may be NULL. */
char *buf_steal(struct buf *buf, size_t *ret_len);

#endif
