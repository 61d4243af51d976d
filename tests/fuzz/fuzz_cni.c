/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does heddle's CNI plugin stand what may be on a node and in a pod?
 *
 * Input: a line that is CNI_ARGS, then JSON, which is taken as a network configuration of a file,
 * as what a runtime sends to a plugin, and as a pod. What becomes of a chain: heddle's entry is
 * last and there once, putting it in again changes nothing, and taking it out leaves what was
 * there. Seeds: tests/fuzz/corpus/cni/.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/cni_request.h"
#include "agent/conflist.h"
#include "base/panic.h"

#define TYPE "heddle-cni"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_chain(const json_t *config)
{
    struct err err;
    json_t *entry = json_pack("{s:s, s:s}", "type", TYPE, "kubeconfig", "/k");
    json_t *list = conflist_with(config, entry, &err);
    if (list != NULL) {
        json_t *again = conflist_with(list, entry, &err);
        json_t *without = conflist_without(list, TYPE);
        json_t *before = conflist_without(config, TYPE);
        const json_t *plugins = json_object_get(list, "plugins");
        ASSERT(json_equal(again, list));
        ASSERT(json_equal(json_array_get(plugins, json_array_size(plugins) - 1), entry));
        ASSERT(json_array_size(json_object_get(without, "plugins")) ==
               json_array_size(plugins) - 1);
        ASSERT(json_object_get(config, "plugins") == NULL || json_equal(without, before));
        json_decref(before);
        json_decref(without);
        json_decref(again);
    }
    json_decref(list);
    json_decref(entry);
}

static void fuzz_request(const json_t *config, const char *args)
{
    struct cni_request request;
    struct err err;
    if (cni_request_read(config, args, "/n", &request, &err)) {
        ASSERT(request.kubeconfig != NULL && request.nft != NULL && request.previous != NULL);
    }
}

static void fuzz_pod(const json_t *pod)
{
    struct ruleset ruleset;
    struct err err;
    bool wanted = false;
    struct buf rules;
    buf_init(&rules, RULESET_MAX);
    if (cni_pod_read(pod, &wanted, &ruleset, &err) && wanted) {
        ASSERT(ruleset_write(&ruleset, &rules, &err)); /* what is wrong has been told before */
    }
    buf_release(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_span((const char *)data, size);
    char *args = str_dup(str_cut(&rest, '\n'));
    json_t *value = json_loadb(rest.ptr != NULL ? rest.ptr : "", rest.len, 0, NULL);
    if (value != NULL) {
        fuzz_chain(value);
        fuzz_request(value, args);
        fuzz_pod(value);
    }
    json_decref(value);
    free(args);
    return 0;
}
