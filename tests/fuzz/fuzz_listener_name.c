/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does any name of a Listener break the reading of it? And is what a server is told its address
 * always text that clients take: an IP, ASCII?
 *
 * Input: a name. Seeds: tests/fuzz/corpus/listener_name/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "ir/client.h"
#include "model/format.h"
#include "resolve/listener_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct listener_name *name)
{
    struct str ip = str_sub(name->address, 0, str_index(name->address, '%'));
    ASSERT(format_is_ipv4(ip) || format_is_ipv6(ip));
    ASSERT(name->port >= 0 && name->port <= 65535);
    for (size_t i = 0; i < name->address.len; i++) {
        ASSERT(name->address.ptr[i] > ' ' && name->address.ptr[i] < 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct str authorities[] = {STR("a"), STR("b:1")};
    const struct settings_row settings = {
        .cluster_domain = STR("cluster.local"),
        .trust_domain = STR("t"),
        .authorities = {authorities, 2},
    };
    struct arena arena;
    arena_init(&arena);
    struct listener_name name =
        listener_name_read(&arena, str_span((const char *)data, size), &settings);
    if (name.use == LISTENER_SERVED) {
        check_address(&name);
    } else if (name.use == LISTENER_DIALLED) {
        ASSERT(name.host_port.len <= size);
    } else {
        ASSERT(name.reason.len > 0);
    }
    arena_release(&arena);
    return 0;
}
