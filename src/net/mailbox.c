/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox: the only place where threads of heddle meet (besides log and shared blobs). */
#include "net/mailbox.h"

#include "base/panic.h"
#include "net/loop.h"

/* Takes all that is there in one step and delivers it without the lock. */
static void mailbox_deliver(struct mailbox *box, mail_deliver_fn *deliver)
{
    struct list taken;
    list_init(&taken);
    uv_mutex_lock(&box->lock);
    if (!list_empty(&box->inbox)) {
        taken = box->inbox;
        taken.next->prev = &taken;
        taken.prev->next = &taken;
        list_init(&box->inbox);
    }
    uv_mutex_unlock(&box->lock);
    while (!list_empty(&taken)) {
        struct list *first = taken.next;
        list_remove(first);
        deliver(box->owner, list_entry(first, struct mail, link));
    }
}

static void mailbox_woken(uv_async_t *handle)
{
    struct mailbox *box = handle->data;
    mailbox_deliver(box, box->deliver);
}

void mailbox_init(struct mailbox *box, struct loop *loop, mail_deliver_fn *deliver, void *owner)
{
    box->deliver = deliver;
    box->owner = owner;
    box->closed = false;
    list_init(&box->inbox);
    ASSERT(uv_mutex_init(&box->lock) == 0);
    ASSERT(uv_async_init(&loop->uv, &box->wake, mailbox_woken) == 0);
    box->wake.data = box;
}

void mailbox_post(struct mailbox *box, struct mail *mail)
{
    uv_mutex_lock(&box->lock);
    bool first = list_empty(&box->inbox);
    list_append(&box->inbox, &mail->link);
    /* Under the lock, so that the handle cannot be closed between the look and the send. */
    if (first && !box->closed) {
        uv_async_send(&box->wake);
    }
    uv_mutex_unlock(&box->lock);
}

void mailbox_close(struct mailbox *box)
{
    mailbox_deliver(box, box->deliver);
    uv_mutex_lock(&box->lock);
    box->closed = true;
    uv_mutex_unlock(&box->lock);
    uv_close((uv_handle_t *)&box->wake, NULL);
}

void mailbox_release(struct mailbox *box, mail_deliver_fn *drop)
{
    if (drop != NULL) {
        mailbox_deliver(box, drop);
    }
    ASSERT(list_empty(&box->inbox));
    uv_mutex_destroy(&box->lock);
}
