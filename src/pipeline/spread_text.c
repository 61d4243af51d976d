/* SPDX-License-Identifier: Apache-2.0 */
/* spread_text: see spread_text.h. */
#include "pipeline/spread_text.h"

#include <stdlib.h>

#include "base/panic.h"

struct asked {
    char *text; /* "HTTPRoute/ns/name 3" */
    struct str key;
    int64_t generation;
    struct spread_count sum;
    unsigned heard;   /* replicas that know the generation */
    unsigned settled; /* of these, where it is */
};

/* --- asking ---------------------------------------------------------------------------------- */

static void ask(void *user, struct str key, int64_t generation)
{
    struct spread_round *round = user;
    if (round->asked.len >= SPREAD_ROUTES_MAX) {
        return;
    }
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    buf_printf(&text, "%.*s %lld", STR_FMT(key), (long long)generation);
    struct asked *asked = xcalloc(1, sizeof(*asked));
    asked->text = buf_steal(&text, NULL);
    asked->key = str_sub(str_from(asked->text), 0, key.len);
    asked->generation = generation;
    (void)map_put(&round->asked, str_from(asked->text), asked);
}

void spread_round_begin(struct spread_round *round, const struct spread *spread, unsigned replicas,
                        struct buf *out)
{
    *round = (struct spread_round){.replicas = replicas};
    spread_each_pending(spread, ask, round);
    const struct map *map = &round->asked;
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        buf_add_text(out, ((const struct asked *)map->slots[i].value)->text);
        buf_add_byte(out, '\n');
    }
}

static bool read_number(struct str *line, uint64_t *ret_value)
{
    return str_to_u64(str_cut(line, ' '), ret_value);
}

/* "HTTPRoute/ns/name 3", and the rest of the line after it. */
static struct str cut_subject(struct str *line)
{
    struct str whole = *line;
    struct str key = str_cut(line, ' ');
    struct str generation = str_cut(line, ' ');
    return str_sub(whole, 0, key.len + 1 + generation.len);
}

static void hear_line(struct spread_round *round, struct str line)
{
    struct asked *asked = map_get(&round->asked, cut_subject(&line));
    struct spread_count count;
    if (asked == NULL || asked->heard >= round->replicas || !read_number(&line, &count.clients) ||
        !read_number(&line, &count.acknowledged) || !read_number(&line, &count.rejected)) {
        return;
    }
    asked->heard++;
    asked->settled += str_eq(line, STR("settled"));
    asked->sum.clients += count.clients;
    asked->sum.acknowledged += count.acknowledged;
    asked->sum.rejected += count.rejected;
}

void spread_round_hear(struct spread_round *round, struct str answer)
{
    while (answer.len > 0) {
        hear_line(round, str_cut(&answer, '\n'));
    }
}

void spread_round_end(struct spread_round *round, struct spread *spread, uint64_t now_ms)
{
    const struct map *map = &round->asked;
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        struct asked *asked = map->slots[i].value;
        asked->sum.settled = asked->settled == round->replicas;
        spread_others(spread, asked->key, asked->generation, &asked->sum, now_ms);
    }
    spread_round_release(round);
}

void spread_round_release(struct spread_round *round)
{
    const struct map *map = &round->asked;
    for (size_t i = map_next(map, 0); i < map->cap; i = map_next(map, i + 1)) {
        struct asked *asked = map->slots[i].value;
        free(asked->text);
        free(asked);
    }
    map_release(&round->asked);
}

/* --- answering ------------------------------------------------------------------------------- */

static void answer_line(const struct spread *spread, struct str line, struct buf *out)
{
    struct str subject = line;
    struct str key = str_cut(&line, ' ');
    uint64_t generation;
    struct spread_count here;
    if (str_to_u64(line, &generation) && generation <= INT64_MAX &&
        spread_here(spread, key, (int64_t)generation, &here)) {
        buf_printf(out, "%.*s %llu %llu %llu %s\n", STR_FMT(subject),
                   (unsigned long long)here.clients, (unsigned long long)here.acknowledged,
                   (unsigned long long)here.rejected, here.settled ? "settled" : "pending");
    }
}

void spread_answer(const struct spread *spread, struct str question, struct buf *out)
{
    for (unsigned i = 0; question.len > 0 && i < SPREAD_ROUTES_MAX; i++) {
        answer_line(spread, str_cut(&question, '\n'), out);
    }
}
