/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: a thread and its event loop.
 *
 * Everything that lives on a loop is touched by that loop's thread only; loops talk by mailbox
 * (net/mailbox.h). One loop runs in the thread that calls loop_run() (thread 0), others get a
 * thread of their own from loop_start().
 *
 *              ┌─► loop_run, until loop_stop  (the caller's thread) ─┐
 *   loop_init ─┤                                                     ├─► loop_release
 *              └─► loop_start … loop_stop, loop_join  (its own)     ─┘
 *
 * To shut down: close what lives on the loop from inside it, then loop_stop(); loop_release()
 * runs the remaining close callbacks and panics if a handle was left open.
 */
#ifndef HEDDLE_NET_LOOP_H
#define HEDDLE_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/list.h"

#define LOOP_READ_MAX 65536 /* bytes taken from a socket at once; one such buffer per loop */
#define LOOP_NAME_MAX 16    /* of a thread, with its NUL */

struct loop {
    uv_loop_t uv;
    uv_async_t stop;     /* wakes the loop to end */
    uv_prepare_t before; /* runs tasks before the loop waits */
    uv_check_t after;    /* runs tasks right after I/O */
    struct list tasks;   /* struct loop_task.link: to run at the end of this turn */
    uv_thread_t thread;
    bool started; /* has a thread of its own */
    char name[LOOP_NAME_MAX];
    uint8_t *read_buf; /* LOOP_READ_MAX bytes, valid during one read callback */
};

/* Work to be done once at the end of the present turn of the loop, however often asked for. */
struct loop_task {
    struct list link;
    void (*run)(struct loop_task *task);
};

/* The name is cut to LOOP_NAME_MAX - 1 bytes. The process ignores SIGPIPE from here on. */
bool loop_init(struct loop *loop, const char *name, struct err *err);
void loop_run(struct loop *loop); /* until loop_stop() */
bool loop_start(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop); /* any thread; also before loop_run() */
void loop_join(struct loop *loop); /* waits for the thread of loop_start() to end */
/* After loop_run() or loop_join(), in the thread that owns the struct. */
void loop_release(struct loop *loop);
uint64_t loop_now_ms(const struct loop *loop); /* monotonic; the time of the present turn */

void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task));
void loop_task_soon(struct loop *loop, struct loop_task *task);
void loop_task_cancel(struct loop_task *task); /* fine when it is not waiting */

#endif
