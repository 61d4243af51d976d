/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpc: libcurl's multi interface on a loop.
 *
 *   libcurl ── "watch this socket", "call me in 20 ms" ──► uv_poll, uv_timer
 *      ▲                                                        │
 *      └────────────── curl_multi_socket_action ◄───────────────┘
 *                               │
 *                               └──► on_body: bytes are kept in the call; nobody is called back
 *                                    from within libcurl, so that whoever is called back afterwards
 *                                    (deliver) may send, cancel and free as he likes
 */
#include "net/httpc.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/panic.h"
#include "net/httpc_call.h"
#include "net/loop.h"

#define CONNECTIONS_KEPT 32L

/* A socket of libcurl's. */
struct watched {
    uv_poll_t poll;
    struct list link; /* in httpc.watched */
    struct httpc *httpc;
    curl_socket_t fd;
};

static void deliver(struct httpc *httpc);

/* --- what libcurl asks of the loop --- */

static void act(struct httpc *httpc, curl_socket_t fd, int events)
{
    int running;
    ASSERT(curl_multi_socket_action(httpc->multi, fd, events, &running) == CURLM_OK);
    deliver(httpc);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watched *watched = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    act(watched->httpc, watched->fd, flags);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct httpc *httpc = user;
    (void)multi;
    if (timeout_ms < 0) {
        uv_timer_stop(&httpc->timer);
    } else if (!httpc->closed) {
        uv_timer_start(&httpc->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

static void watched_free(uv_handle_t *handle)
{
    free(handle->data);
}

static void unwatch(struct watched *watched)
{
    list_remove(&watched->link);
    uv_close((uv_handle_t *)&watched->poll, watched_free);
}

/* libcurl may close a socket without a word, and get its number again for another. */
static void unwatch_fd(struct httpc *httpc, curl_socket_t fd)
{
    list_for_each_safe (it, &httpc->watched) {
        struct watched *watched = list_entry(it, struct watched, link);
        if (watched->fd == fd) {
            unwatch(watched);
        }
    }
}

static struct watched *watch(struct httpc *httpc, curl_socket_t fd)
{
    unwatch_fd(httpc, fd);
    struct watched *watched = xcalloc(1, sizeof(*watched));
    watched->httpc = httpc;
    watched->fd = fd;
    watched->poll.data = watched;
    if (uv_poll_init_socket(&httpc->loop->uv, &watched->poll, fd) != 0) {
        free(watched);
        return NULL;
    }
    list_append(&httpc->watched, &watched->link);
    curl_multi_assign(httpc->multi, fd, watched);
    return watched;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *of_socket)
{
    struct httpc *httpc = user;
    struct watched *watched = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watched != NULL) {
            unwatch(watched);
            curl_multi_assign(httpc->multi, fd, NULL);
        }
        return 0;
    }
    if (watched == NULL) {
        watched = watch(httpc, fd);
    }
    if (watched == NULL) {
        return -1;
    }
    int events = (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
    events |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
    uv_poll_start(&watched->poll, events, on_poll);
    return 0;
}

/* A call waited in vain. Connections on which nothing at all came for long are dead, whatever
 * acknowledges their bytes (a balancer in front of a host that is gone, a process that hangs):
 * their calls fail or are sent again, on another. HTTP/2 would have all of them wait there
 * forever. */
static void drop_silent(struct httpc *httpc)
{
    list_for_each (it, &httpc->watched) {
        const struct watched *watched = list_entry(it, struct watched, link);
        struct tcp_info info;
        socklen_t len = sizeof(info);
        if (getsockopt(watched->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
            info.tcpi_state == TCP_ESTABLISHED && info.tcpi_last_data_recv >= httpc->silent_ms) {
            shutdown(watched->fd, SHUT_RDWR); /* libcurl finds it at its end */
        }
    }
}

/* --- what callers are told --- */

static void call_gone(uv_handle_t *handle)
{
    free(handle->data);
}

/* Takes the call out of libcurl; its memory stays until the loop's next turn. */
static void call_end(struct httpc_call *call)
{
    struct httpc *httpc = call->httpc;
    ASSERT(!call->ended);
    call->ended = true;
    list_remove(&call->link);
    list_remove(&call->fresh);
    curl_multi_remove_handle(httpc->multi, call->easy);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->connect_to);
    httpc_trust_unref(call->trust);
    buf_release(&call->answer);
    uv_close((uv_handle_t *)&call->idle, call_gone);
}

static void call_done(struct httpc_call *call, const struct httpc_result *result)
{
    struct httpc_result copy = *result;
    struct buf body = call->answer;
    buf_init(&call->answer, 0);
    struct curl_header *retry = NULL;
    char retry_after[64] = "";
    if (curl_easy_header(call->easy, "Retry-After", 0, CURLH_HEADER, -1, &retry) == CURLHE_OK) {
        size_t len = strnlen(retry->value, sizeof(retry_after) - 1);
        memcpy(retry_after, retry->value, len);
    }
    copy.body = result->status != 0 ? buf_str(&body) : STR_NULL;
    copy.retry_after = str_from(retry_after);
    void (*done)(void *user, const struct httpc_result *) = call->done;
    void *user = call->user;
    char why[CURL_ERROR_SIZE + 64]; /* the words may stand in the call */
    size_t len = copy.why.len < sizeof(why) ? copy.why.len : sizeof(why);
    if (len != 0) {
        memcpy(why, copy.why.ptr, len);
    }
    copy.why = str_span(why, len);
    call_end(call);
    done(user, &copy);
    buf_release(&body);
}

static void call_fail(struct httpc_call *call, struct str why)
{
    call_done(call, &(struct httpc_result){.why = why});
}

static void on_idle(uv_timer_t *timer)
{
    struct httpc_call *call = timer->data;
    drop_silent(call->httpc);
    call_fail(call, STR("the server said nothing for too long"));
}

static void on_unspeakable(uv_timer_t *timer)
{
    call_fail(timer->data, STR("a header to be sent has a control character"));
}

static void restart_idle(struct httpc_call *call)
{
    if (call->idle_ms != 0) {
        uv_timer_start(&call->idle, on_idle, call->idle_ms, 0);
    }
}

/* Hands out the pieces that came. */
static void deliver_fresh(struct httpc_call *call)
{
    struct buf piece = call->answer;
    buf_init(&call->answer, call->answer.max);
    list_remove(&call->fresh);
    restart_idle(call);
    bool more = call->data(call->user, buf_str(&piece));
    buf_release(&piece);
    if (!more && !call->ended) {
        call_fail(call, STR("the answer was not to the liking of who asked"));
    }
}

static void deliver_finished(struct httpc_call *call, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        drop_silent(call->httpc);
    }
    if (code == CURLE_OK && status > 0) {
        call_done(call, &(struct httpc_result){.status = (unsigned)status});
    } else if (!buf_ok(&call->answer)) {
        call_done(call,
                  &(struct httpc_result){.why = STR("the answer is too large"), .too_large = true});
    } else {
        call_fail(call, str_from(call->why[0] != '\0' ? call->why : curl_easy_strerror(code)));
    }
}

static void deliver(struct httpc *httpc)
{
    int left;
    while (!httpc->closed && !list_empty(&httpc->fresh)) {
        deliver_fresh(list_entry(httpc->fresh.next, struct httpc_call, fresh));
    }
    while (!httpc->closed) {
        CURLMsg *message = curl_multi_info_read(httpc->multi, &left);
        if (message == NULL) {
            break;
        }
        struct httpc_call *call = NULL;
        ASSERT(message->msg == CURLMSG_DONE);
        ASSERT(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK);
        deliver_finished(call, message->data.result);
    }
}

/* --- the interface --- */

struct httpc *httpc_new(struct loop *loop)
{
    struct httpc *httpc = xcalloc(1, sizeof(*httpc));
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    httpc->loop = loop;
    httpc->silent_ms = HTTPC_SILENT_MS;
    httpc->multi = curl_multi_init();
    ASSERT(httpc->multi != NULL);
    list_init(&httpc->calls);
    list_init(&httpc->fresh);
    list_init(&httpc->watched);
    uv_timer_init(&loop->uv, &httpc->timer);
    httpc->timer.data = httpc;
    curl_multi_setopt(httpc->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(httpc->multi, CURLMOPT_SOCKETDATA, httpc);
    curl_multi_setopt(httpc->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(httpc->multi, CURLMOPT_TIMERDATA, httpc);
    curl_multi_setopt(httpc->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    return httpc;
}

static void httpc_gone(uv_handle_t *handle)
{
    free(handle->data);
}

void httpc_free(struct httpc *httpc)
{
    if (httpc == NULL) {
        return;
    }
    httpc->closed = true;
    list_for_each_safe (it, &httpc->calls) {
        call_end(list_entry(it, struct httpc_call, link));
    }
    curl_multi_cleanup(httpc->multi);
    list_for_each_safe (it, &httpc->watched) {
        unwatch(list_entry(it, struct watched, link));
    }
    uv_close((uv_handle_t *)&httpc->timer, httpc_gone);
}

struct httpc_call *httpc_send(struct httpc *httpc, const struct httpc_spec *spec)
{
    struct httpc_call *call = httpc_call_new(httpc, spec);
    uv_timer_init(&httpc->loop->uv, &call->idle);
    call->idle.data = call;
    list_append(&httpc->calls, &call->link);
    if (call->unspeakable) {
        uv_timer_start(&call->idle, on_unspeakable, 0, 0);
    } else {
        restart_idle(call);
        ASSERT(curl_multi_add_handle(httpc->multi, call->easy) == CURLM_OK);
    }
    return call;
}

void httpc_cancel(struct httpc_call *call)
{
    call_end(call);
}
