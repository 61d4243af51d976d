/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox: how one loop tells another something. Many writers, one reader.
 *
 *   any thread:  mailbox_post(box, &letter->mail)      mutex, append, wake only if it was empty
 *   the owner:   deliver(owner, mail) for each         one wake-up takes the whole list, in order
 *
 * A mail is embedded in a letter struct of the sender's choice, usually with a kind. Posting
 * gives the letter away: deliver() owns it and frees it. Mails of one sender arrive in the order
 * posted.
 */
#ifndef HEDDLE_NET_MAILBOX_H
#define HEDDLE_NET_MAILBOX_H

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"

struct loop;

struct mail {
    struct list link;
};

#define mail_entry(mail_ptr, type, member) list_entry(mail_ptr, type, member)

typedef void mail_deliver_fn(void *owner, struct mail *mail);

struct mailbox {
    uv_async_t wake;
    uv_mutex_t lock;
    struct list inbox; /* under the lock */
    bool closed;       /* under the lock: no more wake-ups */
    mail_deliver_fn *deliver;
    void *owner;
};

/* On the thread of `loop`, or before that loop runs. The struct must not move. */
void mailbox_init(struct mailbox *box, struct loop *loop, mail_deliver_fn *deliver, void *owner);
void mailbox_post(struct mailbox *box, struct mail *mail); /* any thread, init .. release */
/* On the owner's thread: delivers what is there, then nothing more. */
void mailbox_close(struct mailbox *box);
/* After close, once the loop was released (loop_release) and no thread posts any more. Mail that
 * came after the close goes to `drop` (NULL: there must be none). */
void mailbox_release(struct mailbox *box, mail_deliver_fn *drop);

#endif
