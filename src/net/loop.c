/* SPDX-License-Identifier: Apache-2.0 */
/* loop: starts, runs and ends one event loop, and runs the tasks at the end of each turn. */
#include "net/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"

/* Tasks may ask for further tasks; those run now too, but a chain of them must end. */
#define LOOP_TASKS_MAX 1000000

#define LOOP_CLOSE_ROUNDS 64

static void loop_run_tasks(struct loop *loop)
{
    for (unsigned n = 0; !list_empty(&loop->tasks); n++) {
        ASSERT(n < LOOP_TASKS_MAX);
        struct loop_task *task = list_entry(loop->tasks.next, struct loop_task, link);
        list_remove(&task->link);
        task->run(task);
    }
}

static void loop_before_wait(uv_prepare_t *handle)
{
    loop_run_tasks(handle->data);
}

static void loop_after_io(uv_check_t *handle)
{
    loop_run_tasks(handle->data);
}

static void loop_on_stop(uv_async_t *handle)
{
    struct loop *loop = handle->data;
    uv_stop(&loop->uv);
}

bool loop_init(struct loop *loop, const char *name, struct err *err)
{
    memset(loop, 0, sizeof(*loop));
    signal(SIGPIPE, SIG_IGN); /* writing to a closed socket is an error, not the end */
    int rc = uv_loop_init(&loop->uv);
    if (rc != 0) {
        return err_set(err, "event loop '%s': %s", name, uv_strerror(rc));
    }
    rc = uv_async_init(&loop->uv, &loop->stop, loop_on_stop);
    if (rc != 0) {
        uv_loop_close(&loop->uv);
        return err_set(err, "event loop '%s': %s", name, uv_strerror(rc));
    }
    snprintf(loop->name, sizeof(loop->name), "%s", name);
    list_init(&loop->tasks);
    loop->read_buf = xmalloc(LOOP_READ_MAX);
    loop->stop.data = loop->before.data = loop->after.data = loop;
    /* These cannot fail: they only link the handle into the loop. */
    uv_prepare_init(&loop->uv, &loop->before);
    uv_prepare_start(&loop->before, loop_before_wait);
    uv_check_init(&loop->uv, &loop->after);
    uv_check_start(&loop->after, loop_after_io);
    return true;
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void loop_thread(void *arg)
{
    struct loop *loop = arg;
    pthread_setname_np(pthread_self(), loop->name);
    loop_run(loop);
}

bool loop_start(struct loop *loop, struct err *err)
{
    int rc = uv_thread_create(&loop->thread, loop_thread, loop);
    if (rc != 0) {
        return err_set(err, "thread '%s': %s", loop->name, uv_strerror(rc));
    }
    loop->started = true;
    return true;
}

void loop_stop(struct loop *loop)
{
    uv_async_send(&loop->stop);
}

void loop_join(struct loop *loop)
{
    if (loop->started) {
        uv_thread_join(&loop->thread);
        loop->started = false;
    }
}

static void loop_report_open(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) {
        panic("a %s handle was left open on its loop", uv_handle_type_name(handle->type));
    }
}

void loop_release(struct loop *loop)
{
    ASSERT(!loop->started);
    loop_run_tasks(loop);
    uv_close((uv_handle_t *)&loop->stop, NULL);
    uv_close((uv_handle_t *)&loop->before, NULL);
    uv_close((uv_handle_t *)&loop->after, NULL);
    /* A close callback may close what belongs to it, so this takes a few rounds. */
    for (unsigned i = 0; i < LOOP_CLOSE_ROUNDS && uv_loop_alive(&loop->uv) != 0; i++) {
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    }
    uv_walk(&loop->uv, loop_report_open, NULL);
    ASSERT(uv_loop_close(&loop->uv) == 0);
    free(loop->read_buf);
    loop->read_buf = NULL;
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task))
{
    list_init(&task->link);
    task->run = run;
}

void loop_task_soon(struct loop *loop, struct loop_task *task)
{
    if (list_empty(&task->link)) {
        list_append(&loop->tasks, &task->link);
    }
}

void loop_task_cancel(struct loop_task *task)
{
    list_remove(&task->link);
}
