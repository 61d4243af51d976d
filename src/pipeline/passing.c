/* SPDX-License-Identifier: Apache-2.0 */
/* passing: see passing.h. */
#include "pipeline/passing.h"

#include <ctype.h>

#define HTTP_PORT 80
#define HTTPS_PORT 443

/* --- paths ---------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | ' ') - 'a' + 10
                                        : -1;
}

/* RFC 3986 2.3: what need not be encoded is the same without. */
static bool is_unreserved(int c)
{
    return c > 0 && c < 0x80 && (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~');
}

/* Envoy's normalize_path: %-encoded unreserved characters as they are, '\' as '/'. */
static struct str decode(struct str path, struct arena *arena)
{
    char *out = arena_alloc(arena, path.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < path.len; i++) {
        int high = path.ptr[i] == '%' && i + 2 < path.len ? hex_digit(path.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(path.ptr[i + 2]) : -1;
        if (low >= 0 && is_unreserved(high * 16 + low)) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = (char)(path.ptr[i] == '\\' ? '/' : path.ptr[i]);
        }
    }
    return str_span(out, len);
}

/* RFC 3986 5.2.4, "Remove Dot Segments". */
static struct str without_dots(struct str path, struct arena *arena)
{
    char *out = arena_alloc(arena, path.len + 1);
    size_t len = 0;
    struct str rest = str_sub(path, 1, path.len);
    bool more = true;
    out[len++] = '/';
    while (more) {
        struct str segment = str_cut(&rest, '/');
        more = rest.ptr != NULL;
        bool up = str_eq(segment, STR(".."));
        if (up && len > 1) {
            len--;
            while (out[len - 1] != '/') {
                len--;
            }
        }
        for (size_t i = 0; !up && !str_eq(segment, STR(".")) && i < segment.len; i++) {
            out[len++] = segment.ptr[i];
        }
        if (more && !up && !str_eq(segment, STR("."))) {
            out[len++] = '/';
        }
    }
    return str_span(out, len);
}

struct str passing_path(struct str path, struct arena *arena)
{
    if (!str_starts_with(path, STR("/"))) {
        return path; /* "*" of OPTIONS */
    }
    struct str decoded = without_dots(decode(path, arena), arena);
    return str_eq(decoded, path) ? path : decoded;
}

/* HTTPPathModifier's table; xds/route_features.c says the same to Envoy. */
struct str passing_change(const struct ir_match *match, int change, struct str with,
                          struct str path, struct arena *arena)
{
    if (change == IR_PATH_REPLACE) {
        return with;
    }
    if (change != IR_PATH_REPLACE_PREFIX) {
        return path;
    }
    size_t matched = match->path_type == IR_PATH_ANY ? 0 : match->path.len;
    while (with.len == 0 && matched > 0 && matched + 1 < path.len && path.ptr[matched] == '/' &&
           path.ptr[matched + 1] == '/') {
        matched++; /* "//" never begins a path */
    }
    struct str rest = str_sub(path, matched, path.len);
    return with.len == 0 && rest.len == 0
               ? STR("/")
               : arena_printf(arena, "%.*s%.*s", STR_FMT(with), STR_FMT(rest));
}

/* --- headers -------------------------------------------------------------------------------- */

static void remove_header(struct request *request, struct str name)
{
    size_t kept = 0;
    for (size_t i = 0; i < request->nheaders; i++) {
        if (!str_eq_nocase(request->headers[i].name, name)) {
            request->headers[kept++] = request->headers[i];
        }
    }
    request->nheaders = kept;
}

static void add_header(struct request *request, struct str name, struct str value)
{
    if (request->nheaders < REQUEST_HEADERS_MAX) {
        request->headers[request->nheaders++] = (struct ir_header){name, value};
    }
}

static void set_header(struct request *request, struct str name, struct str value)
{
    remove_header(request, name);
    add_header(request, name, value);
}

static void change_headers(struct request *request, const struct ir_header_ops *ops)
{
    for (size_t i = 0; ops != NULL && i < ops->remove.len; i++) {
        remove_header(request, ops->remove.items[i]);
    }
    for (size_t i = 0; ops != NULL && i < ops->set.len; i++) {
        set_header(request, ops->set.items[i].name, ops->set.items[i].value);
    }
    for (size_t i = 0; ops != NULL && i < ops->add.len; i++) {
        add_header(request, ops->add.items[i].name, ops->add.items[i].value);
    }
}

/* --- hosts ---------------------------------------------------------------------------------- */

struct str passing_host_name(struct str host)
{
    bool brackets = str_starts_with(host, STR("["));
    size_t end = brackets ? str_index(host, ']') + 1 : str_index(host, ':');
    return str_sub(host, 0, end);
}

/* A header goes before the URL, as with curl. */
struct str passing_host(const struct question *question, struct arena *arena)
{
    const struct request *request = &question->request;
    for (size_t i = request->nheaders; i > 0; i--) {
        if (str_eq_nocase(request->headers[i - 1].name, STR("host"))) {
            return request->headers[i - 1].value;
        }
    }
    return question->port == (question->https ? HTTPS_PORT : HTTP_PORT)
               ? question->host
               : arena_printf(arena, "%.*s:%d", STR_FMT(question->host), (int)question->port);
}

/* --- in and out ----------------------------------------------------------------------------- */

void passing_arrive(const struct question *question, struct arena *arena,
                    struct request *ret_request)
{
    *ret_request = question->request;
    ret_request->path = passing_path(question->request.path, arena);
    set_header(ret_request, STR("x-forwarded-proto"), question->https ? STR("https") : STR("http"));
}

void passing_on(const struct ir_route *rule, const struct ir_backend *backend, struct arena *arena,
                struct request *request, struct str *host)
{
    const struct ir_rewrite *rewrite = rule->rewrite;
    change_headers(request, rule->request_headers);
    change_headers(request, backend->request_headers);
    if (backend->hostname.len > 0) {
        *host = backend->hostname;
    } else if (rewrite != NULL && rewrite->hostname.len > 0) {
        *host = rewrite->hostname;
    }
    bool own = backend->path_change != IR_PATH_KEEP;
    if (own || rewrite != NULL) {
        request->path =
            passing_change(&rule->match, own ? backend->path_change : rewrite->path_change,
                           own ? backend->path : rewrite->path, request->path, arena);
    }
    set_header(request, STR("host"), *host);
}
