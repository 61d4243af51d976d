/* SPDX-License-Identifier: Apache-2.0 */
/* listener_name: taking names of Listeners apart. They come from outside: any bytes. */
#include "resolve/listener_name.h"

#include "ir/client.h"
#include "model/format.h"

#define SCHEME "xdstp:"
#define LISTENER_TYPE "envoy.config.listener.v3.Listener"
#define SERVER_PATH "grpc/server"
#define ADDRESS_PARAMETER "xds.resource.listening_address="
#define PORT_MAX 65535

/* Of letters, digits and `others`; not empty. */
static bool is_made_of(struct str text, struct str others)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && str_index(others, c) == others.len) {
            return false;
        }
    }
    return text.len > 0;
}

/* --- percent-encoding ------------------------------------------------------------------------ */

/* RFC 3986, 2.1. What would not be a visible ASCII character stays as it is: nothing that heddle
 * serves has such a name, and it would not be text for the clients that are told of it. */
static struct str decode(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' && i + 2 < text.len) {
            int high = str_hex_digit(text.ptr[i + 1]);
            int low = str_hex_digit(text.ptr[i + 2]);
            int byte = high * 16 + low;
            if (high >= 0 && low >= 0 && byte > ' ' && byte < 0x7f) {
                c = (char)byte;
                i += 2;
            }
        }
        out[len++] = c;
    }
    return str_span(out, len);
}

/* --- authorities ----------------------------------------------------------------------------- */

bool authority_is_valid(struct str authority)
{
    return authority.len <= AUTHORITY_MAX && is_made_of(authority, STR("-._~:"));
}

bool authority_is_ours(const struct settings_row *settings, struct str authority)
{
    bool ours = authority.len == 0 || str_eq(authority, settings->cluster_domain) ||
                str_eq(authority, settings->trust_domain);
    for (size_t i = 0; i < settings->authorities.len; i++) {
        ours = ours || str_eq(authority, settings->authorities.items[i]);
    }
    return ours;
}

struct str authority_why_not(struct arena *arena, const struct settings_row *settings,
                             struct str authority)
{
    return arena_printf(arena,
                        "heddle does not answer for authority '%.*s', but for '%.*s'; "
                        "heddle serve --authority adds others",
                        STR_FMT(authority), STR_FMT(settings->cluster_domain));
}

/* --- addresses ------------------------------------------------------------------------------- */

/* RFC 4007, 11.2: "fe80::1%eth0". */
static bool is_zone(struct str text)
{
    return is_made_of(text, STR(".-_"));
}

static bool is_ipv6(struct str text)
{
    size_t zone = str_index(text, '%');
    return format_is_ipv6(str_sub(text, 0, zone)) &&
           (zone == text.len || is_zone(str_sub(text, zone + 1, text.len)));
}

/* "IPv4:PORT" or "[IPv6]:PORT". */
static bool read_address(struct str text, struct listener_name *name)
{
    size_t colon = str_rindex(text, ':');
    struct str host = str_sub(text, 0, colon);
    uint64_t port;
    if (colon == text.len || !str_to_u64(str_sub(text, colon + 1, text.len), &port) ||
        port > PORT_MAX) {
        return false;
    }
    bool brackets = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (brackets) {
        host = str_sub(host, 1, host.len - 2);
    }
    if (brackets ? !is_ipv6(host) : !format_is_ipv4(host)) {
        return false;
    }
    *name = (struct listener_name){.use = LISTENER_SERVED, .address = host, .port = (int32_t)port};
    return true;
}

static struct listener_name neither(struct str reason)
{
    return (struct listener_name){.use = LISTENER_NEITHER, .reason = reason};
}

/* A server replaces '%s' without a look at its characters (gRFC A36), but a template may have
 * been written for those that escape. */
static struct listener_name read_server(struct arena *arena, struct str text)
{
    struct listener_name name;
    if (read_address(text, &name) || read_address(decode(arena, text), &name)) {
        return name;
    }
    return neither(arena_printf(arena,
                                "'%.*s' is not IP:PORT, where a server can listen; the bootstrap's "
                                "server_listener_resource_name_template is to be "
                                "'" SERVER_PATH "?" ADDRESS_PARAMETER "%%s'",
                                STR_FMT(text)));
}

/* --- names ----------------------------------------------------------------------------------- */

/* The value of the parameter among "a=b&c=d"; empty when it is not there. */
static struct str find_address(struct str query)
{
    while (query.len > 0) {
        struct str pair = str_cut(&query, '&');
        if (str_starts_with(pair, STR(ADDRESS_PARAMETER))) {
            return str_sub(pair, sizeof(ADDRESS_PARAMETER) - 1, pair.len);
        }
    }
    return STR_NULL;
}

/* A name or the id of one. */
static struct listener_name read_id(struct arena *arena, struct str id, struct str query)
{
    if (str_eq(id, STR(SERVER_PATH))) {
        return read_server(arena, find_address(query));
    }
    return (struct listener_name){.use = LISTENER_DIALLED, .host_port = id};
}

/* xRFC TP1: xdstp://[AUTHORITY]/TYPE/ID[?CONTEXT-PARAMETERS][#DIRECTIVES] */
static struct listener_name read_federated(struct arena *arena, struct str name,
                                           const struct settings_row *settings)
{
    struct str rest = str_sub(name, sizeof(SCHEME) - 1, name.len);
    bool slashes = str_starts_with(rest, STR("//"));
    rest = str_sub(rest, 2, rest.len);
    struct str query = str_cut(&rest, '#');
    struct str path = str_cut(&query, '?');
    struct str authority = decode(arena, str_cut(&path, '/'));
    struct str type = str_cut(&path, '/');
    if (!slashes || path.len == 0 || !str_eq(type, STR(LISTENER_TYPE))) {
        return neither(arena_printf(arena,
                                    "'%.*s' is not the name of a Listener; that begins with "
                                    "'xdstp://AUTHORITY/" LISTENER_TYPE "/'",
                                    STR_FMT(name)));
    }
    if (!authority_is_ours(settings, authority)) {
        return neither(authority_why_not(arena, settings, authority));
    }
    if (str_starts_with(path, STR(SERVER_PATH "/"))) {
        return read_server(arena, str_sub(path, sizeof(SERVER_PATH), path.len));
    }
    return read_id(arena, decode(arena, path), query);
}

struct listener_name listener_name_read(struct arena *arena, struct str name,
                                        const struct settings_row *settings)
{
    if (str_starts_with(name, STR(SCHEME))) {
        return read_federated(arena, name, settings);
    }
    struct str query = name;
    struct str path = str_cut(&query, '?');
    return str_eq(path, STR(SERVER_PATH)) ? read_id(arena, path, query)
                                          : read_id(arena, name, STR_NULL);
}
