/* SPDX-License-Identifier: Apache-2.0 */
/* cni_request: see cni_request.h. */
#include "agent/cni_request.h"

#include "codec/json_tree.h"
#include "inject/container.h"
#include "inject/wishes.h"
#include "ir/pod.h"

static struct str argument(const char *args, struct str name)
{
    struct str rest = str_from(args);
    while (rest.len > 0) {
        struct str value = str_cut(&rest, ';');
        if (str_eq(str_cut(&value, '='), name)) {
            return value;
        }
    }
    return STR_NULL;
}

bool cni_request_read(const json_t *config, const char *args, const char *netns,
                      struct cni_request *ret_request, struct err *err)
{
    const struct cni_request request = {
        .version = json_tree_text_at(config, "cniVersion"),
        .netns = netns,
        .ns = argument(args, STR("K8S_POD_NAMESPACE")),
        .pod = argument(args, STR("K8S_POD_NAME")),
        .kubeconfig = json_string_value(json_object_get(config, "kubeconfig")),
        .nft = json_string_value(json_object_get(config, "nft")),
        .previous = json_object_get(config, "prevResult"),
    };
    if (!json_is_object(request.previous)) {
        return err_set(err, "there is no prevResult: heddle's plugin makes no network, name it "
                            "after the one that does");
    }
    if (request.kubeconfig == NULL) {
        return err_set(err, "there is no 'kubeconfig', a file by which pods can be asked for");
    }
    if (netns == NULL || netns[0] == '\0') {
        return err_set(err, "there is no CNI_NETNS");
    }
    *ret_request = request;
    ret_request->nft = request.nft != NULL ? request.nft : CNI_NFT_DEFAULT;
    return true;
}

static bool has_sidecar(const json_t *spec)
{
    size_t i;
    const json_t *container;
    json_array_foreach(json_object_get(spec, "initContainers"), i, container)
    {
        if (str_eq(json_tree_text_at(container, "name"), STR(CONTAINER_PROXY))) {
            return true;
        }
    }
    return false;
}

bool cni_pod_read(const json_t *pod, bool *ret_wanted, struct ruleset *ret_ruleset, struct err *err)
{
    const json_t *spec = json_object_get(pod, "spec");
    struct wishes wishes;
    if (!has_sidecar(spec) || json_is_true(json_object_get(spec, "hostNetwork"))) {
        *ret_wanted = false;
        return true;
    }
    if (!wishes_read(json_object_get(json_object_get(pod, "metadata"), "annotations"), &wishes,
                     err)) {
        return false;
    }
    *ret_wanted = wishes.cni;
    *ret_ruleset = (struct ruleset){
        .http_port = POD_AGENT_PORT,
        .proxy_uid = POD_PROXY_UID,
        .outbound_ports = wishes.values[WISH_EXCLUDE_OUTBOUND_PORTS],
        .outbound_cidrs = wishes.values[WISH_EXCLUDE_OUTBOUND_CIDRS],
        .uids = wishes.values[WISH_EXCLUDE_UIDS],
        .inbound_ports = wishes.values[WISH_EXCLUDE_INBOUND_PORTS],
    };
    return true;
}
