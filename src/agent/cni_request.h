/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni_request: what a container runtime asks of a CNI plugin (CNI specification 1.0.0: variables of
 * the environment, a network configuration on standard input), and what a pod wants.
 */
#ifndef HEDDLE_AGENT_CNI_REQUEST_H
#define HEDDLE_AGENT_CNI_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/ruleset.h"
#include "base/err.h"
#include "base/str.h"

#define CNI_NFT_DEFAULT "nft"

/* Texts are borrowed from the environment and the configuration. */
struct cni_request {
    struct str version; /* cniVersion of the configuration; that of the answer */
    const char *netns;  /* path of the pod's network namespace */
    struct str ns, pod; /* of Kubernetes; empty: not said */
    const char *kubeconfig;
    const char *nft;
    json_t *previous; /* the chain's result so far, handed on as it is; NULL: none */
};

/* args: CNI_ARGS, "K8S_POD_NAMESPACE=a;K8S_POD_NAME=b;…". */
bool cni_request_read(const json_t *config, const char *args, const char *netns,
                      struct cni_request *ret_request, struct err *err);
/* Whether the pod, as the API server has it, has a sidecar whose rules a CNI plugin makes, and
 * which they are. False in *ret_wanted: leave it alone. */
bool cni_pod_read(const json_t *pod, bool *ret_wanted, struct ruleset *ret_ruleset,
                  struct err *err);

#endif
