/* SPDX-License-Identifier: Apache-2.0 */
/* Does every mail arrive once, in its sender's order, on the owner's thread, with few wake-ups? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/panic.h"
#include "net/loop.h"
#include "net/mailbox.h"

#define SENDERS 4
#define LETTERS 5000

struct letter {
    struct mail mail;
    unsigned sender;
    unsigned number;
};

struct office {
    struct loop loop;
    struct mailbox box;
    unsigned next[SENDERS];
    unsigned received;
    unsigned expected;
    bool disordered;
};

static void deliver(void *owner, struct mail *mail)
{
    struct office *office = owner;
    struct letter *letter = mail_entry(mail, struct letter, mail);
    office->disordered |= letter->number != office->next[letter->sender]++;
    free(letter);
    if (++office->received == office->expected) {
        mailbox_close(&office->box);
        loop_stop(&office->loop);
    }
}

static void post(struct office *office, unsigned sender, unsigned number)
{
    struct letter *letter = xcalloc(1, sizeof(*letter));
    letter->sender = sender;
    letter->number = number;
    mailbox_post(&office->box, &letter->mail);
}

struct sender {
    pthread_t thread;
    struct office *office;
    unsigned index;
};

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    for (unsigned i = 0; i < LETTERS; i++) {
        post(sender->office, sender->index, i);
    }
    return NULL;
}

static void many_senders_one_owner(void **state)
{
    (void)state;
    static struct office office;
    struct sender senders[SENDERS];
    office.expected = SENDERS * LETTERS;
    assert_true(loop_init(&office.loop, "office", NULL));
    mailbox_init(&office.box, &office.loop, deliver, &office);
    assert_true(loop_start(&office.loop, NULL));
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.office = &office, .index = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    for (unsigned i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
    }
    loop_join(&office.loop);
    loop_release(&office.loop);
    mailbox_release(&office.box, NULL);
    assert_int_equal(office.received, SENDERS * LETTERS);
    assert_false(office.disordered);
}

static void mail_before_and_after_the_loop_runs(void **state)
{
    (void)state;
    struct office office = {.expected = 3};
    assert_true(loop_init(&office.loop, "office", NULL));
    mailbox_init(&office.box, &office.loop, deliver, &office);
    for (unsigned i = 0; i < 3; i++) {
        post(&office, 0, i);
    }
    loop_run(&office.loop);
    assert_int_equal(office.received, 3);
    post(&office, 0, 3); /* closed: it stays until the release */
    loop_release(&office.loop);
    office.expected = 0;
    mailbox_release(&office.box, deliver);
    assert_int_equal(office.received, 4);
    assert_false(office.disordered);
}

/* Two loops that play ping-pong: what happens on a worker while thread 0 runs. */
struct player {
    struct loop loop;
    struct mailbox box;
    struct player *other;
    unsigned hits;
};

#define HITS 2000

static void hit(void *owner, struct mail *mail)
{
    struct player *player = owner;
    bool last = ++player->hits == HITS;
    mailbox_post(&player->other->box, mail);
    if (last) {
        loop_stop(&player->loop);
    }
}

static void drop(void *owner, struct mail *mail)
{
    (void)owner;
    free(mail_entry(mail, struct letter, mail));
}

static void two_loops_talk(void **state)
{
    (void)state;
    static struct player players[2];
    for (unsigned i = 0; i < 2; i++) {
        players[i].other = &players[1 - i];
        assert_true(loop_init(&players[i].loop, "a name longer than a thread's may be", NULL));
        mailbox_init(&players[i].box, &players[i].loop, hit, &players[i]);
    }
    struct letter *ball = xcalloc(1, sizeof(*ball));
    mailbox_post(&players[0].box, &ball->mail);
    assert_true(loop_start(&players[1].loop, NULL));
    loop_run(&players[0].loop);
    loop_join(&players[1].loop);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(players[i].hits >= HITS);
        players[i].box.deliver = drop;
        mailbox_close(&players[i].box);
        loop_release(&players[i].loop);
        mailbox_release(&players[i].box, drop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_senders_one_owner),
        cmocka_unit_test(mail_before_and_after_the_loop_runs),
        cmocka_unit_test(two_loops_talk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
