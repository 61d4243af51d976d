/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: where an API server is and who one is there, as kubeconfig files or the files that a pod
 * has say it. Nothing is asked of the network; files that are named are read later (credential.h).
 *
 * Source: kubeconfig v1 (k8s.io/client-go/tools/clientcmd/api/v1), its rules of merging; "Accessing
 * the API from a Pod"; client.authentication.k8s.io/v1.
 */
#ifndef HEDDLE_KUBE_CONFIG_H
#define HEDDLE_KUBE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct doc_node;
struct kube_options;

#define KUBECONFIG_FILES_MAX 64
#define KUBECONFIG_BYTES_MAX (4u << 20)

/* A text, or the file that has it. Of both the text counts, except of a token: there the file. */
struct config_text {
    struct str text;
    struct str file; /* NUL-terminated */
};

struct config_pair {
    struct str name, value;
};

/* A program that prints a credential. */
struct config_exec {
    struct str command; /* NUL-terminated */
    struct str api_version;
    struct str install_hint;
    struct str *args;
    size_t args_len;
    struct config_pair *env;
    size_t env_len;
    bool cluster_info;               /* provideClusterInfo */
    const struct doc_node *settings; /* the cluster's, for the program; NULL: none */
};

struct kube_config {
    struct arena arena; /* has all texts */
    struct str server;  /* URL without a final '/' */
    struct str server_name;
    struct str ns;    /* empty: not said */
    struct str proxy; /* URL; empty: as the environment says */
    bool insecure;
    struct config_text ca, cert, key, token;
    struct str user, password;
    struct config_exec *exec; /* NULL: none */
};

/* Of kube_new()'s options. On success the caller releases the config. */
bool kube_config_load(const struct kube_options *options, struct kube_config *ret_config,
                      struct err *err);
void kube_config_release(struct kube_config *config);

/* The steps of it. A kubeconfig file as it was read; dir: to which its relative paths belong. */
struct config_file {
    struct str path; /* for messages */
    struct str dir;
    struct str text;
};
/* Fills the config (whose arena is made) from files, of which the first counts most. context: NULL:
 * the current one. */
bool kubeconfig_read(const struct config_file *files, size_t len, const char *context,
                     struct kube_config *config, struct err *err);

#endif
