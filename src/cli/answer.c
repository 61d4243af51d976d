/* SPDX-License-Identifier: Apache-2.0 */
/* answer: see answer.h. */
#include "cli/answer.h"

#include <stdio.h>
#include <string.h>

#include "codec/json.h"

/* In JSON, control characters stand as \n, \t, … or \u00XX. */
void answer_clean(struct buf *body)
{
    char *text = (char *)body->data;
    for (size_t i = 0; i + 1 < body->len; i++) {
        if (text[i] != '\\') {
            continue;
        }
        i++;
        if (text[i] == 'b' || text[i] == 'f' || text[i] == 'n' || text[i] == 'r' ||
            text[i] == 't') {
            text[i] = '/';
        } else if (text[i] == 'u' && i + 4 < body->len && memcmp(text + i + 1, "00", 2) == 0) {
            memcpy(text + i + 1, "003f", 4);
        }
    }
}

static void print_json(const struct buf *body)
{
    struct buf out;
    struct json json;
    buf_init(&out, BUF_UNLIMITED);
    json_init(&json, &out, 2);
    if (json_reindent(&json, buf_str(body))) {
        printf("%.*s\n", STR_FMT(buf_str(&out)));
    }
    buf_release(&out);
}

void answer_print(const struct options *options, struct buf *body,
                  void (*print)(const json_t *answer))
{
    if (option_json(options)) {
        print_json(body);
        return;
    }
    answer_clean(body);
    json_t *answer = json_loadb((const char *)body->data, body->len, 0, NULL);
    print(answer);
    json_decref(answer);
}
