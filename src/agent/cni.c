/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni: `heddle cni`: interception as the last plugin of a CNI chain, so that pods of applications
 * need no NET_ADMIN.
 *
 *   runtime ─► ADD ─► the pod, from the API server ─► rules in its network namespace ─► prevResult
 *
 * Fails closed: a pod whose wishes are not known is not started; the kubelet tries again.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/cni_request.h"
#include "agent/nft.h"
#include "base/arena.h"
#include "cli/fetch.h"
#include "inject/ask.h"
#include "kube/kube.h"
#include "net/loop.h"

#define POD_TIMEOUT_MS 10000

/* Error codes of the CNI specification, "Error". */
enum { CNI_TRY_AGAIN = 11, CNI_INVALID_CONFIG = 7 };

/* --- the pod -------------------------------------------------------------------------------- */

struct asking {
    struct loop *loop;
    json_t *pod; /* NULL: the API server did not tell it, see err */
    struct err err;
};

static void pod_told(void *user, const struct kube_result *result)
{
    struct asking *asking = user;
    json_error_t why;
    if (result->status == 200) {
        asking->pod = json_loadb(result->body.ptr, result->body.len, 0, &why);
        if (asking->pod == NULL) {
            err_set(&asking->err, "the API server's pod: %s", why.text);
        }
    } else {
        err_set(&asking->err, "%.*s: %.*s", STR_FMT(result->reason), STR_FMT(result->message));
    }
    loop_stop(asking->loop);
}

static json_t *ask_for_pod(const struct cni_request *request, struct err *err)
{
    const struct kube_options options = {.kubeconfig = request->kubeconfig};
    struct loop loop;
    struct kube *kube = NULL;
    struct arena arena;
    if (!loop_init(&loop, "cni", err)) {
        return NULL;
    }
    struct asking asking = {.loop = &loop};
    arena_init(&arena);
    if (kube_new(&loop, &options, &kube, err)) {
        kube_send(kube, &(struct kube_spec){
                            .method = "GET",
                            .path = arena_printf(&arena, "/api/v1/namespaces/%.*s/pods/%.*s",
                                                 STR_FMT(fetch_escape(&arena, request->ns)),
                                                 STR_FMT(fetch_escape(&arena, request->pod))),
                            .timeout_ms = POD_TIMEOUT_MS,
                            .user = &asking,
                            .done = pod_told,
                        });
        loop_run(&loop);
        if (asking.pod == NULL) {
            *err = asking.err;
        }
    }
    kube_free(kube);
    loop_release(&loop);
    arena_release(&arena);
    return asking.pod;
}

/* --- the rules ------------------------------------------------------------------------------ */

/* Of this thread, which ends with the command. */
static bool enter(const char *netns, struct err *err)
{
    int fd = open(netns, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    if (!ok) {
        err_set_errno(err, errno, "enter the network namespace '%s'", netns);
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool intercept(const struct cni_request *request, struct err *err)
{
    struct ruleset ruleset;
    struct buf rules;
    bool wanted = false;
    json_t *pod = ask_for_pod(request, err);
    if (pod == NULL) {
        return err_prefix(err, "pod '%.*s/%.*s'", STR_FMT(request->ns), STR_FMT(request->pod));
    }
    buf_init(&rules, RULESET_MAX);
    bool ok = cni_pod_read(pod, &wanted, &ruleset, err) &&
              (!wanted || (ruleset_write(&ruleset, &rules, err) && enter(request->netns, err) &&
                           nft_apply(request->nft, buf_str(&rules), err)));
    buf_release(&rules);
    json_decref(pod);
    return ok;
}

/* --- the commands of the specification ------------------------------------------------------ */

static int fail(unsigned code, const struct err *err)
{
    json_t *answer =
        json_pack("{s:s, s:i, s:s}", "cniVersion", "1.0.0", "code", code, "msg", err->text);
    json_dumpf(answer, stdout, JSON_COMPACT);
    json_decref(answer);
    return EXIT_INPUT;
}

static int add_with(const json_t *config)
{
    struct cni_request request;
    struct err err;
    if (!cni_request_read(config, getenv("CNI_ARGS"), getenv("CNI_NETNS"), &request, &err)) {
        return fail(CNI_INVALID_CONFIG, &err);
    }
    /* The cluster's own pods wait for nobody, the API server included. */
    if (request.pod.len > 0 && !inject_is_system(request.ns) && !intercept(&request, &err)) {
        return fail(CNI_TRY_AGAIN, &err);
    }
    json_dumpf(request.previous, stdout, JSON_COMPACT);
    return 0;
}

static int add(void)
{
    json_error_t why;
    struct err err;
    json_t *config = json_loadf(stdin, 0, &why);
    if (config == NULL) {
        err_set(&err, "the configuration on standard input: %s", why.text);
        return fail(CNI_INVALID_CONFIG, &err);
    }
    int code = add_with(config);
    json_decref(config);
    return code;
}

/* Rules go with their namespace; and what has been made, nobody else changes. */
static int nothing(void)
{
    return 0;
}

static int version(void)
{
    printf("{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0."
           "0\",\"1.1.0\"]}");
    return 0;
}

static int run(const struct options *options)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } verbs[] = {{"ADD", add},        {"DEL", nothing}, {"CHECK", nothing},
                 {"STATUS", nothing}, {"GC", nothing},  {"VERSION", version}};
    const char *verb = getenv("CNI_COMMAND");
    struct err err;
    (void)options;
    for (size_t i = 0; verb != NULL && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verb, verbs[i].name) == 0) {
            return verbs[i].run();
        }
    }
    err_set(&err, "container runtimes run it, with CNI_COMMAND=ADD, DEL, CHECK or VERSION");
    return command_fail(EXIT_USAGE, &err);
}

const struct command command_cni = {
    .name = "cni",
    .bit = CMD_CNI,
    .arguments = "<CONFIG",
    .summary = "a CNI plugin that makes the rules of interception, in place of an init container",
    .details = "For container runtimes, after the plugin that makes the pod's network;\n"
               "docs/agent.md tells its configuration.\n",
    .run = run,
};
