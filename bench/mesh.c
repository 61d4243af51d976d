/* SPDX-License-Identifier: Apache-2.0 */
/* mesh: what does the measured configuration look like? */
#include "mesh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define FILE_BYTES_MAX (1u << 20)
#define WEIGHT 90
#define SUM_OF_WEIGHTS 100

/* --- objects --------------------------------------------------------------------------------- */

static void put_service(struct buf *out, unsigned index)
{
    unsigned address = index + 1; /* 10.96.0.1 onwards */

    buf_printf(out,
               "apiVersion: v1\n"
               "kind: Service\n"
               "metadata:\n"
               "  name: svc-%04u\n"
               "  namespace: default\n"
               "spec:\n"
               "  clusterIP: 10.%u.%u.%u\n"
               "  selector:\n"
               "    app: svc-%04u\n"
               "  ports:\n"
               "  - name: http\n"
               "    protocol: TCP\n"
               "    appProtocol: http\n"
               "    port: %u\n"
               "    targetPort: %u\n",
               index, 96 + (address >> 16), address >> 8 & 255, address & 255, index, MESH_PORT,
               MESH_PORT);
}

/* Addresses of equal length, so that responses are, too. */
static void put_endpoint(struct buf *out, unsigned net, unsigned n)
{
    buf_printf(out,
               "- addresses: [%u.%u.%u.%u]\n"
               "  conditions: {ready: true}\n",
               net, 100 + n / 10000 % 100, 100 + n / 100 % 100, 100 + n % 100);
}

static void put_slice(struct buf *out, const struct mesh *mesh, unsigned index, unsigned variant)
{
    buf_printf(out,
               "apiVersion: discovery.k8s.io/v1\n"
               "kind: EndpointSlice\n"
               "metadata:\n"
               "  name: svc-%04u-1\n"
               "  namespace: default\n"
               "  labels:\n"
               "    kubernetes.io/service-name: svc-%04u\n"
               "addressType: IPv4\n"
               "ports:\n"
               "- name: http\n"
               "  protocol: TCP\n"
               "  port: %u\n"
               "endpoints:\n",
               index, index, MESH_PORT);
    for (unsigned i = 0; i < mesh->endpoints; i++) {
        bool changed = variant > 0 && i + 1 == mesh->endpoints;
        put_endpoint(out, changed ? 198 : 100, changed ? variant : index * mesh->endpoints + i);
    }
}

static unsigned backend(const struct mesh *mesh, unsigned index, unsigned which)
{
    return (index + 1 + which) % mesh->services;
}

static void put_route(struct buf *out, const struct mesh *mesh, unsigned index, unsigned weight)
{
    buf_printf(out,
               "apiVersion: gateway.networking.k8s.io/v1\n"
               "kind: HTTPRoute\n"
               "metadata:\n"
               "  name: route-%04u\n"
               "  namespace: default\n"
               "spec:\n"
               "  parentRefs:\n"
               "  - group: \"\"\n"
               "    kind: Service\n"
               "    name: svc-%04u\n"
               "    port: %u\n"
               "  rules:\n"
               "  - backendRefs:\n"
               "    - {name: svc-%04u, port: %u, weight: %u}\n"
               "    - {name: svc-%04u, port: %u, weight: %u}\n",
               index, index, MESH_PORT, backend(mesh, index, 0), MESH_PORT, weight,
               backend(mesh, index, 1), MESH_PORT, SUM_OF_WEIGHTS - weight);
}

/* --- files ----------------------------------------------------------------------------------- */

static bool write_file(const char *path, const struct buf *content, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0) {
        return err_set_errno(err, errno, "cannot create '%s'", path);
    }
    bool ok = write(fd, content->data, content->len) == (ssize_t)content->len;
    ok = close(fd) == 0 && ok;
    return ok || err_set_errno(err, errno, "cannot write '%s'", path);
}

/* Has the applier take the object of a file. */
static bool apply_file(const struct mesh *mesh, const char *path, uint64_t *ret_at_ns,
                       struct err *err)
{
    char line[64];
    size_t len = 0;
    bool ok = dprintf(mesh->applier, "%s\n", path) > 0;

    while (ok && (len == 0 || line[len - 1] != '\n')) {
        ok = len < sizeof(line) && read(mesh->applier, line + len, 1) == 1;
        len += ok;
    }
    ok = ok && str_to_u64((struct str){line, len - 1}, ret_at_ns);
    return ok || err_set(err, "the applier does not answer for '%s'", path);
}

/* Writes the file NAME-INDEX.yaml in place, or, when ret_at_ns is given, makes it known as a
 * change. */
static bool put_file(const struct mesh *mesh, const char *name, unsigned index,
                     const struct buf *content, uint64_t *ret_at_ns, struct err *err)
{
    char path[4096], staged[4096];

    snprintf(path, sizeof(path), "%s/%s-%04u.yaml", mesh->dir, name, index);
    if (ret_at_ns == NULL || mesh->applier >= 0) {
        return write_file(path, content, err) &&
               (ret_at_ns == NULL || apply_file(mesh, path, ret_at_ns, err));
    }
    snprintf(staged, sizeof(staged), "%s.new", mesh->dir);
    if (!write_file(staged, content, err)) {
        return false;
    }
    uint64_t at_ns = clock_mono_ns();
    if (rename(staged, path) != 0) {
        return err_set_errno(err, errno, "cannot rename '%s' to '%s'", staged, path);
    }
    *ret_at_ns = at_ns;
    return true;
}

bool mesh_write(const struct mesh *mesh, struct err *err)
{
    struct buf content;
    bool ok = true;

    buf_init(&content, FILE_BYTES_MAX);
    for (unsigned i = 0; ok && i < mesh->services; i++) {
        buf_clear(&content);
        put_service(&content, i);
        ok = put_file(mesh, "service", i, &content, NULL, err);
        buf_clear(&content);
        put_slice(&content, mesh, i, 0);
        ok = ok && put_file(mesh, "endpointslice", i, &content, NULL, err);
        if (i < mesh->routes) {
            buf_clear(&content);
            put_route(&content, mesh, i, WEIGHT);
            ok = ok && put_file(mesh, "route", i, &content, NULL, err);
        }
    }
    buf_release(&content);
    return ok;
}

bool mesh_change_route(const struct mesh *mesh, unsigned index, unsigned weight,
                       uint64_t *ret_at_ns, struct err *err)
{
    struct buf content;

    buf_init(&content, FILE_BYTES_MAX);
    put_route(&content, mesh, index, weight);
    bool ok = put_file(mesh, "route", index, &content, ret_at_ns, err);
    buf_release(&content);
    return ok;
}

bool mesh_change_endpoint(const struct mesh *mesh, unsigned index, unsigned variant,
                          uint64_t *ret_at_ns, struct err *err)
{
    struct buf content;

    buf_init(&content, FILE_BYTES_MAX);
    put_slice(&content, mesh, index, variant);
    bool ok = put_file(mesh, "endpointslice", index, &content, ret_at_ns, err);
    buf_release(&content);
    return ok;
}

/* --- who sees what --------------------------------------------------------------------------- */

char *mesh_target(unsigned index)
{
    struct buf name;

    buf_init(&name, FILE_BYTES_MAX);
    buf_printf(&name, "svc-%04u.default.svc.cluster.local:%u", index, MESH_PORT);
    return buf_steal(&name, &(size_t){0});
}

bool mesh_target_has_route(const struct mesh *mesh, unsigned target, unsigned index)
{
    return target == index && index < mesh->routes;
}

bool mesh_target_has_endpoints(const struct mesh *mesh, unsigned target, unsigned index)
{
    if (target >= mesh->routes) {
        return target == index;
    }
    return backend(mesh, target, 0) == index || backend(mesh, target, 1) == index;
}
