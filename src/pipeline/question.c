/* SPDX-License-Identifier: Apache-2.0 */
/* question: one request, or connection, of one client. */
#include "pipeline/question.h"

#include <string.h>

#include "model/format.h"

#define PORT_MAX 65535

static const struct scheme {
    struct str prefix;
    int about;
    int32_t port; /* of a URL that names none; 0: it must */
    bool https;
    bool federated; /* an authority, which may be empty, and a '/' stand before the host */
} schemes[] = {
    {STR("http://"), ABOUT_REQUEST, 80, false, false},
    {STR("https://"), ABOUT_REQUEST, 443, true, false},
    {STR("grpc://"), ABOUT_REQUEST, 80, false, false},
    {STR("xds://"), ABOUT_REQUEST, 80, false, true},
    {STR("tcp://"), ABOUT_TCP, 0, false, false},
    {STR("tls://"), ABOUT_TLS, 443, false, false},
    {STR("udp://"), ABOUT_UDP, 0, false, false},
};

static bool read_authority(struct str authority, int32_t default_port, struct question *question,
                           struct err *err)
{
    size_t colon = str_rindex(authority, ':');
    uint64_t port = (uint64_t)default_port;
    if (colon < authority.len &&
        (!str_to_u64(str_sub(authority, colon + 1, authority.len), &port) || port == 0 ||
         port > PORT_MAX)) {
        return err_set(err, "'%.*s' has no port number after the ':'", STR_FMT(authority));
    }
    if (port == 0) {
        return err_set(err, "'%.*s' names no port", STR_FMT(authority));
    }
    question->host = str_sub(authority, 0, colon);
    question->port = (int32_t)port;
    if (question->host.len == 0) {
        return err_set(err, "'%.*s' names no host", STR_FMT(authority));
    }
    return true;
}

/* RFC 3986: printable ASCII. Envoy answers 400 to anything else. */
static bool is_url(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7f) {
            return false;
        }
    }
    return true;
}

/* The scheme, the authority of names (gRFC A47), and what stands behind them. */
static const struct scheme *cut_scheme(struct str url, struct str *ret_authority,
                                       struct str *ret_rest)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        const struct scheme *scheme = &schemes[i];
        struct str rest = str_sub(url, scheme->prefix.len, url.len);
        if (str_starts_with(url, scheme->prefix)) {
            *ret_authority = scheme->federated ? str_cut(&rest, '/') : STR_NULL;
            *ret_rest = rest;
            return rest.ptr != NULL ? scheme : NULL;
        }
    }
    return NULL;
}

static size_t authority_len(struct str rest)
{
    size_t len = str_index(rest, '/');
    size_t mark = str_index(rest, '?');
    size_t hash = str_index(rest, '#');
    len = mark < len ? mark : len;
    return hash < len ? hash : len;
}

static bool check_method(struct str method, struct err *err)
{
    if (!format_header_name.matches(method)) {
        return err_set(err, "'%.*s' is not an HTTP method", STR_FMT(method));
    }
    if (str_eq(method, STR("CONNECT"))) {
        return err_set(err, "a CONNECT has no path, and no route takes it");
    }
    return true;
}

static bool is_address(struct str host)
{
    return format_is_ipv4(host) || str_index(host, ':') < host.len;
}

static bool asks_for_a_name(const struct question *question)
{
    return question->about == ABOUT_TLS || question->https;
}

/* rest: what stands behind the authority. */
static bool read_connection(struct str method, struct str rest, struct question *question,
                            struct err *err)
{
    if (method.len > 0) {
        return err_set(err, "a connection has no method; say heddle why NODE tcp://HOST:PORT");
    }
    if (rest.len > 0 && !str_eq(rest, STR("/"))) {
        return err_set(err, "a connection has no path: '%.*s'", STR_FMT(rest));
    }
    question->request.path = STR("/");
    return true;
}

static void read_target(struct str method, struct str rest, struct arena *arena,
                        struct question *question)
{
    size_t hash = str_index(rest, '#');
    question->fragment = hash < rest.len;
    struct str query = str_sub(rest, 0, hash);
    struct str path = str_cut(&query, '?');
    question->request.method = arena_str(arena, method);
    question->request.path = path.len > 0 ? arena_str(arena, path) : STR("/");
    question->request.query = query.ptr != NULL ? arena_str(arena, query) : STR_NULL;
}

bool question_parse(struct str method, struct str url, struct arena *arena,
                    struct question *ret_question, struct err *err)
{
    struct question question;
    memset(&question, 0, sizeof(question));
    struct str rest;
    const struct scheme *scheme = cut_scheme(url, &question.authority, &rest);
    if (scheme == NULL) {
        return err_set(err,
                       "'%.*s' is not a URL; write http://HOST:PORT/PATH, https://…, grpc://…, "
                       "xds:///…, tcp://HOST:PORT, tls://HOST:PORT or udp://HOST:PORT",
                       STR_FMT(url));
    }
    question.about = scheme->about;
    if (scheme->about == ABOUT_REQUEST && !check_method(method, err)) {
        return false;
    }
    if (!is_url(url)) {
        return err_set(err,
                       "a URL holds printable ASCII only; write ' ' as %%20, and 'é' as %%C3%%A9");
    }
    size_t authority = authority_len(rest);
    if (!read_authority(str_sub(rest, 0, authority), scheme->port, &question, err)) {
        return false;
    }
    rest = str_sub(rest, authority, rest.len);
    question.https = scheme->https;
    if (asks_for_a_name(&question) && !is_address(question.host)) {
        question.server_name = question.host;
    }
    if (scheme->about == ABOUT_REQUEST) {
        read_target(method, rest, arena, &question);
    } else if (!read_connection(method, rest, &question, err)) {
        return false;
    }
    *ret_question = question;
    return true;
}

bool question_set_server_name(struct str name, struct question *question, struct err *err)
{
    if (!asks_for_a_name(question)) {
        return err_set(err, "only a connection of TLS asks for a server name; write tls://… or "
                            "https://…");
    }
    if (!is_url(name) || is_address(name)) {
        return err_set(err, "'%.*s' is not the name of a server", STR_FMT(name));
    }
    question->server_name = name;
    return true;
}

bool question_add_header(struct str header, struct request *request, struct err *err)
{
    struct str value = header;
    struct str name = str_cut(&value, ':');
    if (value.ptr == NULL || !format_header_name.matches(name)) {
        return err_set(err, "'%.*s' is not a header; write 'NAME: VALUE'", STR_FMT(header));
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return err_set(err, "the value of header '%.*s' holds a control character",
                           STR_FMT(name));
        }
    }
    if (request->nheaders == REQUEST_HEADERS_MAX) {
        return err_set(err, "more than %d headers", REQUEST_HEADERS_MAX);
    }
    request->headers[request->nheaders++] = (struct ir_header){name, str_trim(value)};
    return true;
}

bool question_fits(const struct question *question, struct err *err)
{
    const struct request *request = &question->request;
    if (question->about != ABOUT_REQUEST && request->nheaders > 0) {
        return err_set(err, "a connection has no headers");
    }
    if (question->client->role != ROLE_PROXYLESS && question->authority.len > 0) {
        return err_set(err, "only gRPC clients dial names of an authority; write xds:///HOST:PORT");
    }
    if (question->client->role != ROLE_GATEWAY && question->https) {
        return err_set(err, "the mesh sees what applications encrypt as connections; write "
                            "tls://HOST:PORT, or ask a Gateway: gateway/NAMESPACE/NAME");
    }
    if (question->client->role != ROLE_GATEWAY && question->about == ABOUT_UDP) {
        return err_set(err, "the mesh carries no UDP; ask a Gateway: gateway/NAMESPACE/NAME");
    }
    if (question->client->role == ROLE_PROXYLESS &&
        (question->about != ABOUT_REQUEST || !str_eq(request->method, STR("POST")) ||
         request->query.ptr != NULL)) {
        return err_set(err, "a proxyless client makes gRPC calls: write POST, and a path "
                            "/PACKAGE.SERVICE/METHOD without a query");
    }
    return true;
}
