/* SPDX-License-Identifier: Apache-2.0 */
/* writer_tell: which of the things that are written are recorded as Events, too. */
#include "base/log.h"
#include "base/metric.h"
#include "status/writer_internal.h"

static bool may_tell(struct subject *subject)
{
    uint64_t now = loop_now_ms(subject->writer->loop);
    if (subject->told == 0 || now - subject->told_ms >= STATUS_EVENTS_MS) {
        subject->told_ms = now;
        subject->told = 0;
    }
    if (subject->told == STATUS_EVENTS_MAX) {
        metric_add(M_events_dropped, 1);
        return false;
    }
    subject->told++;
    return true;
}

static void tell(struct subject *subject, struct str reason, struct str action, struct str note)
{
    const struct event event = {
        .api_version = str_from(subject->writer->versions[subject->kind]),
        .kind = str_from(kind_info(subject->kind)->kind),
        .ns = subject->ns,
        .name = subject->name,
        .uid = str_from(subject->uid),
        .reason = reason,
        .action = action,
        .note = note,
    };
    if (may_tell(subject)) {
        events_send(subject->writer->events, &event);
    }
}

/* A route says the same of each of its parents: one Event will do. */
static bool is_repeated(const struct merge *merge, unsigned at)
{
    const struct merge_turn *turn = &merge->turns[at];
    for (unsigned i = 0; i < at; i++) {
        const struct merge_turn *before = &merge->turns[i];
        if (str_eq(before->type, turn->type) && str_eq(before->status, turn->status) &&
            str_eq(before->reason, turn->reason) && str_eq(before->message, turn->message)) {
            return true;
        }
    }
    return false;
}

/* What somebody has to do something about: an object that is not in force, and clients' rejections,
 * each time that they have other words. */
void subject_tell(struct subject *subject, const struct merge *merge)
{
    static const struct {
        struct str type, action;
        bool words;
    } told[] = {
        {STR("Accepted"), STR("Accept"), false},
        {STR("heddle.dev/Accepted"), STR("Accept"), false},
        {STR("heddle.dev/Programmed"), STR("Program"), true},
    };
    for (unsigned i = 0; i < merge->nturns; i++) {
        const struct merge_turn *turn = &merge->turns[i];
        for (size_t j = 0; j < sizeof(told) / sizeof(told[0]) && !is_repeated(merge, i); j++) {
            if (str_eq(turn->type, told[j].type) && str_eq(turn->status, STR("False")) &&
                (told[j].words || !turn->words)) {
                tell(subject, turn->reason, told[j].action, turn->message);
            }
        }
    }
}

void subject_tell_dropped(struct subject *subject, unsigned dropped)
{
    if (dropped > 0 && !subject->truncated) {
        log_at(LOG_WARN, "status", "a status has no room for all that is to be said",
               KV_TEXT("object", subject->key), KV_INT("dropped", dropped));
        tell(subject, STR("StatusTruncated"), STR("WriteStatus"),
             STR("other controllers' entries leave no room in the status for all that heddle has "
                 "to say of the object: remove those of controllers that are gone"));
    }
    subject->truncated = dropped > 0;
}
