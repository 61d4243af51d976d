/* SPDX-License-Identifier: Apache-2.0 */
/* answers: which responses of a subscription wait for their answers, and what one of these is of.
 */
#include <string.h>

#include "base/panic.h"
#include "serve/subscription.h"

static bool goes_alone(const struct subscription *sub)
{
    return xds_type_info(sub->type)->alone;
}

bool subscription_may_send(const struct subscription *sub)
{
    if (!sub->in_flight) {
        return true;
    }
    if (!goes_alone(sub) || sub->unanswered.len >= UNANSWERED_MAX) {
        return false;
    }
    bitmap_for_each (id, &sub->dirty) {
        if (!bitmap_test(&sub->sent, id)) {
            return true;
        }
    }
    return false;
}

void subscription_sent(struct subscription *sub, uint64_t nonce)
{
    ASSERT(!sub->in_flight || goes_alone(sub));
    if (goes_alone(sub)) {
        vec_push(&sub->unanswered, ((struct unanswered){nonce, sub->sending}));
    }
    sub->sending = REPLICA_NONE;
    sub->nonce = nonce;
    sub->in_flight = true;
}

/* Answers come in the order of the responses. Several may be one, of a client that has to wait
 * before it can send: then nothing of them was rejected, or it is not told what, and so it is taken
 * to be of the last. */
bool subscription_answer(struct subscription *sub, uint64_t nonce, bool rejects)
{
    if (!goes_alone(sub)) {
        return sub->in_flight && nonce == sub->nonce;
    }
    size_t at = 0;
    while (at < sub->unanswered.len && sub->unanswered.items[at].nonce != nonce) {
        at++;
    }
    if (at == sub->unanswered.len) {
        return false;
    }
    for (size_t i = 0; i <= at; i++) {
        uint32_t id = sub->unanswered.items[i].id;
        if (id != REPLICA_NONE && rejects && i < at) {
            bitmap_drop(&sub->sent, id);
        } else if (id != REPLICA_NONE) {
            (void)bitmap_set(&sub->answered, id);
        }
    }
    sub->unanswered.len -= at + 1;
    memmove(sub->unanswered.items, sub->unanswered.items + at + 1,
            sub->unanswered.len * sizeof(struct unanswered));
    return true;
}

bool subscription_in_answer(const struct subscription *sub, uint32_t id)
{
    return bitmap_test(&sub->sent, id) && (!goes_alone(sub) || bitmap_test(&sub->answered, id));
}

void subscription_answered(struct subscription *sub)
{
    bitmap_for_each (id, &sub->answered) {
        bitmap_drop(&sub->sent, id);
    }
    bitmap_release(&sub->answered);
    if (sub->unanswered.len == 0) {
        subscription_answer_all(sub);
    }
}

void subscription_answer_all(struct subscription *sub)
{
    sub->in_flight = false;
    vec_release(&sub->unanswered);
    bitmap_release(&sub->sent);
    bitmap_release(&sub->leaving);
}
