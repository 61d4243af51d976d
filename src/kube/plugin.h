/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin: one run of the program that a kubeconfig names for a credential.
 *
 *   KUBERNETES_EXEC_INFO ──► program ──► ExecCredential on its standard output
 *
 * It gets PLUGIN_MS; then it is killed, with all that it started.
 * Source: client.authentication.k8s.io/v1.
 */
#ifndef HEDDLE_KUBE_PLUGIN_H
#define HEDDLE_KUBE_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define PLUGIN_MS 30000
#define PLUGIN_OUTPUT_MAX (1u << 20)

struct arena;
struct kube_config;
struct loop;
struct plugin;

/* What it printed; valid during done(). */
struct plugin_result {
    struct str token, cert, key; /* each may be empty, not all */
    int64_t expires_s;           /* seconds since 1970; 0: never */
    struct str why;              /* not empty: there is no credential */
};
typedef void plugin_done_fn(void *user, const struct plugin_result *result);

/* The config stays while it runs; of it only exec and what says where the cluster is are read.
 * done() is never called from within. */
struct plugin *plugin_run(struct loop *loop, const struct kube_config *config, unsigned timeout_ms,
                          plugin_done_fn *done, void *user);
void plugin_cancel(struct plugin *plugin); /* kills it; done() is not called */

/* The step that reads what was printed: false with why. Texts are in the arena. */
bool plugin_read(struct str output, struct arena *arena, struct plugin_result *ret_result,
                 struct err *err);

#endif
