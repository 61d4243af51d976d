/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig: what files say of one context, and which files there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/doc.h"
#include "kube/config.h"
#include "kube/kube.h"

#define CLUSTERS "clusters:\n- {name: c, cluster: {server: 'https://one:6443/'}}\n"
#define CONTEXTS "contexts:\n- {name: x, context: {cluster: c, user: u, namespace: n}}\n"

static struct kube_config config;
static struct err err;

/* Of the files "/k/0", "/k/1", …; NULL ends. */
static bool reads_files(const char *const *texts, const char *context)
{
    static const char *const paths[] = {"/k/0", "/k1/1", "/k2/2"};
    struct config_file files[3];
    size_t len = 0;
    for (; texts[len] != NULL; len++) {
        struct str path = str_from(paths[len]);
        files[len] =
            (struct config_file){path, str_sub(path, 0, path.len - 2), str_from(texts[len])};
    }
    arena_release(&config.arena);
    config = (struct kube_config){.insecure = false};
    arena_init(&config.arena);
    err.text[0] = '\0';
    return kubeconfig_read(files, len, context, &config, &err);
}

static bool reads(const char *text)
{
    const char *const texts[] = {text, NULL};
    return reads_files(texts, NULL);
}

static bool refuses(const char *text, const char *words)
{
    bool good = !reads(text) && strstr(err.text, words) != NULL;
    if (!good) {
        print_error("'%s', not '%s'\n", err.text, words);
    }
    return good;
}

static bool is(struct str text, const char *words)
{
    return str_eq(text, str_from(words));
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&config.arena);
    return 0;
}

static void test_all_fields(void **state)
{
    (void)state;
    assert_true(reads("apiVersion: v1\nkind: Config\ncurrent-context: x\n"
                      "clusters:\n- name: c\n  cluster:\n    server: https://one:6443/prefix/\n"
                      "    certificate-authority-data: Q0E=\n    tls-server-name: other\n"
                      "    insecure-skip-tls-verify: true\n    proxy-url: http://proxy:1\n"
                      "users:\n- name: u\n  user:\n    client-certificate-data: Q0VSVA==\n"
                      "    client-key: keys/u.key\n    token: tok\n    tokenFile: /abs/token\n"
                      "    username: me\n    password: 123\n" CONTEXTS));
    assert_true(is(config.server, "https://one:6443/prefix"));
    assert_true(is(config.server_name, "other"));
    assert_true(is(config.proxy, "http://proxy:1"));
    assert_true(config.insecure);
    assert_true(is(config.ns, "n"));
    assert_true(is(config.ca.text, "CA"));
    assert_true(is(config.cert.text, "CERT"));
    assert_true(is(config.key.file, "/k/keys/u.key")); /* of the file's folder */
    assert_true(is(config.token.text, "tok"));
    assert_true(is(config.token.file, "/abs/token"));
    assert_true(is(config.user, "me"));
    assert_true(is(config.password, "123"));
    assert_null(config.exec);
}

static void test_json_and_no_user(void **state)
{
    (void)state;
    assert_true(reads("{\"current-context\": \"x\", \"contexts\": [{\"name\": \"x\", \"context\": "
                      "{\"cluster\": \"c\"}}], \"clusters\": [{\"name\": \"c\", \"cluster\": "
                      "{\"server\": \"http://h\"}}], \"users\": null}"));
    assert_true(is(config.server, "http://h"));
    assert_int_equal(config.ns.len, 0);
}

static void test_exec(void **state)
{
    (void)state;
    assert_true(
        reads("current-context: x\n"
              "clusters:\n- name: c\n  cluster:\n    server: https://h\n    extensions:\n"
              "    - {name: client.authentication.k8s.io/exec, extension: {audience: a}}\n"
              "users:\n- name: u\n  user:\n    exec:\n"
              "      apiVersion: client.authentication.k8s.io/v1\n      command: ./bin/get\n"
              "      args: [token, --for, '1']\n      env: [{name: A, value: b}]\n"
              "      provideClusterInfo: true\n      interactiveMode: IfAvailable\n"
              "      installHint: get it\n" CONTEXTS));
    assert_non_null(config.exec);
    assert_true(is(config.exec->command, "/k/./bin/get"));
    assert_int_equal(config.exec->args_len, 3);
    assert_true(is(config.exec->args[2], "1"));
    assert_int_equal(config.exec->env_len, 1);
    assert_true(is(config.exec->env[0].name, "A") && is(config.exec->env[0].value, "b"));
    assert_true(config.exec->cluster_info);
    assert_true(is(doc_get(config.exec->settings, STR("audience"))->text, "a"));
}

#define EXEC(fields)                                                                               \
    "current-context: x\n" CLUSTERS CONTEXTS "users:\n- {name: u, user: {exec: {" fields "}}}\n"

static void test_refused(void **state)
{
    (void)state;
    assert_true(refuses("a: [", "kubeconfig '/k/0' line"));
    assert_true(refuses("- a\n", "no kubeconfig: it is a list"));
    assert_true(refuses("", "no current-context"));
    assert_true(refuses("current-context: x\n", "no context 'x'"));
    assert_true(refuses("current-context: x\n" CONTEXTS, "no cluster 'c'"));
    assert_true(refuses("current-context: x\n" CLUSTERS CONTEXTS, "no user 'u'"));
    assert_true(refuses("current-context: x\n" CONTEXTS
                        "clusters:\n- {name: c, cluster: {server: h}}\n"
                        "users: [{name: u, user: {}}]\n",
                        "is no https:// or http:// URL"));
    assert_true(refuses("current-context: x\n" CLUSTERS CONTEXTS
                        "users: [{name: u, user: {client-key-data: '!'}}]\n",
                        "client-key-data of the user 'u' is no base64"));
    assert_true(refuses("current-context: x\n" CLUSTERS CONTEXTS
                        "users: [{name: u, user: {as: root}}]\n",
                        "acts for another"));
    assert_true(refuses("current-context: x\n" CLUSTERS CONTEXTS
                        "users: [{name: u, user: {auth-provider: {name: gcp}}}]\n",
                        "use exec"));
    assert_true(refuses(EXEC("apiVersion: client.authentication.k8s.io/v1"), "has no command"));
    assert_true(refuses(EXEC("apiVersion: client.authentication.k8s.io/v1alpha1, command: a"),
                        "use client.authentication.k8s.io/v1"));
    assert_true(refuses(
        EXEC("apiVersion: client.authentication.k8s.io/v1, command: a, interactiveMode: Always"),
        "runs without"));
    assert_true(
        reads(EXEC("apiVersion: client.authentication.k8s.io/v1, command: a, args: [[b], {}], "
                   "env: [1, {}, {name: N}]")));
}

/* Of several files the first that has an entry counts; what another has is found there. */
static void test_merge(void **state)
{
    const char *const texts[] = {
        "users: [{name: u, user: {token: first, client-key: k}}]\n",
        "current-context: x\n" CONTEXTS "users: [{name: u, user: {token: second, username: z}}]\n",
        "current-context: y\n" CLUSTERS,
        NULL,
    };
    (void)state;
    assert_true(reads_files(texts, NULL));
    assert_true(is(config.token.text, "first"));
    assert_int_equal(config.user.len, 0);
    assert_true(is(config.key.file, "/k/k"));
    assert_true(is(config.server, "https://one:6443"));
    assert_false(reads_files(texts, "y"));
    assert_non_null(strstr(err.text, "no context 'y'"));
}

/* --- which files --- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool loads(const char *kubeconfig, const char *context)
{
    struct kube_config loaded;
    const struct kube_options options = {kubeconfig, context};
    err.text[0] = '\0';
    if (!kube_config_load(&options, &loaded, &err)) {
        return false;
    }
    arena_release(&config.arena);
    config = loaded;
    return true;
}

static void test_files(void **state)
{
    char dir[] = "/tmp/heddle-kubeconfig-XXXXXX", one[64], two[64], list[256];
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(one, sizeof(one), "%s/one", dir);
    snprintf(two, sizeof(two), "%s/two", dir);
    write_file(one, "current-context: x\n" CONTEXTS);
    write_file(two, CLUSTERS "users: [{name: u, user: {tokenFile: t}}]\n");
    snprintf(list, sizeof(list), "%s/none::%s:%s", dir, one, two);
    unsetenv("KUBERNETES_SERVICE_HOST");
    setenv("KUBECONFIG", list, 1);
    assert_true(loads(NULL, NULL));
    assert_int_equal(strncmp(config.token.file.ptr, dir, strlen(dir)), 0);

    assert_false(loads(one, NULL)); /* that one only */
    assert_non_null(strstr(err.text, "no cluster 'c'"));
    assert_false(loads(two, "x"));
    assert_false(loads("/nowhere/config", NULL));
    assert_non_null(strstr(err.text, "No such file"));
    setenv("KUBECONFIG", "/nowhere/config", 1);
    assert_false(loads(NULL, NULL));
    assert_non_null(strstr(err.text, "use --kubeconfig"));
    unsetenv("KUBECONFIG");
    setenv("HOME", dir, 1);
    assert_false(loads(NULL, NULL));
    unlink(one);
    unlink(two);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_fields, tear_down),
        cmocka_unit_test_teardown(test_json_and_no_user, tear_down),
        cmocka_unit_test_teardown(test_exec, tear_down),
        cmocka_unit_test_teardown(test_refused, tear_down),
        cmocka_unit_test_teardown(test_merge, tear_down),
        cmocka_unit_test_teardown(test_files, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
