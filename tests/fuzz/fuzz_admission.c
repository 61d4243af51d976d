/* SPDX-License-Identifier: Apache-2.0 */
/* Reviews are answered with a review or refused, whatever they are; what a patch makes of a pod is
 * injected: a second time there is nothing to do. */
#include <jansson.h>
#include <stdlib.h>

#include "../unit/json_patch.h"
#include "base/panic.h"
#include "inject/inject.h"
#include "inject/patch.h"
#include "webhook/admission.h"

static const struct inject_settings settings = {
    .image = STR("heddle"),
    .proxy_image = STR("proxy"),
    .ns = STR("heddle-system"),
    .cluster_domain = STR("cluster.local"),
};

/* Each answer is JSON with the member that every client of it reads. */
static void look(unsigned status, struct buf *out)
{
    if (status == 200) {
        json_t *root = json_loadb((const char *)out->data, out->len, 0, NULL);
        ASSERT(json_object_get(json_object_get(root, "response"), "allowed") != NULL);
        json_decref(root);
    } else {
        ASSERT(status == 400 && out->len > 0);
    }
    buf_release(out);
}

static void inject_twice(const json_t *pod)
{
    struct arena arena;
    struct inject_answer once, twice;
    arena_init(&arena);
    const struct inject_question question = {pod, STR("shop"), STR("sidecar")};
    inject_pod(&settings, &question, &arena, &once);
    if (once.outcome == INJECT_DONE) {
        json_t *patch = patch_between(pod, once.pod);
        json_t *patched = json_patch_apply(pod, patch);
        ASSERT(patched != NULL && json_equal(patched, once.pod));
        const struct inject_question again = {patched, STR("shop"), STR("sidecar")};
        inject_pod(&settings, &again, &arena, &twice);
        ASSERT(twice.outcome == INJECT_SKIPPED);
        json_decref(patch);
        json_decref(patched);
        json_decref(once.pod);
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = str_span((const char *)data, size);
    const struct admission_check check = {.deny = size % 2 == 0};
    struct buf out;
    buf_init(&out, BUF_UNLIMITED);
    look(admission_inject(&settings, STR("proxyless"), body, &out), &out);
    look(admission_check(&check, body, &out), &out);
    json_t *root = json_loadb((const char *)data, size, 0, NULL);
    const json_t *pod = json_object_get(json_object_get(root, "request"), "object");
    if (json_is_object(pod)) {
        inject_twice(pod);
    }
    json_decref(root);
    return 0;
}
