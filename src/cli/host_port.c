/* SPDX-License-Identifier: Apache-2.0 */
/* host_port: see host_port.h. */
#include "cli/host_port.h"

#include <string.h>

#include "model/format.h"
#include "net/addr.h"

/* No top-level domain is a number: "10.0.0.300" is a mistyped address (RFC 1123, 2.1). */
static bool is_name(struct str host)
{
    uint64_t number;
    struct str last = str_sub(host, str_rindex(host, '.') + 1, host.len);
    return host.len > 0 && host.len <= HOST_MAX && format_external_name.matches(host) &&
           !str_to_u64(last.len > 0 ? last : host, &number);
}

bool host_port_parse(struct str text, struct host_port *ret_host_port, struct err *err)
{
    struct host_port result = {.is_name = false};
    struct sockaddr_storage addr;
    size_t colon = str_rindex(text, ':');
    struct str host = str_sub(text, 0, colon);
    uint64_t port;
    if (is_name(host) && !str_eq(host, STR("localhost")) && colon < text.len &&
        str_to_u64(str_sub(text, colon + 1, text.len), &port) && port <= UINT16_MAX) {
        memcpy(result.host, host.ptr, host.len);
        result.port = (uint16_t)port;
        result.is_name = true;
    } else if (addr_parse(text, &addr, err)) {
        char literal[ADDR_TEXT_MAX];
        addr_host_text(&addr, literal);
        memcpy(result.host, literal, sizeof(literal));
        result.port = addr_port(&addr);
    } else {
        return false;
    }
    *ret_host_port = result;
    return true;
}
