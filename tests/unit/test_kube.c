/* SPDX-License-Identifier: Apache-2.0 */
/* kube: requests with the credential of the moment, against an API server of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "api_fixture.h"
#include "kube/config.h"
#include "kube/plugin.h"

struct rig {
    struct loop loop;
    struct api *api;
    struct kube *kube;
    char dir[32];
    const char *good; /* Authorization that is let in; NULL: any */
    unsigned status;  /* of the answer */
    const char *headers, *body;
    char auth[256], asked[2048]; /* what was asked last */
    bool silent;
    /* The result. */
    unsigned done;
    unsigned got;
    unsigned retry_after_ms;
    char reason[256], message[2048], text[256];
};

static void answer(void *user, struct ask *ask)
{
    struct rig *rig = user;
    snprintf(rig->auth, sizeof(rig->auth), "%s", ask->auth);
    snprintf(rig->asked, sizeof(rig->asked), "%s %s %.*s", ask->method, ask->path,
             STR_FMT(ask->body));
    if (rig->silent) {
        return;
    }
    if (rig->good != NULL && strcmp(rig->good, ask->auth) != 0) {
        api_reply(ask, 401, "{\"kind\":\"Status\",\"reason\":\"Unauthorized\",\"code\":401}");
        return;
    }
    api_reply_with(ask, rig->status, rig->headers, rig->body);
}

static void on_done(void *user, const struct kube_result *result)
{
    struct rig *rig = user;
    rig->done++;
    rig->got = result->status;
    rig->retry_after_ms = result->retry_after_ms;
    snprintf(rig->reason, sizeof(rig->reason), "%.*s", STR_FMT(result->reason));
    snprintf(rig->message, sizeof(rig->message), "%.*s", STR_FMT(result->message));
    snprintf(rig->text, sizeof(rig->text), "%.*s", STR_FMT(result->body));
}

static void start(struct rig *rig)
{
    *rig =
        (struct rig){.dir = "/tmp/heddle-kube-XXXXXX", .status = 200, .headers = "", .body = "{}"};
    assert_non_null(mkdtemp(rig->dir));
    assert_true(loop_init(&rig->loop, "test", NULL));
    rig->api = api_start(&rig->loop, answer, rig);
}

static void stop(struct rig *rig)
{
    char command[64];
    kube_free(rig->kube);
    api_free(rig->api);
    loop_release(&rig->loop);
    snprintf(command, sizeof(command), "rm -r %s", rig->dir);
    assert_int_equal(system(command), 0);
}

static void user_is(struct rig *rig, const char *user)
{
    api_kubeconfig(rig->api, user);
    rig->kube = api_kube(rig->api);
}

static struct kube_call *ask(struct rig *rig)
{
    return kube_send(
        rig->kube,
        &(struct kube_spec){.method = "GET", .path = STR("/api"), .user = rig, .done = on_done});
}

static void ask_and_wait(struct rig *rig)
{
    unsigned done = rig->done;
    ask(rig);
    assert_int_equal(rig->done, done); /* never from within */
    until(&rig->loop, rig->done != done);
}

static void write_file(const struct rig *rig, const char *name, const char *text)
{
    char path[128], made[128];
    snprintf(made, sizeof(made), "%s/.new", rig->dir);
    snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
    FILE *file = fopen(made, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(made, 0700);
    assert_int_equal(rename(made, path), 0);
}

/* A user that says `format` with the folder in place of its %s. */
static void user_in_dir(struct rig *rig, const char *format)
{
    char user[1024];
    snprintf(user, sizeof(user), format, rig->dir, rig->dir);
    user_is(rig, user);
}

/* --- requests --- */

static void test_answers(void **state)
{
    struct rig rig;
    (void)state;
    start(&rig);
    user_is(&rig, "token: secret");
    rig.body = "{\"a\": 1}";
    ask_and_wait(&rig);
    assert_int_equal(rig.got, 200);
    assert_string_equal(rig.text, "{\"a\": 1}");
    assert_string_equal(rig.reason, "");
    assert_string_equal(rig.auth, "Bearer secret");
    assert_true(str_eq(kube_namespace(rig.kube), STR("mine")));

    rig.status = 201;
    kube_send(rig.kube, &(struct kube_spec){
                            .method = "PATCH",
                            .path = STR("/apis/x?dryRun=All"),
                            .content_type = STR(KUBE_MERGE_PATCH),
                            .body = STR("{\"b\":2}"),
                            .user = &rig,
                            .done = on_done,
                        });
    until(&rig.loop, rig.done == 2);
    assert_int_equal(rig.got, 201);
    assert_string_equal(rig.asked, "PATCH /apis/x?dryRun=All {\"b\":2}");
    kube_send(rig.kube, &(struct kube_spec){
                            .method = "DELETE", .path = STR("/x"), .user = &rig, .done = on_done});
    until(&rig.loop, rig.done == 3);
    assert_string_equal(rig.asked, "DELETE /x ");
    assert_int_equal(rig.api->connections, 1); /* kept */
    stop(&rig);
}

static void test_failures(void **state)
{
    struct rig rig;
    (void)state;
    start(&rig);
    user_is(&rig, "token: secret");
    rig.status = 409;
    rig.body =
        "{\"kind\":\"Status\",\"code\":409,\"reason\":\"AlreadyExists\",\"message\":\"it is\"}";
    ask_and_wait(&rig);
    assert_int_equal(rig.got, 409);
    assert_string_equal(rig.reason, "AlreadyExists");
    assert_string_equal(rig.message, "it is");

    rig.status = 429;
    rig.headers = "Retry-After: 7\r\n";
    rig.body = "too much";
    ask_and_wait(&rig);
    assert_string_equal(rig.reason, "TooManyRequests");
    assert_int_equal(rig.retry_after_ms, 7000);

    rig.headers = "";
    rig.body = "{\"kind\":\"Status\",\"code\":429,\"details\":{\"retryAfterSeconds\":3}}";
    ask_and_wait(&rig);
    assert_string_equal(rig.reason, "TooManyRequests");
    assert_int_equal(rig.retry_after_ms, 3000);

    api_down(rig.api);
    ask_and_wait(&rig);
    assert_int_equal(rig.got, 0);
    assert_string_equal(rig.reason, "Unreachable");
    assert_true(rig.message[0] != '\0');
    stop(&rig);
}

static void test_timeout_and_cancel(void **state)
{
    struct rig rig;
    (void)state;
    start(&rig);
    user_is(&rig, "token: secret");
    rig.silent = true;
    kube_send(
        rig.kube,
        &(struct kube_spec){
            .method = "GET", .path = STR("/x"), .timeout_ms = 50, .user = &rig, .done = on_done});
    until(&rig.loop, rig.done == 1);
    assert_int_equal(rig.got, 0);
    kube_cancel(ask(&rig)); /* before it is sent */
    rig.asked[0] = '\0';
    struct kube_call *call = ask(&rig);
    until(&rig.loop, rig.asked[0] != '\0');
    kube_cancel(call);
    turn(&rig.loop, 20);
    assert_int_equal(rig.done, 1);
    ask(&rig); /* kube_free() cancels it */
    turn(&rig.loop, 5);
    stop(&rig);
}

/* --- credentials --- */

static void test_basic(void **state)
{
    struct rig rig;
    (void)state;
    start(&rig);
    user_is(&rig, "username: me, password: 'a:b'");
    ask_and_wait(&rig);
    assert_string_equal(rig.auth, "Basic bWU6YTpi");
    stop(&rig);
}

static void test_token_file_changes(void **state)
{
    struct rig rig;
    (void)state;
    start(&rig);
    write_file(&rig, "token", "one\n");
    user_in_dir(&rig, "tokenFile: %s/token");
    rig.good = "Bearer one";
    ask_and_wait(&rig);
    assert_int_equal(rig.got, 200);
    write_file(&rig, "token", "two\n");
    rig.good = "Bearer two";
    ask_and_wait(&rig); /* 401, read again, sent again */
    assert_int_equal(rig.got, 200);
    rig.good = "Bearer three";
    unsigned requests = rig.api->requests;
    ask_and_wait(&rig); /* no other credential: told */
    assert_int_equal(rig.got, 401);
    assert_int_equal(rig.api->requests, requests + 1);
    stop(&rig);
}

#define EXEC(more)                                                                                 \
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: '%s/get', env: [{name: DIR, "    \
    "value: '%s'}]" more "}"
#define CREDENTIAL(status)                                                                         \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"                  \
    "v1\",\"status\":{" status "}}"

/* Each run prints another token, and counts. */
static void test_plugin(void **state)
{
    struct rig rig;
    (void)state;
    start(&rig);
    write_file(&rig, "get",
               "#!/bin/sh\necho run >>$DIR/runs\nprintf %s \"$KUBERNETES_EXEC_INFO\" >$DIR/info\n"
               "echo '" CREDENTIAL("\"token\":\"t'$(wc -l <$DIR/runs)'\"") "'\n");
    user_in_dir(&rig, EXEC(", args: [a], provideClusterInfo: true"));
    ask(&rig);
    ask_and_wait(&rig); /* two that wait for one run */
    until(&rig.loop, rig.done == 2);
    assert_int_equal(rig.got, 200);
    assert_string_equal(rig.auth, "Bearer t1");
    ask_and_wait(&rig);
    assert_string_equal(rig.auth, "Bearer t1");

    char path[64], info[512] = "";
    snprintf(path, sizeof(path), "%s/info", rig.dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(info, 1, sizeof(info) - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(info, "\"interactive\":false"));
    assert_non_null(strstr(info, "\"server\":\"http://127.0.0.1:"));
    stop(&rig);
}

/* Expired when it came: run again, but not all the time. */
static void test_plugin_expires(void **state)
{
    struct rig rig;
    (void)state;
    start(&rig);
    write_file(&rig, "get",
               "#!/bin/sh\necho run >>$DIR/runs\n"
               "echo '" CREDENTIAL("\"token\":\"t'$(wc -l <$DIR/runs)'\","
                                   "\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"") "'\n");
    user_in_dir(&rig, EXEC(""));
    ask_and_wait(&rig);
    ask_and_wait(&rig);
    assert_string_equal(rig.auth, "Bearer t1");
    rig.good = "Bearer t2";
    ask_and_wait(&rig); /* refused, too soon after the first run */
    assert_int_equal(rig.got, 401);
    turn(&rig.loop, 5200); /* CREDENTIAL_RETRY_MS */
    ask_and_wait(&rig);
    assert_int_equal(rig.got, 200);
    stop(&rig);
}

static void test_plugin_fails(void **state)
{
    static const struct {
        const char *script, *why;
    } cases[] = {
        {"#!/bin/sh\necho first >&2\necho no login >&2\nexit 3\n", "it exited with 3: no login"},
        {"#!/bin/sh\nkill -9 $$\n", "it was killed by signal 9"},
        {"#!/bin/sh\necho hello\n", "it printed no ExecCredential"},
        {"#!/bin/sh\necho '" CREDENTIAL("") "'\n", "neither a token nor a certificate"},
        {"#!/bin/sh\necho '" CREDENTIAL("\"clientKeyData\":\"k\"") "'\n", "go together"},
        {"#!/bin/sh\necho '" CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"x\"") "'\n",
         "expirationTimestamp is no time"},
        {"#!/bin/sh\nyes | head -c 2000000\n", "it printed more than"},
        {"#!/nowhere\n", "it does not start"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        start(&rig);
        write_file(&rig, "get", cases[i].script);
        user_in_dir(&rig, EXEC(""));
        ask_and_wait(&rig);
        assert_int_equal(rig.got, 0);
        assert_string_equal(rig.reason, "NoCredential");
        if (strstr(rig.message, cases[i].why) == NULL) {
            fail_msg("'%s', not '%s'", rig.message, cases[i].why);
        }
        assert_int_equal(rig.api->requests, 0);
        ask_and_wait(&rig); /* at once, without another run */
        assert_string_equal(rig.reason, "NoCredential");
        stop(&rig);
    }
}

static void on_plugin(void *user, const struct plugin_result *result)
{
    struct rig *rig = user;
    rig->done++;
    snprintf(rig->text, sizeof(rig->text), "%.*s", STR_FMT(result->token));
    snprintf(rig->message, sizeof(rig->message), "%.*s", STR_FMT(result->why));
}

/* One that does not end is killed; one that ended, but left a child that keeps its output open,
 * counts when the time is over. */
static void test_plugin_takes_too_long(void **state)
{
    static const struct {
        const char *script, *token, *why;
    } cases[] = {
        {"#!/bin/sh\ntrap '' TERM INT\nsleep 100\n", "", "it did not end in time"},
        {"#!/bin/sh\nsleep 3 &\necho '" CREDENTIAL("\"token\":\"t\"") "'\n", "t", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        char path[64];
        start(&rig);
        write_file(&rig, "get", cases[i].script);
        snprintf(path, sizeof(path), "%s/get", rig.dir);
        struct config_exec exec = {.command = str_from(path)};
        const struct kube_config config = {.exec = &exec};
        uint64_t since = loop_now_ms(&rig.loop);
        plugin_run(&rig.loop, &config, 500, on_plugin, &rig);
        until(&rig.loop, rig.done == 1);
        assert_true(loop_now_ms(&rig.loop) - since >= 500);
        assert_string_equal(rig.text, cases[i].token);
        assert_true(strstr(rig.message, cases[i].why) != NULL);
        turn(&rig.loop, 5);
        stop(&rig);
    }
}

/* What runs when the kube goes is killed, with its children. */
static void test_plugin_hangs(void **state)
{
    struct rig rig;
    char path[64], pid[32] = "";
    struct stat there;
    (void)state;
    start(&rig);
    write_file(&rig, "get",
               "#!/bin/sh\nsleep 100 &\necho $! >$DIR/pid.new\n"
               "mv $DIR/pid.new $DIR/pid\nwait\n");
    user_in_dir(&rig, EXEC(""));
    ask(&rig);
    snprintf(path, sizeof(path), "%s/pid", rig.dir);
    until(&rig.loop, stat(path, &there) == 0);
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(pid, sizeof(pid), file));
    fclose(file);
    stop(&rig);
    usleep(100000);
    snprintf(path, sizeof(path), "/proc/%ld/cmdline", strtol(pid, NULL, 10));
    file = fopen(path, "r"); /* gone, or a zombie whose parent does not care */
    assert_true(file == NULL || fgetc(file) == EOF);
    if (file != NULL) {
        fclose(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_timeout_and_cancel),
        cmocka_unit_test(test_basic),
        cmocka_unit_test(test_token_file_changes),
        cmocka_unit_test(test_plugin),
        cmocka_unit_test(test_plugin_expires),
        cmocka_unit_test(test_plugin_fails),
        cmocka_unit_test(test_plugin_hangs),
        cmocka_unit_test(test_plugin_takes_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
