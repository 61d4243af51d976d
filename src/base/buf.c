/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: growable bytes with a maximum. While there is memory, one byte more than len is kept, so
 * that printf has room for its NUL and buf_steal() needs no copy.
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

#define BUF_CAP_MIN 64

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max < BUF_UNLIMITED ? max : BUF_UNLIMITED};
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->toobig = false;
}

bool buf_ok(const struct buf *buf)
{
    return !buf->toobig;
}

uint8_t *buf_reserve(struct buf *buf, size_t len)
{
    if (buf->toobig || len > buf->max - buf->len) {
        buf->toobig = true;
        return NULL;
    }
    size_t need = buf->len + len + 1;
    if (buf->cap < need) {
        size_t cap = buf->cap < BUF_CAP_MIN / 2 ? BUF_CAP_MIN : buf->cap * 2;
        cap = cap < need ? need : cap;
        cap = cap > buf->max + 1 ? buf->max + 1 : cap;
        buf->data = xrealloc(buf->data, cap);
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void buf_commit(struct buf *buf, size_t len)
{
    ASSERT(len == 0 || len < buf->cap - buf->len);
    buf->len += len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    uint8_t *room = buf_reserve(buf, len);
    if (room != NULL && len != 0) {
        memcpy(room, data, len);
        buf->len += len;
    }
}

void buf_add_str(struct buf *buf, struct str s)
{
    buf_add(buf, s.ptr, s.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_byte(struct buf *buf, uint8_t byte)
{
    buf_add(buf, &byte, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(buf, fmt, args);
    va_end(args);
}

void buf_vprintf(struct buf *buf, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(room != 0 ? (char *)buf->data + buf->len : NULL, room, fmt, args);
    ASSERT(len >= 0);
    uint8_t *at = buf_reserve(buf, (size_t)len);
    if (at != NULL) {
        if ((size_t)len >= room) {
            vsnprintf((char *)at, (size_t)len + 1, fmt, again);
        }
        buf->len += (size_t)len;
    }
    va_end(again);
}

void buf_consume(struct buf *buf, size_t len)
{
    ASSERT(len <= buf->len);
    if (len != 0) {
        buf->len -= len;
        memmove(buf->data, buf->data + len, buf->len);
    }
}

struct str buf_str(const struct buf *buf)
{
    return str_span((const char *)buf->data, buf->len);
}

char *buf_steal(struct buf *buf, size_t *ret_len)
{
    char *data = buf->data != NULL ? (char *)buf->data : xmalloc(1);
    data[buf->len] = '\0';
    if (ret_len != NULL) {
        *ret_len = buf->len;
    }
    buf_init(buf, buf->max);
    return data;
}
