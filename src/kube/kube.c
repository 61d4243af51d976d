/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube: requests to the API server, each with the credential of the moment.
 *
 *   waits for the credential ──► is sent ──► done
 *            ▲                      │
 *            └── 401, once, when ◄──┘
 *                there is another credential
 */
#include "kube/kube.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/metric.h"
#include "base/panic.h"
#include "kube/config.h"
#include "kube/credential.h"
#include "kube/status.h"
#include "net/loop.h"

#define RETRY_AFTER_MAX_S 3600

struct kube {
    struct loop *loop;
    struct kube_config config;
    struct credential *credential;
    struct httpc *httpc;
    struct list calls; /* struct kube_call.link */
    struct list
        waiting; /* struct kube_call.wait: for the credential, or to be told that it failed */
    struct loop_task start;
};

struct kube_call {
    struct list link, wait;
    struct kube *kube;
    struct arena arena; /* of the texts of spec */
    struct kube_spec spec;
    struct httpc_call *http; /* while it is sent */
    unsigned generation;     /* of the credential it went with */
    bool again;              /* 401 was answered once */
};

static void on_done(void *user, const struct httpc_result *result);

/* --- the ends of a call --- */

static void call_free(struct kube_call *call)
{
    list_remove(&call->link);
    list_remove(&call->wait);
    if (call->http != NULL) {
        httpc_cancel(call->http);
    }
    arena_release(&call->arena);
    free(call);
}

static void call_tell(struct kube_call *call, const struct kube_result *result)
{
    void (*done)(void *user, const struct kube_result *) = call->spec.done;
    void *user = call->spec.user;
    bool good = result->status >= 200 && result->status < 300;
    metric_add(M_kube_failures, good ? 0 : 1);
    metric_add(M_kube_bytes, (int64_t)result->body.len);
    call_free(call);
    done(user, result);
}

static void call_fail(struct kube_call *call, struct str reason, struct str message)
{
    call_tell(call, &(struct kube_result){.reason = reason, .message = message});
}

static unsigned retry_after(struct str header, unsigned of_status)
{
    uint64_t seconds;
    if (str_to_u64(str_trim(header), &seconds) && seconds <= RETRY_AFTER_MAX_S) {
        return (unsigned)seconds * 1000;
    }
    return of_status;
}

static void on_done(void *user, const struct httpc_result *result)
{
    struct kube_call *call = user;
    struct kube *kube = call->kube;
    call->http = NULL;
    if (result->status == 0) {
        call_fail(call, result->too_large ? STR(KUBE_TOO_LARGE) : STR("Unreachable"), result->why);
        return;
    }
    if (result->status == 401 && !call->again &&
        credential_refused(kube->credential, call->generation)) {
        call->again = true;
        list_append(&kube->waiting, &call->wait);
        loop_task_soon(kube->loop, &kube->start);
        return;
    }
    struct arena arena;
    struct kube_result told = {.status = result->status, .body = result->body};
    arena_init(&arena);
    if (result->status < 200 || result->status >= 300) {
        struct kube_status status = kube_status_read(&arena, result->status, result->body);
        told.reason = status.reason;
        told.message = status.message;
        told.retry_after_ms = retry_after(result->retry_after, status.retry_after_ms);
    }
    call_tell(call, &told);
    arena_release(&arena);
}

static bool on_data(void *user, struct str piece)
{
    struct kube_call *call = user;
    metric_add(M_kube_bytes, (int64_t)piece.len);
    return call->spec.data(call->spec.user, piece);
}

/* --- its beginning --- */

static void call_send(struct kube_call *call, const struct credential_view *view)
{
    struct kube *kube = call->kube;
    const struct kube_spec *spec = &call->spec;
    bool streams = spec->data != NULL;
    struct str url =
        arena_printf(&call->arena, "%.*s%.*s", STR_FMT(kube->config.server), STR_FMT(spec->path));
    const struct httpc_spec http = {
        .method = spec->method,
        .url = url,
        .content_type = spec->content_type,
        .accept = spec->accept != NULL ? str_from(spec->accept) : STR("application/json"),
        .bearer = view->bearer,
        .basic = view->basic,
        .body = spec->body,
        .trust = view->trust,
        .timeout_ms = spec->timeout_ms != 0 || streams ? spec->timeout_ms : KUBE_TIMEOUT_MS,
        .idle_ms = spec->idle_ms,
        .body_max = KUBE_BODY_MAX,
        .user = call,
        .data = streams ? on_data : NULL,
        .done = on_done,
    };
    call->generation = view->generation;
    metric_add(M_kube_requests, 1);
    call->http = httpc_send(kube->httpc, &http);
}

/* Sends what waits. A call that is told now may bring others, or free the kube: one at a time. */
static void start_waiting(struct loop_task *task)
{
    struct kube *kube = list_entry(task, struct kube, start);
    struct credential_view view;
    struct err err;
    if (list_empty(&kube->waiting)) {
        return;
    }
    enum credential_state state = credential_get(kube->credential, &view, &err);
    if (state == CREDENTIAL_PENDING) {
        return;
    }
    struct kube_call *call = list_entry(kube->waiting.next, struct kube_call, wait);
    list_remove(&call->wait);
    loop_task_soon(kube->loop, &kube->start);
    if (state == CREDENTIAL_READY) {
        call_send(call, &view);
    } else {
        call_fail(call, STR("NoCredential"), str_from(err.text));
    }
}

static void on_settled(void *user)
{
    struct kube *kube = user;
    loop_task_soon(kube->loop, &kube->start);
}

struct kube_call *kube_send(struct kube *kube, const struct kube_spec *spec)
{
    struct kube_call *call = xcalloc(1, sizeof(*call));
    arena_init_sized(&call->arena, 512);
    call->kube = kube;
    call->spec = *spec;
    call->spec.path = arena_str(&call->arena, spec->path);
    call->spec.body = arena_str(&call->arena, spec->body);
    call->spec.content_type = arena_str(
        &call->arena, spec->content_type.len != 0 ? spec->content_type : STR("application/json"));
    list_append(&kube->calls, &call->link);
    list_append(&kube->waiting, &call->wait);
    loop_task_soon(kube->loop, &kube->start);
    return call;
}

void kube_cancel(struct kube_call *call)
{
    call_free(call);
}

/* --- the way itself --- */

bool kube_new(struct loop *loop, const struct kube_options *options, struct kube **ret_kube,
              struct err *err)
{
    struct kube *kube = xcalloc(1, sizeof(*kube));
    if (!kube_config_load(options, &kube->config, err)) {
        free(kube);
        return false;
    }
    if (!credential_new(loop, &kube->config, &kube->credential, err)) {
        kube_config_release(&kube->config);
        free(kube);
        return false;
    }
    kube->loop = loop;
    kube->httpc = httpc_new(loop);
    list_init(&kube->calls);
    list_init(&kube->waiting);
    loop_task_init(&kube->start, start_waiting);
    credential_on_settled(kube->credential, on_settled, kube);
    *ret_kube = kube;
    return true;
}

void kube_free(struct kube *kube)
{
    if (kube == NULL) {
        return;
    }
    list_for_each_safe (it, &kube->calls) {
        call_free(list_entry(it, struct kube_call, link));
    }
    loop_task_cancel(&kube->start);
    httpc_free(kube->httpc);
    credential_free(kube->credential);
    kube_config_release(&kube->config);
    free(kube);
}

struct str kube_server(const struct kube *kube)
{
    return kube->config.server;
}

struct str kube_namespace(const struct kube *kube)
{
    return kube->config.ns.len != 0 ? kube->config.ns : STR("default");
}

struct loop *kube_loop(const struct kube *kube)
{
    return kube->loop;
}
