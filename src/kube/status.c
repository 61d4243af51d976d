/* SPDX-License-Identifier: Apache-2.0 */
/* status: reads a Status object, and stands in for one where somebody else answered (a proxy). */
#include "kube/status.h"

#include "codec/doc.h"
#include "codec/doc_json.h"

#define NODES_MAX 10000
#define RETRY_AFTER_MAX_S 3600

/* metav1.StatusReason of what proxies and the API server say without a Status. */
static const struct {
    unsigned code;
    const char *reason;
} reasons[] = {
    {400, "BadRequest"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "NotFound"},
    {405, "MethodNotAllowed"},
    {406, "NotAcceptable"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "RequestEntityTooLarge"},
    {422, "Invalid"},
    {429, "TooManyRequests"},
    {500, "InternalError"},
    {503, "ServiceUnavailable"},
    {504, "Timeout"},
};

static int64_t number_at(const struct doc_node *node, struct str key)
{
    const struct doc_node *value = doc_get(node, key);
    return value != NULL && value->type == DOC_INT ? value->integer : 0;
}

static struct str reason_of(unsigned code)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].code == code) {
            return str_from(reasons[i].reason);
        }
    }
    return STR("Unknown");
}

struct kube_status kube_status_of(struct arena *arena, const struct doc_node *node)
{
    struct kube_status status = {.code = number_at(node, STR("code"))};
    struct str reason = doc_text(node, STR("reason")), message = doc_text(node, STR("message"));
    int64_t seconds = number_at(doc_get(node, STR("details")), STR("retryAfterSeconds"));
    unsigned code = status.code > 0 && status.code < 600 ? (unsigned)status.code : 0;
    status.reason = arena_str(arena, reason.len != 0 ? reason : reason_of(code));
    status.message = message.len != 0 ? arena_str(arena, str_sub(message, 0, KUBE_MESSAGE_MAX))
                                      : arena_printf(arena, "the API server answered %u", code);
    if (seconds > 0 && seconds <= RETRY_AFTER_MAX_S) {
        status.retry_after_ms = (unsigned)seconds * 1000;
    }
    return status;
}

struct kube_status kube_status_read(struct arena *arena, unsigned code, struct str body)
{
    struct doc_node *root = NULL;
    if (doc_json_parse(arena, body, NODES_MAX, &root, NULL) &&
        str_eq(doc_text(root, STR("kind")), STR("Status"))) {
        return kube_status_of(arena, root);
    }
    return (struct kube_status){
        .reason = reason_of(code),
        .message = arena_printf(arena, "the API server answered %u", code),
        .code = code,
    };
}
