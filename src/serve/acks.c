/* SPDX-License-Identifier: Apache-2.0 */
/* acks: see acks.h. */
#include "serve/acks.h"

#include <stdlib.h>

#include "base/panic.h"

void acks_init(struct acks_watches *watches, struct stream_env *env)
{
    *watches = (struct acks_watches){.env = env};
}

static void forget(struct acks_watches *watches, struct acks_watched *watched)
{
    for (size_t i = 0; i < watched->len; i++) {
        replica_drop(&watches->env->replica, watched->ids[i].type, watched->ids[i].id);
    }
    free(watched->ids);
}

void acks_release(struct acks_watches *watches)
{
    for (size_t i = 0; i < watches->items.len; i++) {
        forget(watches, &watches->items.items[i]);
    }
    vec_release(&watches->items);
    bitmap_release(&watches->concerned);
    bitmap_release(&watches->behind);
    bitmap_release(&watches->rejected);
}

void acks_watch(struct acks_watches *watches, watch_id id, const struct acks_name *names,
                size_t len)
{
    struct acks_watched watched = {.id = id, .len = len};
    watched.ids = xmalloc(len * sizeof(*watched.ids));
    for (size_t i = 0; i < len; i++) {
        watched.ids[i] = (struct acks_id){
            names[i].type, replica_intern(&watches->env->replica, names[i].type, names[i].name)};
    }
    vec_push(&watches->items, watched);
}

void acks_unwatch(struct acks_watches *watches, watch_id id)
{
    for (size_t i = 0; i < watches->items.len; i++) {
        if (watches->items.items[i].id == id) {
            forget(watches, &watches->items.items[i]);
            if (i < watches->next) { /* those before `next` stay those that are counted */
                watches->items.items[i] = watches->items.items[--watches->next];
                i = watches->next;
            }
            vec_swap_remove(&watches->items, i);
            return;
        }
    }
}

/* --- counting -------------------------------------------------------------------------------- */

enum standing { APART, BEHIND, REJECTED, ACKNOWLEDGED };

/* Of a response that was rejected for another resource's sake, is this one not in use, either? */
static bool is_spoiled(const struct stream *stream, const struct subscription *sub)
{
    const struct xds_type_info *info = xds_type_info(sub->type);
    return sub->rejected && !stream->keeps_valid && !info->whole_state && !info->alone;
}

static enum standing standing(const struct stream *stream, const struct subscription *sub,
                              uint32_t id)
{
    bool due = bitmap_test(&sub->dirty, id) || bitmap_test(&sub->removing, id);
    bool on_its_way =
        sub->in_flight && (bitmap_test(&sub->sent, id) || bitmap_test(&sub->leaving, id));
    if (due || on_its_way) {
        return BEHIND;
    }
    if (replica_wanted(sub->replica, sub->slot, sub->type, id) == NULL) {
        return APART;
    }
    if (bitmap_test(&sub->refused, id)) {
        return REJECTED;
    }
    return bitmap_test(&sub->known, id) && !is_spoiled(stream, sub) ? ACKNOWLEDGED : BEHIND;
}

static void look(struct acks_watches *watches, struct acks_id name)
{
    const struct replica *replica = &watches->env->replica;
    for (uint32_t slot = replica_next_asking(replica, name.type, name.id, 0); slot != BITMAP_END;
         slot = replica_next_asking(replica, name.type, name.id, slot + 1)) {
        const struct stream *stream = watches->env->by_slot.items[slot];
        watches->looks++;
        enum standing stands = standing(stream, &stream->subs[name.type], name.id);
        if (stands != APART) {
            (void)bitmap_set(&watches->concerned, slot);
        }
        if (stands == BEHIND || stands == REJECTED) {
            (void)bitmap_set(stands == BEHIND ? &watches->behind : &watches->rejected, slot);
        }
    }
}

/* Texts are borrowed. Who is behind with one name and rejects another counts as rejecting. */
static struct acks count(struct acks_watches *watches, const struct acks_watched *watched)
{
    bitmap_clear_all(&watches->concerned);
    bitmap_clear_all(&watches->behind);
    bitmap_clear_all(&watches->rejected);
    for (size_t i = 0; i < watched->len; i++) {
        look(watches, watched->ids[i]);
    }
    bitmap_for_each (slot, &watches->rejected) {
        (void)bitmap_clear(&watches->behind, slot);
    }
    struct acks acks = {.streams = watches->concerned.count, .rejected = watches->rejected.count};
    acks.acknowledged = acks.streams - acks.rejected - watches->behind.count;
    bitmap_for_each (slot, &watches->behind) {
        if (acks.nbehind == ACKS_BEHIND_MAX) {
            break;
        }
        acks.behind[acks.nbehind++] = str_from(watches->env->by_slot.items[slot]->node_id);
    }
    return acks;
}

static bool same_numbers(const struct acks *a, const struct acks *b)
{
    return a->streams == b->streams && a->acknowledged == b->acknowledged &&
           a->rejected == b->rejected;
}

static void tell(struct letter *letter, watch_id id, const struct acks *acks, size_t max)
{
    if (letter->acks.len == 0) {
        letter->acks.items = ARENA_ARRAY(&letter->arena, max, struct acks_told);
    }
    struct acks_told *told = &letter->acks.items[letter->acks.len++];
    *told = (struct acks_told){id, *acks};
    for (unsigned i = 0; i < acks->nbehind; i++) {
        told->acks.behind[i] = arena_str(&letter->arena, acks->behind[i]);
    }
}

struct letter *acks_count(struct acks_watches *watches)
{
    struct letter *letter = NULL;
    watches->looks = 0;
    while (watches->next < watches->items.len && watches->looks < ACKS_LOOKS) {
        size_t left = watches->items.len - watches->next;
        struct acks_watched *watched = &watches->items.items[watches->next++];
        struct acks now = count(watches, watched);
        if (watched->told && same_numbers(&now, &watched->last)) {
            continue;
        }
        letter = letter != NULL ? letter : letter_new(LETTER_ACKS);
        tell(letter, watched->id, &now, left);
        watched->last = now;
        watched->last.nbehind = 0; /* its texts are the streams' */
        watched->told = true;
    }
    if (watches->next >= watches->items.len) {
        watches->next = 0;
    }
    return letter;
}

bool acks_is_counting(const struct acks_watches *watches)
{
    return watches->next > 0;
}
