/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node: what a client says of itself in the first request of a stream, as plain facts.
 * The contract of node.id and the metadata keys is in docs/xds.md. But for `identity`, nothing here
 * is trusted beyond choosing a view; sizes are capped (NODE_TEXT_MAX, NODE_PAIRS_MAX, and what is
 * looked at at all).
 */
#ifndef HEDDLE_SERVE_NODE_H
#define HEDDLE_SERVE_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define NODE_TEXT_MAX 512  /* bytes of any one text; longer ones are left out */
#define NODE_PAIRS_MAX 256 /* metadata strings kept */

struct node_pair {
    struct str key; /* nested keys joined with '.': "labels.app" */
    struct str value;
};

struct node {
    struct arena arena; /* holds all texts */
    struct str id;
    struct str identity; /* not said, but proven: the URI of its certificate; empty: none */
    struct str cluster;
    struct str region, zone, sub_zone;
    struct str user_agent;         /* "gRPC Go", "gRPC C-core linux Python", "envoy", … */
    struct str user_agent_version; /* "1.85.0"; for Envoy "1.40.0" from its build version */
    struct node_pair *metadata;    /* string values only (numbers and booleans as text), by key */
    size_t nmetadata;
    struct str *features; /* client_features */
    size_t nfeatures;
};

void node_free(struct node *node); /* NULL is fine */
/* As a packed envoy.config.core.v3.Node, without metadata and features. */
void node_pack(const struct node *node, struct buf *out);
struct str node_metadata(const struct node *node, struct str key); /* STR_NULL when absent */

#endif
