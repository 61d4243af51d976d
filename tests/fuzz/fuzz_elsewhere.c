/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can what another replica answers (/replica/clients) break the status here?
 *
 * Input: heard as an answer, of one that answered properly before. Seeds: corpus/elsewhere/.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/mesh_rig.h"
#include "base/panic.h"
#include "ir/client.h"
#include "pipeline/elsewhere.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const objects =
    "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, "
    "spec: {clusterIP: 10.0.0.1, ports: [{port: 80, appProtocol: http}]}}\n---\n"
    "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, "
    "metadata: {name: r, namespace: a, generation: 1}, spec: {"
    "parentRefs: [{group: '', kind: Service, name: s}]}}";

static const char *const before = "{\"scopes\":[\"grpc\"],\"rejections\":[{\"type\":\"rds\","
                                  "\"name\":\"a/s:80\",\"scope\":\"envoy\",\"version\":\"1\","
                                  "\"node\":\"sidecar/a/x\",\"text\":\"no\",\"clients\":1}]}";

static struct mesh *the_mesh(void)
{
    static struct mesh *mesh;
    if (mesh == NULL) {
        mesh = rig_mesh();
        rig_apply(mesh, objects);
    }
    return mesh;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mesh *mesh = the_mesh();
    const struct engine *engine = mesh_engine(mesh);
    mesh_hear_other(mesh, STR("1.2.3.4:5"), str_from(before), 1);
    changeset_unref(mesh_turn(mesh));
    ASSERT(engine_count(engine, T_REJECTION) == 1);
    mesh_hear_other(mesh, STR("1.2.3.4:5"), str_span((const char *)data, size), 2);
    changeset_unref(mesh_turn(mesh));
    ASSERT(engine_count(engine, T_REJECTION) <= ELSEWHERE_REJECTIONS_MAX);
    ASSERT(engine_count(engine, T_ELSEWHERE) <= ELSEWHERE_SCOPES_MAX);
    mesh_forget_others(mesh, 3);
    changeset_unref(mesh_turn(mesh));
    ASSERT(engine_count(engine, T_REJECTION) + engine_count(engine, T_ELSEWHERE) == 0);
    ASSERT(!mesh_others_reject(mesh));
    return 0;
}
