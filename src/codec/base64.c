/* SPDX-License-Identifier: Apache-2.0 */
/* base64: three bytes are four letters. */
#include "codec/base64.h"

#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct str bytes, struct buf *out)
{
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t len = bytes.len - at < 3 ? bytes.len - at : 3;
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++) {
            bits = bits << 8 | (i < len ? (unsigned char)bytes.ptr[at + i] : 0u);
        }
        char quad[4];
        for (unsigned i = 0; i < 4; i++) {
            quad[i] = i <= len ? letters[bits >> (18 - 6 * i) & 63] : '=';
        }
        buf_add(out, quad, sizeof(quad));
    }
}

/* Appends what a quad of letters, `pads` of them '=', stands for. */
static bool put_quad(uint32_t bits, unsigned pads, struct buf *out)
{
    if (pads > 2 || (bits & ((1u << (8 * pads)) - 1)) != 0) {
        return false; /* bits that no encoder sets */
    }
    for (unsigned i = 0; i < 3 - pads; i++) {
        buf_add_byte(out, (uint8_t)(bits >> (16 - 8 * i)));
    }
    return true;
}

bool base64_decode(struct str text, struct buf *out)
{
    size_t start = out->len;
    uint32_t bits = 0;
    unsigned count = 0, pads = 0;
    bool ended = false; /* a padded quad was the last */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            continue;
        }
        const char *letter = c != '\0' ? strchr(letters, c) : NULL;
        if (ended || (letter == NULL && c != '=') || (letter != NULL && pads != 0)) {
            count = 1;
            break;
        }
        pads += letter == NULL;
        bits = bits << 6 | (letter != NULL ? (uint32_t)(letter - letters) : 0);
        if (++count == 4) {
            if (!put_quad(bits, pads, out)) {
                break;
            }
            ended = pads != 0;
            bits = count = pads = 0;
        }
    }
    if (count != 0) {
        out->len = start;
        return false;
    }
    return true;
}
