/* SPDX-License-Identifier: Apache-2.0 */
/* question: one request of one client. */
#include "pipeline/question.h"

#include <string.h>

#define PORT_MAX 65535
#define HTTP_PORT 80 /* of a URL that names none */

static bool read_authority(struct str authority, struct question *question, struct err *err)
{
    size_t colon = str_rindex(authority, ':');
    uint64_t port = HTTP_PORT;
    if (colon < authority.len &&
        (!str_to_u64(str_sub(authority, colon + 1, authority.len), &port) || port == 0 ||
         port > PORT_MAX)) {
        return err_set(err, "'%.*s' has no port number after the ':'", STR_FMT(authority));
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

/* RFC 9110, 5.6.2 */
static bool is_token(struct str text)
{
    static const struct str others = STR("!#$%&'*+-.^_`|~");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && str_index(others, c) == others.len) {
            return false;
        }
    }
    return text.len > 0;
}

/* What stands after "scheme://" (xds: ":///"); false when url is of no scheme that is known. */
static bool cut_scheme(struct str url, struct str *ret_rest)
{
    static const struct str schemes[] = {STR("http://"), STR("grpc://"), STR("xds:///")};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (str_starts_with(url, schemes[i])) {
            *ret_rest = str_sub(url, schemes[i].len, url.len);
            return true;
        }
    }
    return false;
}

static size_t authority_len(struct str rest)
{
    size_t len = str_index(rest, '/');
    size_t mark = str_index(rest, '?');
    size_t hash = str_index(rest, '#');
    len = mark < len ? mark : len;
    return hash < len ? hash : len;
}

bool question_parse(struct str method, struct str url, struct arena *arena,
                    struct question *ret_question, struct err *err)
{
    struct question question;
    memset(&question, 0, sizeof(question));
    struct str rest;
    if (!cut_scheme(url, &rest)) {
        return err_set(err,
                       "'%.*s' is not a URL; write http://HOST:PORT/PATH, grpc://… or xds:///…",
                       STR_FMT(url));
    }
    if (!is_token(method)) {
        return err_set(err, "'%.*s' is not an HTTP method", STR_FMT(method));
    }
    if (str_eq(method, STR("CONNECT"))) {
        return err_set(err, "a CONNECT has no path, and no route takes it");
    }
    if (!is_url(url)) {
        return err_set(err,
                       "a URL holds printable ASCII only; write ' ' as %%20, and 'é' as %%C3%%A9");
    }
    size_t authority = authority_len(rest);
    if (!read_authority(str_sub(rest, 0, authority), &question, err)) {
        return false;
    }
    rest = str_sub(rest, authority, rest.len);
    size_t hash = str_index(rest, '#');
    question.fragment = hash < rest.len;
    struct str query = str_sub(rest, 0, hash);
    struct str path = str_cut(&query, '?');
    question.request.method = arena_str(arena, method);
    question.request.path = path.len > 0 ? arena_str(arena, path) : STR("/");
    question.request.query = query.ptr != NULL ? arena_str(arena, query) : STR_NULL;
    *ret_question = question;
    return true;
}

bool question_add_header(struct str header, struct request *request, struct err *err)
{
    struct str value = header;
    struct str name = str_cut(&value, ':');
    if (value.ptr == NULL || !is_token(name)) {
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
    if (question->client->role == ROLE_PROXYLESS &&
        (!str_eq(request->method, STR("POST")) || request->query.ptr != NULL)) {
        return err_set(err, "a proxyless client makes gRPC calls: write POST, and a path "
                            "/PACKAGE.SERVICE/METHOD without a query");
    }
    return true;
}
