/* SPDX-License-Identifier: Apache-2.0 */
/* acks_timer: see acks_timer.h. */
#include "serve/acks_timer.h"

#include "base/clock.h"
#include "base/metric.h"

static void start(struct acks_timer *timer, uint64_t delay_ms);

static void on_due(uv_timer_t *handle)
{
    struct acks_timer *timer = handle->data;
    if (!acks_is_counting(&timer->watches)) {
        timer->stirred = false;
        timer->from = loop_now_ms(timer->loop) + ACKS_PAUSE_MS;
    }
    uint64_t started = clock_mono_ns();
    struct letter *letter = acks_count(&timer->watches);
    uint64_t took_ns = clock_mono_ns() - started;
    metric_add(M_ack_counts, 1);
    metric_add(M_ack_count_ns, (int64_t)took_ns);
    if (letter != NULL) {
        timer->tell(timer->user, letter);
    }
    if (acks_is_counting(&timer->watches)) {
        start(timer, 1 + ACKS_REST * took_ns / 1000000);
    } else if (timer->stirred) {
        acks_timer_stir(timer);
    }
}

static void start(struct acks_timer *timer, uint64_t delay_ms)
{
    (void)uv_timer_start(&timer->due, on_due, delay_ms, 0);
}

void acks_timer_init(struct acks_timer *timer, struct loop *loop, struct stream_env *env,
                     void (*tell)(void *user, struct letter *letter), void *user)
{
    *timer = (struct acks_timer){.loop = loop, .tell = tell, .user = user};
    acks_init(&timer->watches, env);
    (void)uv_timer_init(&loop->uv, &timer->due);
    timer->due.data = timer;
}

void acks_timer_stir(struct acks_timer *timer)
{
    timer->stirred = true;
    if (timer->watches.items.len > 0 && !uv_is_active((uv_handle_t *)&timer->due)) {
        uint64_t now = loop_now_ms(timer->loop);
        start(timer, timer->from > now ? timer->from - now : 0);
    }
}

void acks_timer_close(struct acks_timer *timer)
{
    uv_close((uv_handle_t *)&timer->due, NULL);
}
