/* SPDX-License-Identifier: Apache-2.0 */
/* letter: life of what the threads write to each other. */
#include "serve/letter.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/panic.h"
#include "net/tls.h"

#define LETTER_ARENA_BYTES 256

struct letter *letter_new(enum letter_kind kind)
{
    struct letter *letter = xcalloc(1, sizeof(*letter));
    letter->kind = kind;
    arena_init_sized(&letter->arena, LETTER_ARENA_BYTES);
    list_init(&letter->mail.link);
    return letter;
}

static void free_reports(struct stream_report *reports, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < reports[i].nresources; k++) {
            resource_unref((struct resource *)(uintptr_t)reports[i].resources[k]);
        }
        free(reports[i].resources);
    }
}

void letter_free(struct letter *letter)
{
    switch (letter->kind) {
    case LETTER_ADOPT:
        if (letter->adopt.fd >= 0) {
            (void)close(letter->adopt.fd);
        }
        tls_context_unref(letter->adopt.tls);
        break;
    case LETTER_CHANGES:
        changeset_unref(letter->changes);
        break;
    case LETTER_CENSUS:
        blob_unref(letter->census.response);
        break;
    case LETTER_OPENED:
        node_free(letter->opened.node);
        break;
    case LETTER_REJECTED:
    case LETTER_ACCEPTED:
        for (size_t i = 0; i < letter->verdict.nof; i++) {
            resource_unref(letter->verdict.of[i]);
        }
        break;
    case LETTER_REPORT:
        free_reports(letter->report.reports, letter->report.len);
        break;
    case LETTER_VIEW:
    case LETTER_REFUSE:
    case LETTER_ASK:
    case LETTER_STOP:
    case LETTER_CLOSED:
    case LETTER_CONN_CLOSED:
    case LETTER_INTEREST:
    case LETTER_DROPPED:
    case LETTER_COUNT:
    case LETTER_ASKED:
    case LETTER_COUNTED:
    case LETTER_WATCH:
    case LETTER_UNWATCH:
    case LETTER_ACKS:
        break;
    }
    arena_release(&letter->arena);
    free(letter);
}

void letter_drop(void *owner, struct mail *mail)
{
    (void)owner;
    letter_free(mail_entry(mail, struct letter, mail));
}
