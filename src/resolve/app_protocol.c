/* SPDX-License-Identifier: Apache-2.0 */
/* app_protocol: see app_protocol.h. */
#include "resolve/app_protocol.h"

static const struct protocol {
    struct str name;
    enum ir_protocol protocol;
    bool http, grpc; /* whether HTTPRoutes, GRPCRoutes can govern it and send to it */
    bool encrypted;  /* it is TLS */
} protocols[] = {
    {STR("http"), IR_HTTP, true, true},
    {STR("kubernetes.io/ws"), IR_HTTP, true, false}, /* HTTP/1.1, upgraded */
    {STR("kubernetes.io/h2c"), IR_HTTP2, true, true},
    {STR("h2c"), IR_HTTP2, true, true},
    {STR("http2"), IR_HTTP2, true, true},
    {STR("grpc"), IR_HTTP2, true, true},
    {STR("https"), IR_TCP, false, false, true}, /* the application's own: passes through */
    {STR("tls"), IR_TCP, false, false, true},
    {STR("kubernetes.io/wss"), IR_TCP, false, false, true},
    {STR("tcp"), IR_TCP, true, true},
};

static const struct protocol *find(struct str name)
{
    static const struct protocol unknown = {.protocol = IR_TCP, .http = true, .grpc = true};
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (str_eq_nocase(name, protocols[i].name)) {
            return &protocols[i];
        }
    }
    return &unknown;
}

enum ir_protocol app_protocol_read(struct str name)
{
    return find(name)->protocol;
}

bool app_protocol_carries(struct str name, enum kind_id route)
{
    const struct protocol *protocol = find(name);
    return route == KIND_HTTPROUTE ? protocol->http : route != KIND_GRPCROUTE || protocol->grpc;
}

bool app_protocol_is_encrypted(struct str name)
{
    return find(name)->encrypted;
}
