/* SPDX-License-Identifier: Apache-2.0 */
/* fleet: see fleet.h. */
#include "app/fleet.h"

#include "app/daemon.h"
#include "base/clock.h"
#include "pipeline/spread.h"

static watch_id watch(void *user, const struct acks_name *names, size_t len, serve_acks_fn *changed,
                      void *about)
{
    return serve_acks_watch(((struct daemon *)user)->serve, names, len, changed, about);
}

static void cancel(void *user, watch_id id)
{
    serve_acks_cancel(((struct daemon *)user)->serve, id);
}

static void on_back(uv_timer_t *timer)
{
    struct fleet *fleet = timer->data;
    fleet->begun = true;
    spread_begin(fleet->spread, mesh_engine(fleet->daemon->mesh));
}

bool fleet_start(struct fleet *fleet, struct daemon *daemon, struct err *err)
{
    const struct spread_counting counting = {daemon, watch, cancel};
    (void)err;
    *fleet = (struct fleet){.daemon = daemon, .started = true};
    fleet->spread = spread_new(&counting);
    const struct propagation propagation = {fleet->spread, spread_of};
    mesh_propagation(daemon->mesh, &propagation);
    (void)uv_timer_init(&daemon->loop.uv, &fleet->back);
    fleet->back.data = fleet;
    return true;
}

void fleet_turn(struct fleet *fleet)
{
    const struct daemon *daemon = fleet->daemon;
    if (!fleet->begun && !uv_is_active((uv_handle_t *)&fleet->back)) {
        (void)uv_timer_start(&fleet->back, on_back, daemon->options->number[O_clients_return_ms],
                             0);
    }
    spread_turn(fleet->spread, mesh_engine(daemon->mesh), clock_wall_ms());
}

void fleet_stop(struct fleet *fleet)
{
    if (fleet->started) {
        uv_close((uv_handle_t *)&fleet->back, NULL);
        spread_free(fleet->spread);
        fleet->started = false;
    }
}
