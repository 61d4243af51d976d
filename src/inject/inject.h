/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject: does a pod get a part of the mesh, and what is changed in it then? A pure function of the
 * pod (or of a template of pods), of what its namespace says, and of settings; asked by the webhook
 * and by `heddle inject`.
 *
 *   label of the pod, else of its namespace ──► sidecar │ proxyless │ nothing, and why
 *   annotations ──► wishes                          │
 *                                                   ▼
 *   a copy of the pod with the containers, the volume, environment and hooks that it lacks
 *
 * What is there already is left as it is, so that injecting twice is injecting once; a container
 * that another webhook added meanwhile still gets its hook. docs/injection.md says it for users.
 */
#ifndef HEDDLE_INJECT_INJECT_H
#define HEDDLE_INJECT_INJECT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "ir/pod.h"
#include "model/membership.h"

#define INJECT_LABEL MEMBERSHIP_LABEL
#define INJECT_CSM_LABEL MEMBERSHIP_CSM_LABEL /* of Cloud Service Mesh */
#define INJECT_STATUS "heddle.dev/status"     /* annotation: what was done */
#define INJECT_PROXY_UID POD_PROXY_UID        /* whose traffic is let through */
#define INJECT_AGENT_PORT POD_AGENT_PORT

struct inject_settings {
    struct str image;       /* of heddle */
    struct str proxy_image; /* of heddle and Envoy */
    struct str ns;          /* heddle's own, which has no part in the mesh */
    struct str cluster_domain;
};

struct inject_question {
    const json_t *pod; /* {metadata, spec}: a Pod, or the template of one */
    struct str ns;
    struct str ns_label; /* what the namespace's label says; empty: it has none */
};

enum inject_outcome {
    INJECT_SKIPPED, /* nothing is changed */
    INJECT_DONE,
    INJECT_REFUSED, /* what the pod asks for cannot be done: it should not be made */
};

struct inject_answer {
    enum inject_outcome outcome;
    bool asked; /* somebody wants this pod in the mesh, so that skipping it is worth a word */
    struct str reason; /* for people */
    json_t *pod;       /* INJECT_DONE: the changed copy, the caller's; else NULL */
};

/* Texts of the answer are in the arena. */
void inject_pod(const struct inject_settings *settings, const struct inject_question *question,
                struct arena *arena, struct inject_answer *ret_answer);

#endif
