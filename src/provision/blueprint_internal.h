/* SPDX-License-Identifier: Apache-2.0 */
/* blueprint_internal: what the files of a blueprint share; for blueprint*.c only. */
#ifndef HEDDLE_PROVISION_BLUEPRINT_INTERNAL_H
#define HEDDLE_PROVISION_BLUEPRINT_INTERNAL_H

#include <jansson.h>

#include "provision/blueprint.h"

struct drafter {
    const struct blueprint_question *question;
    struct arena *arena;
    const struct blueprint *blueprint;
};

/* --- blueprint.c --- */
/* The labels by which the Gateway's pods are known, which never change. */
json_t *blueprint_selector(const struct drafter *drafter);
/* That all objects and the pods have. */
json_t *blueprint_labels(const struct drafter *drafter);
/* Sets them, where there are any: whoever says {} claims that nobody else has some. */
void blueprint_annotate(const struct drafter *drafter, json_t *metadata);

/* --- each the `spec` of its part; the caller's --- */
json_t *blueprint_service(const struct drafter *drafter);    /* blueprint_service.c */
json_t *blueprint_deployment(const struct drafter *drafter); /* blueprint_pod.c */

#endif
