/* SPDX-License-Identifier: Apache-2.0 */
/* httpc_call: from a struct httpc_spec to libcurl's options, and the bytes of the answer. */
#include "net/httpc_call.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/panic.h"

/* A host that is gone without a word shows within DEAD_MS: also when requests wait to be taken by
 * it, which else would all go to that connection for as long as the kernel tries (15 minutes). */
#define DEAD_MS 20000
#define KEEPALIVE_IDLE_S 10L
#define KEEPALIVE_S 5L
#define FAILURE_MAX                                                                                \
    (1u << 20) /* of the body of an answer that is no 2xx, where data() takes those */

struct httpc_trust {
    atomic_uint refs;
    char *ca, *cert, *key, *server_name, *proxy; /* NULL: empty */
    bool insecure;
};

static char *copy_of(struct str text)
{
    return text.len != 0 ? str_dup(text) : NULL;
}

struct httpc_trust *httpc_trust_new(const struct httpc_tls *tls)
{
    struct httpc_trust *trust = xcalloc(1, sizeof(*trust));
    atomic_init(&trust->refs, 1);
    trust->ca = copy_of(tls->ca);
    trust->cert = copy_of(tls->cert);
    trust->key = copy_of(tls->key);
    trust->server_name = copy_of(tls->server_name);
    trust->proxy = copy_of(tls->proxy);
    trust->insecure = tls->insecure;
    return trust;
}

struct httpc_trust *httpc_trust_ref(struct httpc_trust *trust)
{
    if (trust != NULL) {
        atomic_fetch_add_explicit(&trust->refs, 1, memory_order_relaxed);
    }
    return trust;
}

void httpc_trust_unref(struct httpc_trust *trust)
{
    if (trust == NULL || atomic_fetch_sub_explicit(&trust->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    free(trust->ca);
    free(trust->cert);
    if (trust->key != NULL) {
        explicit_bzero(trust->key, strlen(trust->key));
    }
    free(trust->key);
    free(trust->server_name);
    free(trust->proxy);
    free(trust);
}

/* --- the answer --- */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct httpc_call *call = user;
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    bool hand_out = call->data != NULL && status >= 200 && status < 300;
    if (hand_out && list_empty(&call->fresh)) {
        call->answer.max = BUF_UNLIMITED; /* as much as libcurl reads at a time */
        list_append(&call->httpc->fresh, &call->fresh);
    }
    buf_add(&call->answer, data, size * count);
    return buf_ok(&call->answer) ? size * count : 0;
}

/* --- the request --- */

#define SET(call, option, value) ASSERT(curl_easy_setopt((call)->easy, option, value) == CURLE_OK)

/* What would begin another header, or end them. */
static bool has_control(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

static void add_header(struct httpc_call *call, const char *name, struct str value)
{
    call->unspeakable = call->unspeakable || has_control(value);
    struct buf line;
    buf_init(&line, BUF_UNLIMITED);
    buf_printf(&line, "%s: %.*s", name, STR_FMT(value));
    buf_add_byte(&line, '\0');
    call->headers = curl_slist_append(call->headers, (const char *)line.data);
    explicit_bzero(line.data, line.len);
    buf_release(&line);
}

static void set_blob(struct httpc_call *call, CURLoption option, char *text)
{
    if (text != NULL) {
        /* The call holds the trust, which holds the text. */
        struct curl_blob blob = {text, strlen(text), CURL_BLOB_NOCOPY};
        SET(call, option, &blob);
    }
}

/* The certificate must be for another name than the URL's: libcurl is given a URL with that name,
 * told where to go nonetheless, and what to say in Host. */
static void set_server_name(struct httpc_call *call, CURLU *url, const char *name)
{
    char *host = NULL, *port = NULL;
    struct buf to;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        curl_free(host);
        return; /* libcurl will say what is wrong with the URL */
    }
    buf_init(&to, BUF_UNLIMITED);
    buf_printf(&to, "::%s:%s", host, port);
    buf_add_byte(&to, '\0');
    call->connect_to = curl_slist_append(NULL, (const char *)to.data);
    SET(call, CURLOPT_CONNECT_TO, call->connect_to);
    buf_clear(&to);
    buf_printf(&to, "%s:%s", host, port);
    add_header(call, "Host", buf_str(&to));
    curl_url_set(url, CURLUPART_HOST, name, 0);
    buf_release(&to);
    curl_free(host);
    curl_free(port);
}

static void set_url(struct httpc_call *call, struct str text)
{
    char *copy = str_dup(text), *whole = NULL;
    const char *name = call->trust != NULL ? call->trust->server_name : NULL;
    CURLU *url = curl_url();
    ASSERT(url != NULL);
    if (name != NULL && curl_url_set(url, CURLUPART_URL, copy, 0) == CURLUE_OK) {
        set_server_name(call, url, name);
        curl_url_get(url, CURLUPART_URL, &whole, 0);
    }
    SET(call, CURLOPT_URL, whole != NULL ? whole : copy);
    curl_free(whole);
    curl_url_cleanup(url);
    free(copy);
}

static void set_trust(struct httpc_call *call)
{
    const struct httpc_trust *trust = call->trust;
    if (trust == NULL) {
        return;
    }
    if (trust->ca != NULL) {
        set_blob(call, CURLOPT_CAINFO_BLOB, trust->ca);
        SET(call, CURLOPT_CAPATH, (char *)NULL); /* or the system's would be trusted as well */
    }
    set_blob(call, CURLOPT_SSLCERT_BLOB, trust->cert);
    set_blob(call, CURLOPT_SSLKEY_BLOB, trust->key);
    if (trust->proxy != NULL) {
        SET(call, CURLOPT_PROXY, trust->proxy);
    }
    if (trust->insecure) {
        SET(call, CURLOPT_SSL_VERIFYPEER, 0L);
        SET(call, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void set_credential(struct httpc_call *call, const struct httpc_spec *spec)
{
    if (spec->bearer.len != 0) {
        struct buf value;
        buf_init(&value, BUF_UNLIMITED);
        buf_printf(&value, "Bearer %.*s", STR_FMT(spec->bearer));
        add_header(call, "Authorization", buf_str(&value));
        explicit_bzero(value.data, value.len);
        buf_release(&value);
    }
    if (spec->basic.len != 0) {
        struct str password = spec->basic;
        char *user = str_dup(str_cut(&password, ':')), *secret = str_dup(password);
        SET(call, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(call, CURLOPT_USERNAME, user);
        SET(call, CURLOPT_PASSWORD, secret);
        explicit_bzero(secret, password.len);
        free(secret);
        free(user);
    }
}

static void set_body(struct httpc_call *call, const struct httpc_spec *spec)
{
    bool get = strcmp(spec->method, "GET") == 0;
    if (!get && (spec->body.len != 0 || strcmp(spec->method, "DELETE") != 0)) {
        SET(call, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body.len);
        SET(call, CURLOPT_COPYPOSTFIELDS, spec->body.len != 0 ? spec->body.ptr : "");
        add_header(call, "Content-Type", spec->content_type);
        call->headers = curl_slist_append(call->headers, "Expect:"); /* no waiting for a 100 */
    }
    if (!get) {
        SET(call, CURLOPT_CUSTOMREQUEST, spec->method);
    }
}

static int on_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    const unsigned dead_ms = DEAD_MS;
    (void)user;
    (void)purpose;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms)); /* not vital */
    return CURL_SOCKOPT_OK;
}

static void set_common(struct httpc_call *call, const struct httpc_spec *spec)
{
    SET(call, CURLOPT_PRIVATE, call);
    SET(call, CURLOPT_ERRORBUFFER, call->why);
    SET(call, CURLOPT_WRITEFUNCTION, on_body);
    SET(call, CURLOPT_WRITEDATA, call);
    SET(call, CURLOPT_NOSIGNAL, 1L);
    SET(call, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(call, CURLOPT_USERAGENT, "heddle/" HEDDLE_VERSION);
    SET(call, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    SET(call, CURLOPT_PIPEWAIT, 1L); /* rather one connection with many streams */
    SET(call, CURLOPT_SOCKOPTFUNCTION, on_socket);
    SET(call, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(call, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    SET(call, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
    SET(call, CURLOPT_CONNECTTIMEOUT_MS,
        spec->connect_ms != 0 ? (long)spec->connect_ms : HTTPC_CONNECT_MS);
    SET(call, CURLOPT_TIMEOUT_MS, (long)spec->timeout_ms);
    /* Or the end of a call would wait for a name server that does not answer, and the loop with it.
     */
    SET(call, CURLOPT_QUICK_EXIT, 1L);
}

struct httpc_call *httpc_call_new(struct httpc *httpc, const struct httpc_spec *spec)
{
    struct httpc_call *call = xcalloc(1, sizeof(*call));
    list_init(&call->link);
    list_init(&call->fresh);
    call->httpc = httpc;
    call->easy = curl_easy_init();
    ASSERT(call->easy != NULL);
    call->trust = httpc_trust_ref(spec->trust);
    call->idle_ms = spec->idle_ms;
    call->user = spec->user;
    call->data = spec->data;
    call->done = spec->done;
    buf_init(&call->answer, spec->data != NULL ? FAILURE_MAX : spec->body_max);
    set_common(call, spec);
    set_url(call, spec->url);
    set_trust(call);
    set_credential(call, spec);
    set_body(call, spec);
    if (spec->accept.len != 0) {
        add_header(call, "Accept", spec->accept);
    }
    SET(call, CURLOPT_HTTPHEADER, call->headers);
    return call;
}
