/* SPDX-License-Identifier: Apache-2.0 */
/* record: between a name with its text and the bytes of the state file. */
#include "source/record.h"

#include "base/panic.h"

#define SUM_LEN 16
#define NUMBERS_LEN (RECORD_HEAD_LEN - SUM_LEN)

static void put_number(uint64_t number, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(number >> (8 * i));
    }
}

static uint64_t get_number(const char *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
    }
    return number;
}

static void put_lengths(struct str name, struct str text, uint8_t out[NUMBERS_LEN])
{
    ASSERT(name.len > 0 && name.len <= RECORD_NAME_MAX && text.len <= RECORD_TEXT_MAX);
    put_number(name.len, 4, out);
    put_number(text.len, 4, out + 4);
}

/* The lengths are mixed in apart, so that a name and a text need not stand side by side. */
struct hash record_sum(struct str name, struct str text)
{
    uint8_t lengths[NUMBERS_LEN];
    put_lengths(name, text, lengths);
    struct hash sum = hash_bytes(str_span((const char *)lengths, sizeof(lengths)));
    return hash_mix(sum, hash_mix(hash_bytes(name), hash_bytes(text)));
}

void record_write(struct str name, struct str text, struct hash sum, struct buf *out)
{
    uint8_t head[RECORD_HEAD_LEN];
    put_number(sum.high, 8, head);
    put_number(sum.low, 8, head + 8);
    put_lengths(name, text, head + SUM_LEN);
    buf_add(out, head, sizeof(head));
    buf_add_str(out, name);
    buf_add_str(out, text);
}

enum record_result record_read(struct str bytes, struct record *ret_record)
{
    if (bytes.len < RECORD_HEAD_LEN) {
        return RECORD_CUT;
    }
    size_t name_len = get_number(bytes.ptr + SUM_LEN, 4);
    size_t text_len = get_number(bytes.ptr + SUM_LEN + 4, 4);
    if (name_len == 0 || name_len > RECORD_NAME_MAX || text_len > RECORD_TEXT_MAX) {
        return RECORD_BAD;
    }
    struct record record = {
        .name = str_sub(bytes, RECORD_HEAD_LEN, name_len),
        .text = str_sub(bytes, RECORD_HEAD_LEN + name_len, text_len),
        .sum = {.high = get_number(bytes.ptr, 8), .low = get_number(bytes.ptr + 8, 8)},
        .len = RECORD_HEAD_LEN + name_len + text_len,
    };
    if (bytes.len < record.len) {
        return RECORD_CUT;
    }
    if (!hash_eq(record.sum, record_sum(record.name, record.text))) {
        return RECORD_BAD;
    }
    *ret_record = record;
    return RECORD_OK;
}
