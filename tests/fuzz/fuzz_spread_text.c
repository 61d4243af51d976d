/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can what another replica asks or answers (/replica/propagated) break the count of clients?
 *
 * Input: taken as a question, then as an answer. Seeds: tests/fuzz/corpus/spread_text/.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/mesh_rig.h"
#include "base/panic.h"
#include "pipeline/spread_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static watch_id watch(void *user, const struct acks_name *names, size_t len, serve_acks_fn *changed,
                      void *about)
{
    (void)user;
    (void)names;
    (void)len;
    (void)changed;
    (void)about;
    return 1;
}

static void cancel(void *user, watch_id id)
{
    (void)user;
    (void)id;
}

static const char *const objects =
    "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, "
    "spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}}\n---\n"
    "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, "
    "metadata: {name: r, namespace: a, generation: 1}, spec: {"
    "parentRefs: [{group: '', kind: Service, name: s}]}}";

/* One route, which is never acknowledged here. */
static struct mesh *the_mesh(void)
{
    static struct mesh *mesh;
    if (mesh == NULL) {
        mesh = rig_mesh();
        rig_apply(mesh, objects);
        changeset_unref(mesh_turn(mesh));
    }
    return mesh;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct spread_counting counting = {NULL, watch, cancel};
    const struct engine *engine = mesh_engine(the_mesh());
    struct spread *spread = spread_new(&counting);
    struct str text = str_span((const char *)data, size);
    struct spread_round round;
    struct propagated propagated;
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    spread_set_others(spread, true);
    spread_turn(spread, engine, 1);
    spread_know(spread, engine, true);
    spread_answer(spread, text, &out);
    spread_round_begin(&round, spread, 1, &out);
    ASSERT(round.asked.len == 1);
    spread_round_hear(&round, text);
    spread_round_end(&round, spread, 1);
    ASSERT(spread_of(spread, KIND_HTTPROUTE, STR("a"), STR("r"), 1, &propagated));
    ASSERT(!propagated.settled && spread_pending(spread) == 1); /* whatever the others say */
    buf_release(&out);
    spread_free(spread);
    return 0;
}
