/* SPDX-License-Identifier: Apache-2.0 */
/* tally: see tally.h. */
#include "serve/tally.h"

#include <stdlib.h>

#include "base/panic.h"

struct tally_part {
    bool heard;
    struct acks acks;
    struct arena texts; /* of acks */
};

struct tally_watch {
    watch_id id;
    serve_acks_fn *changed;
    void *user;
    unsigned missing; /* workers that were not heard yet */
    unsigned nparts;
    struct tally_part parts[]; /* one of each worker */
};

static struct str id_key(const watch_id *id)
{
    return str_span((const char *)id, sizeof(*id));
}

static void watch_free(struct tally_watch *watch)
{
    for (unsigned i = 0; i < watch->nparts; i++) {
        arena_release(&watch->parts[i].texts);
    }
    free(watch);
}

void tally_release(struct tally *tally)
{
    const struct map *by_id = &tally->by_id;
    for (size_t i = map_next(by_id, 0); i < by_id->cap; i = map_next(by_id, i + 1)) {
        watch_free(by_id->slots[i].value);
    }
    map_release(&tally->by_id);
}

static struct letter *watch_letter(watch_id id, const struct acks_name *names, size_t len)
{
    struct letter *letter = letter_new(LETTER_WATCH);
    letter->watch.id = id;
    letter->watch.len = len;
    letter->watch.names = ARENA_ARRAY(&letter->arena, len, struct acks_name);
    for (size_t i = 0; i < len; i++) {
        letter->watch.names[i] =
            (struct acks_name){names[i].type, arena_str(&letter->arena, names[i].name)};
    }
    return letter;
}

watch_id tally_watch(struct tally *tally, unsigned nworkers, const struct acks_name *names,
                     size_t len, serve_acks_fn *changed, void *user)
{
    struct tally_watch *watch = xcalloc(1, sizeof(*watch) + nworkers * sizeof(watch->parts[0]));
    watch->id = ++tally->last_id;
    watch->changed = changed;
    watch->user = user;
    watch->missing = watch->nparts = nworkers;
    (void)map_put(&tally->by_id, id_key(&watch->id), watch);
    for (unsigned i = 0; i < nworkers; i++) {
        arena_init_sized(&watch->parts[i].texts, 64);
        tally->post(tally->user, i, watch_letter(watch->id, names, len));
    }
    return watch->id;
}

void tally_cancel(struct tally *tally, watch_id id)
{
    struct tally_watch *watch = map_remove(&tally->by_id, id_key(&id));
    if (watch == NULL) {
        return;
    }
    for (unsigned i = 0; i < watch->nparts; i++) {
        struct letter *letter = letter_new(LETTER_UNWATCH);
        letter->watch.id = id;
        tally->post(tally->user, i, letter);
    }
    watch_free(watch);
}

static void set_part(struct tally_watch *watch, struct tally_part *part, const struct acks *acks)
{
    watch->missing -= part->heard ? 0 : 1;
    part->heard = true;
    part->acks = *acks;
    arena_reset(&part->texts);
    for (unsigned i = 0; i < acks->nbehind; i++) {
        part->acks.behind[i] = arena_str(&part->texts, acks->behind[i]);
    }
}

static struct acks sum(const struct tally_watch *watch)
{
    struct acks sum = {.streams = 0};
    for (unsigned i = 0; i < watch->nparts; i++) {
        acks_add(&sum, &watch->parts[i].acks);
    }
    return sum;
}

void acks_add(struct acks *sum, const struct acks *more)
{
    sum->streams += more->streams;
    sum->acknowledged += more->acknowledged;
    sum->rejected += more->rejected;
    for (unsigned i = 0; i < more->nbehind && sum->nbehind < ACKS_BEHIND_MAX; i++) {
        sum->behind[sum->nbehind++] = more->behind[i];
    }
}

void tally_add(struct tally *tally, const struct letter *letter)
{
    for (size_t i = 0; i < letter->acks.len; i++) {
        const struct acks_told *told = &letter->acks.items[i];
        struct tally_watch *watch = map_get(&tally->by_id, id_key(&told->id));
        if (watch == NULL) {
            continue; /* cancelled meanwhile */
        }
        set_part(watch, &watch->parts[letter->worker], &told->acks);
        if (watch->missing == 0) {
            struct acks now = sum(watch);
            watch->changed(watch->user, &now); /* may cancel it */
        }
    }
}
