/* SPDX-License-Identifier: Apache-2.0 */
/* percent: percent-encoding. */
#include "codec/percent.h"

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void percent_encode(struct str text, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (is_unreserved(c)) {
            buf_add_byte(out, c);
        } else {
            buf_add_byte(out, '%');
            buf_add_byte(out, (uint8_t)digits[c >> 4]);
            buf_add_byte(out, (uint8_t)digits[c & 15]);
        }
    }
}
