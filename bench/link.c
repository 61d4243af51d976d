/* SPDX-License-Identifier: Apache-2.0 */
/* link: how does one gRPC call run over one connection? */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/panic.h"

#define GRPC_PREFIX 5
#define WINDOW INT32_MAX /* so that only the sockets' buffers hold the server back */

/* --- from messages to fields ----------------------------------------------------------------- */

static bool end_message(struct link *link)
{
    link->in_message = false;
    return link->events.message_end(link->user, &link->failure);
}

/* Bytes of the unit (a message's prefix, or a field) at the front; as wire_field_size(). */
static size_t unit_size(const struct link *link, struct str bytes)
{
    if (!link->in_message) {
        return GRPC_PREFIX;
    }
    size_t size = wire_field_size(bytes);
    if (size == 0) {
        return bytes.len < link->message_left ? 0 : SIZE_MAX;
    }
    return size <= link->message_left ? size : SIZE_MAX;
}

static bool take_unit(struct link *link, struct str unit)
{
    if (!link->in_message) {
        const uint8_t *p = (const uint8_t *)unit.ptr;
        link->message_left =
            (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | (uint32_t)p[4];
        if (p[0] != 0 || link->message_left > LINK_MESSAGE_MAX) {
            return err_set(&link->failure, "a gRPC message is compressed or longer than %u bytes",
                           LINK_MESSAGE_MAX);
        }
        link->in_message = true;
        link->message_size = link->message_left;
        return link->message_left > 0 || end_message(link);
    }
    struct wire wire = wire_over(unit);
    struct wire_field field;
    link->message_left -= (uint32_t)unit.len;
    if (!wire_next(&wire, &field)) {
        return err_set(&link->failure, "a response is malformed");
    }
    if (!link->events.field(link->user, &field, &link->failure)) {
        return false;
    }
    return link->message_left > 0 || end_message(link);
}

/* Adds to link->partial what it lacks, from the front of *bytes. */
static bool complete_partial(struct link *link, struct str *bytes)
{
    size_t need = unit_size(link, buf_str(&link->partial));

    if (need == SIZE_MAX) {
        return err_set(&link->failure, "a response is malformed");
    }
    size_t more = need == 0 ? 1 : need - link->partial.len;
    more = more < bytes->len ? more : bytes->len;
    buf_add(&link->partial, bytes->ptr, more);
    *bytes = str_sub(*bytes, more, bytes->len);
    if (link->partial.len == unit_size(link, buf_str(&link->partial))) {
        bool ok = take_unit(link, buf_str(&link->partial));
        buf_clear(&link->partial);
        return ok;
    }
    return true;
}

static bool take_data(struct link *link, struct str bytes)
{
    while (bytes.len > 0) {
        if (link->partial.len > 0) {
            if (!complete_partial(link, &bytes)) {
                return false;
            }
            continue;
        }
        size_t size = unit_size(link, bytes);
        if (size == SIZE_MAX) {
            return err_set(&link->failure, "a response is malformed");
        }
        if (size == 0 || size > bytes.len) {
            buf_add(&link->partial, bytes.ptr, bytes.len);
            return true;
        }
        if (!take_unit(link, str_sub(bytes, 0, size))) {
            return false;
        }
        bytes = str_sub(bytes, size, bytes.len);
    }
    return true;
}

/* --- nghttp2 --------------------------------------------------------------------------------- */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t len, void *user)
{
    struct link *link = user;

    (void)session;
    (void)flags;
    (void)stream;
    return take_data(link, str_span((const char *)data, len)) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t namelen, const uint8_t *value, size_t valuelen, uint8_t flags,
                     void *user)
{
    struct link *link = user;
    struct str key = str_span((const char *)name, namelen);
    struct str text = str_span((const char *)value, valuelen);

    (void)session;
    (void)frame;
    (void)flags;
    if (str_eq(key, STR(":status")) && !str_eq(text, STR("200"))) {
        err_set(&link->failure, "the server answers with HTTP status %.*s", STR_FMT(text));
    } else if (str_eq(key, STR("grpc-status")) || str_eq(key, STR("grpc-message"))) {
        err_prefix(&link->failure, "%.*s %.*s", STR_FMT(key), STR_FMT(text));
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct link *link = user;

    (void)session;
    (void)stream;
    err_prefix(&link->failure, "the server ended the call (HTTP/2 error %u)", code);
    link->done = true;
    return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *out, size_t len,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct link *link = user;
    size_t rest = link->requests.len - link->taken;
    size_t take = rest < len ? rest : len;

    (void)session;
    (void)stream;
    (void)flags;
    (void)source;
    if (take == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    memcpy(out, link->requests.data + link->taken, take);
    link->taken += take;
    if (link->taken == link->requests.len) {
        buf_clear(&link->requests);
        link->taken = 0;
    }
    return (ssize_t)take;
}

static nghttp2_session *new_session(struct link *link)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        panic("out of memory");
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (nghttp2_session_client_new(&session, callbacks, link) != 0) {
        panic("out of memory");
    }
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static nghttp2_nv header(const char *name, struct str value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value.ptr, strlen(name),
                        value.len, NGHTTP2_NV_FLAG_NONE};
}

static bool start_call(struct link *link, struct str path, struct err *err)
{
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
    };
    nghttp2_nv headers[] = {
        header(":method", STR("POST")),
        header(":scheme", STR("http")),
        header(":path", path),
        header(":authority", STR("heddle")),
        header("te", STR("trailers")),
        header("content-type", STR("application/grpc")),
        header("user-agent", STR("heddle-bench")),
    };
    nghttp2_data_provider body = {.read_callback = read_request};

    link->session = new_session(link);
    int rc = nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, settings,
                                     sizeof(settings) / sizeof(settings[0]));
    rc = rc != 0
             ? rc
             : nghttp2_session_set_local_window_size(link->session, NGHTTP2_FLAG_NONE, 0, WINDOW);
    if (rc == 0) {
        link->call = nghttp2_submit_request(link->session, NULL, headers,
                                            sizeof(headers) / sizeof(headers[0]), &body, NULL);
        rc = link->call < 0 ? link->call : 0;
    }
    return rc == 0 || err_set(err, "cannot start a call: %s", nghttp2_strerror(rc));
}

/* --- the link -------------------------------------------------------------------------------- */

bool link_open(struct link *link, const struct sockaddr_storage *to, socklen_t to_len,
               struct str path, const struct link_events *events, void *user, struct err *err)
{
    int on = 1;

    *link = (struct link){.events = *events, .user = user};
    buf_init(&link->requests, LINK_UNSENT_MAX);
    buf_init(&link->unsent, LINK_UNSENT_MAX);
    buf_init(&link->partial, LINK_MESSAGE_MAX);
    link->fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0) {
        return err_set_errno(err, errno, "cannot open a socket");
    }
    if (connect(link->fd, (const struct sockaddr *)to, to_len) != 0) {
        return err_set_errno(err, errno, "cannot connect");
    }
    if (fcntl(link->fd, F_SETFL, O_NONBLOCK) != 0 ||
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
        return err_set_errno(err, errno, "cannot set up a socket");
    }
    return start_call(link, path, err) && link_flush(link, err);
}

void link_close(struct link *link)
{
    if (link->fd < 0) {
        return;
    }
    nghttp2_session_del(link->session);
    close(link->fd);
    link->fd = -1;
    buf_release(&link->requests);
    buf_release(&link->unsent);
    buf_release(&link->partial);
}

void link_send(struct link *link, struct str message)
{
    uint8_t prefix[GRPC_PREFIX] = {0, (uint8_t)(message.len >> 24), (uint8_t)(message.len >> 16),
                                   (uint8_t)(message.len >> 8), (uint8_t)message.len};

    buf_add(&link->requests, prefix, sizeof(prefix));
    buf_add_str(&link->requests, message);
    /* Fails when the body was not deferred, or not even begun: then it is read anyway. */
    nghttp2_session_resume_data(link->session, link->call);
}

bool link_flush(struct link *link, struct err *err)
{
    const uint8_t *bytes;
    ssize_t len;

    while ((len = nghttp2_session_mem_send(link->session, &bytes)) > 0) {
        buf_add(&link->unsent, bytes, (size_t)len);
    }
    if (len < 0 || !buf_ok(&link->unsent) || !buf_ok(&link->requests)) {
        return err_set(err, "cannot write: %s", len < 0 ? nghttp2_strerror((int)len) : "too much");
    }
    if (link->unsent.len == 0) {
        return true;
    }
    ssize_t sent = send(link->fd, link->unsent.data, link->unsent.len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        return err_set_errno(err, errno, "cannot write");
    }
    buf_consume(&link->unsent, sent > 0 ? (size_t)sent : 0);
    return true;
}

bool link_wants_write(const struct link *link)
{
    return link->unsent.len > 0;
}

bool link_feed(struct link *link, struct str bytes, struct err *err)
{
    link->bytes_read += bytes.len;
    ssize_t rc = nghttp2_session_mem_recv(link->session, (const uint8_t *)bytes.ptr, bytes.len);
    if (rc < 0 || link->done) {
        if (link->failure.text[0] == '\0') {
            err_set(&link->failure, "%s", nghttp2_strerror((int)rc));
        }
        return err_set(err, "%s", link->failure.text);
    }
    return true;
}
