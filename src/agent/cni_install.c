/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni_install: `heddle cni install`: puts heddle's CNI plugin onto the node and keeps it there;
 * `heddle cni check`: whether it is there.
 *
 *   plugin (agent/bundle) ─► kubeconfig (agent/node_access) ─► chain (agent/conflist)
 *                                 ▲ the token changes            ▲ the network plugin writes anew
 *                                 └── look(): by inotify, and every CHECK_MS ──┘
 *
 * It ends with SIGTERM and takes all away, last things first. When a DaemonSet is updated, the new
 * pod comes before the old one goes: whoever came last keeps the plugin there, the other no more.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/bundle.h"
#include "agent/conflist.h"
#include "agent/node_access.h"
#include "base/log.h"
#include "net/loop.h"

#define KUBECONFIG "heddle-cni.kubeconfig"
#define CHECK_MS 10000
#define SETTLE_MS 200 /* who writes a configuration writes more than once */
/* The runtime reads its folder anew when it changes, and then runs the plugin no more. */
#define RUNTIME_READS_S 1

struct installation {
    struct loop loop;
    const char *conf_dir;
    struct bundle bundle;
    char kubeconfig[PATH_MAX];
    json_t *entry; /* of the chain */
    uv_fs_event_t changes;
    uv_timer_t timer;
    uv_signal_t signals[2];
    struct err told; /* what is in the way, said once */
};

/* --- keeping it there ----------------------------------------------------------------------- */

static bool put(struct installation *installation, struct err *err)
{
    bool changed = false;
    struct bundle *bundle = &installation->bundle;
    struct err missing;
    if (bundle_is_of_another(bundle)) {
        return true; /* whose token is good for longer than that of a pod that goes */
    }
    if (!bundle_check(bundle->bin_dir, STR_NULL, &missing) && !bundle_install(bundle, err)) {
        return false;
    }
    if (!node_access_write(installation->kubeconfig, &changed, err)) {
        return false;
    }
    if (changed) {
        log_at(LOG_INFO, "agent", "the kubeconfig of the CNI plugin is written",
               KV("file", str_from(installation->kubeconfig)));
    }
    if (!conflist_put(installation->conf_dir, installation->entry, &changed, err)) {
        return false;
    }
    if (changed) {
        log_at(LOG_INFO, "agent", "the CNI plugin is in the node's chain",
               KV("dir", str_from(installation->conf_dir)));
    }
    return true;
}

static void look(uv_timer_t *timer)
{
    struct installation *installation = timer->data;
    struct err err = {.text = ""};
    if (!put(installation, &err) &&
        !str_eq(str_from(err.text), str_from(installation->told.text))) {
        log_at(LOG_WARN, "agent", "the CNI plugin is not in place", KV("why", str_from(err.text)));
    }
    installation->told = err;
    uv_timer_start(timer, look, CHECK_MS, 0);
}

static void changed(uv_fs_event_t *changes, const char *name, int events, int status)
{
    struct installation *installation = changes->data;
    (void)name, (void)events, (void)status;
    uv_timer_start(&installation->timer, look, SETTLE_MS, 0);
}

/* --- taking it away ------------------------------------------------------------------------- */

static void take_away(struct installation *installation)
{
    struct err err;
    if (bundle_is_of_another(&installation->bundle)) {
        log_at(LOG_INFO, "agent", "another installation of the CNI plugin has taken over");
        return;
    }
    if (!conflist_take(installation->conf_dir, BUNDLE_PLUGIN, &err)) {
        log_at(LOG_ERROR, "agent", "the CNI plugin stays in the node's chain",
               KV("why", str_from(err.text)));
        return; /* a chain whose plugin is missing would make no pod */
    }
    sleep(RUNTIME_READS_S);
    bundle_remove(installation->bundle.bin_dir);
    (void)unlink(installation->kubeconfig);
    log_at(LOG_INFO, "agent", "the CNI plugin is gone from the node");
}

static void signalled(uv_signal_t *handle, int number)
{
    struct installation *installation = handle->data;
    (void)number;
    loop_stop(&installation->loop);
}

/* --- the commands --------------------------------------------------------------------------- */

static void start(struct installation *installation)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    uv_loop_t *uv = &installation->loop.uv;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uv_signal_init(uv, &installation->signals[i]);
        installation->signals[i].data = installation;
        uv_signal_start(&installation->signals[i], signalled, numbers[i]);
    }
    uv_timer_init(uv, &installation->timer);
    installation->timer.data = installation;
    uv_fs_event_init(uv, &installation->changes);
    installation->changes.data = installation;
    /* Where there is no inotify left, the timer finds it. */
    (void)uv_fs_event_start(&installation->changes, changed, installation->conf_dir, 0);
    look(&installation->timer);
}

static void stop(struct installation *installation)
{
    uv_close((uv_handle_t *)&installation->signals[0], NULL);
    uv_close((uv_handle_t *)&installation->signals[1], NULL);
    uv_close((uv_handle_t *)&installation->timer, NULL);
    uv_close((uv_handle_t *)&installation->changes, NULL);
}

static bool has_arguments(const struct options *options, struct err *err)
{
    return options->arguments.len > 0 &&
           !err_set(err, "'%s' is no option; there are no other arguments",
                    options->arguments.items[0]);
}

static int install(const struct options *options)
{
    struct installation installation = {
        .conf_dir = options->text[O_cni_conf_dir],
        .bundle = {.bin_dir = options->text[O_cni_bin_dir],
                   .owner = option_text(options, O_cni_owner)},
    };
    struct err err;
    if (has_arguments(options, &err)) {
        return command_fail(EXIT_USAGE, &err);
    }
    if (!bundle_install(&installation.bundle, &err) ||
        !loop_init(&installation.loop, "cni", &err)) {
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    snprintf(installation.kubeconfig, sizeof(installation.kubeconfig), "%s/" KUBECONFIG,
             installation.conf_dir);
    installation.entry =
        json_pack("{s:s, s:s}", "type", BUNDLE_PLUGIN, "kubeconfig", installation.kubeconfig);
    start(&installation);
    loop_run(&installation.loop);
    stop(&installation);
    loop_release(&installation.loop);
    take_away(&installation);
    json_decref(installation.entry);
    return 0;
}

static int check(const struct options *options)
{
    struct err err;
    char kubeconfig[PATH_MAX];
    if (has_arguments(options, &err)) {
        return command_fail(EXIT_USAGE, &err);
    }
    snprintf(kubeconfig, sizeof(kubeconfig), "%s/" KUBECONFIG, options->text[O_cni_conf_dir]);
    if (!bundle_check(options->text[O_cni_bin_dir], option_text(options, O_cni_owner), &err) ||
        !conflist_check(options->text[O_cni_conf_dir], BUNDLE_PLUGIN, &err)) {
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    if (access(kubeconfig, R_OK) != 0) {
        err_set(&err, "there is no '%s'", kubeconfig);
        return command_fail(EXIT_ENVIRONMENT, &err);
    }
    return 0;
}

const struct command command_cni_install = {
    .name = "cni install",
    .bit = CMD_CNI_INSTALL,
    .arguments = "[options]",
    .summary = "put the CNI plugin onto this node, and keep it there until SIGTERM",
    .details =
        "For the DaemonSet heddle-cni, whose pods have the node's two folders at the node's\n"
        "own paths (docs/install.md).\n",
    .run = install,
};

const struct command command_cni_check = {
    .name = "cni check",
    .bit = CMD_CNI_CHECK,
    .arguments = "[options]",
    .summary = "whether the CNI plugin is in place on this node",
    .details = "Exit code 3: it is not, and why.\n",
    .run = check,
};
