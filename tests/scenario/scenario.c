/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario: plays scripts of what happens in a mesh and what its clients must hear of it.
 *
 *   scenario FILE.scn...           prints "ok NAME" or "not ok NAME" for each
 *   scenario --steps IN.yaml...    puts the objects of a golden case one by one, with clients of
 *                                  all kinds connected, and takes them away again; the oracle looks
 *
 * A script is read line by line; '#' begins a comment. After each line that changes something
 * everybody says and hears what there is to say.
 *
 *   apply FILE | apply <<  …  >>           objects, from a file beside the script or from here
 *   delete KIND NS/NAME
 *   client NAME NODE KIND [KEY=VALUE]...   see client.h
 *   close NAME | reconnect NAME            the latter with a memory of what it has
 *   dial NAME HOST:PORT | undial NAME HOST:PORT
 *   hold NAME TYPE | ack NAME TYPE         keep an answer back, give it
 *   reject NAME TYPE "TEXT"                NACK the next response
 *   expect NAME TYPE WORD...               the next message; the words are those of client.h
 *   quiet [NAME...]                        nothing was heard that was not expected
 *   forget [NAME...]                       what was heard so far is of no interest
 *   evals N                                at most N evaluations since the last apply or delete
 *   has NAME TYPE [RESOURCE]...            what the client has, all of it
 *   status KIND NS/NAME TYPE=STATUS/REASON [TEXT]    TEXT: a part of the message
 *   no-status KIND NS/NAME TYPE
 *   rows TABLE N                           of the engine
 *   refused NAME TEXT                      its node was refused, for this reason
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/panic.h"
#include "client.h"
#include "objects.h"
#include "status.h"

#define WORDS_MAX 64
#define LINE_MAX_BYTES 4096

struct script {
    const char *path;
    struct str rest; /* of its text */
    unsigned line;
    struct world world;
    char why[LINE_MAX_BYTES]; /* it failed; empty: it did not */
};

struct words {
    struct str items[WORDS_MAX];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void fail(struct script *script, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = snprintf(script->why, sizeof(script->why), "%s:%u: ", script->path, script->line);
    (void)vsnprintf(script->why + len, sizeof(script->why) - (size_t)len, fmt, args);
    va_end(args);
}

/* --- words --------------------------------------------------------------------------------- */
/* At blanks; "…" is one word, '#' in front of a word ends the line. */
static void split(struct str line, struct words *ret_words)
{
    ret_words->len = 0;
    line = str_trim(line);
    while (line.len > 0 && line.ptr[0] != '#' && ret_words->len < WORDS_MAX) {
        bool quoted = line.ptr[0] == '"';
        struct str rest = quoted ? str_sub(line, 1, line.len) : line;
        ret_words->items[ret_words->len++] = str_cut(&rest, quoted ? '"' : ' ');
        line = str_trim(rest);
    }
}

static bool next_line(struct script *script, struct str *ret_line)
{
    if (script->rest.len == 0) {
        return false;
    }
    *ret_line = str_cut(&script->rest, '\n');
    script->line++;
    return true;
}

static struct client *find_client(struct script *script, struct str name)
{
    struct client *client = world_client(&script->world, name);
    if (client == NULL) {
        fail(script, "there is no client '%.*s'", STR_FMT(name));
    }
    return client;
}

static bool find_type(struct script *script, struct str name, enum xds_type *ret_type)
{
    if (!xds_type_from_name(name, ret_type)) {
        fail(script, "'%.*s' is no type", STR_FMT(name));
        return false;
    }
    return true;
}

/* --- commands that change something -------------------------------------------------------- */
static void do_apply(struct script *script, const struct words *words)
{
    char why[1024] = "";
    if (!str_eq(words->items[1], STR("<<"))) {
        char *text = read_beside(script->path, words->items[1]);
        if (text == NULL) {
            fail(script, "'%.*s' cannot be read", STR_FMT(words->items[1]));
            return;
        }
        world_step(&script->world);
        objects_put(script->world.mesh, str_from(text), why, sizeof(why));
        free(text);
    } else {
        struct str line = STR_NULL;
        const char *begin = script->rest.ptr;
        while (next_line(script, &line) && !str_eq(str_trim(line), STR(">>"))) {
        }
        world_step(&script->world);
        objects_put(script->world.mesh, str_span(begin, (size_t)(line.ptr - begin)), why,
                    sizeof(why));
    }
    if (why[0] != '\0') {
        fail(script, "%s", why);
    }
}

static void do_delete(struct script *script, const struct words *words)
{
    world_step(&script->world);
    if (!objects_remove(script->world.mesh, words->items[1], words->items[2])) {
        fail(script, "'%.*s' is no kind", STR_FMT(words->items[1]));
    }
}

static void do_client(struct script *script, const struct words *words)
{
    enum client_kind kind;
    struct buf metadata;
    if (!client_kind_from(words->items[3], &kind)) {
        fail(script, "'%.*s' is no kind of client", STR_FMT(words->items[3]));
        return;
    }
    buf_init(&metadata, BUF_UNLIMITED);
    for (size_t i = 4; i < words->len; i++) {
        buf_printf(&metadata, "%s%.*s", i > 4 ? " " : "", STR_FMT(words->items[i]));
    }
    client_new(&script->world, words->items[1], words->items[2], kind, buf_str(&metadata));
    buf_release(&metadata);
}

static void do_close(struct script *script, const struct words *words)
{
    struct client *client = find_client(script, words->items[1]);
    if (client != NULL) {
        client_close(client);
    }
}

static void do_reconnect(struct script *script, const struct words *words)
{
    struct client *client = find_client(script, words->items[1]);
    if (client != NULL) {
        client_close(client);
        client_connect(client, true);
    }
}

static void do_dial(struct script *script, const struct words *words)
{
    struct client *client = find_client(script, words->items[1]);
    if (client != NULL) {
        client_dial(client, words->items[2], str_eq(words->items[0], STR("dial")));
    }
}

/* hold, ack, reject */
static void do_answer(struct script *script, const struct words *words)
{
    struct client *client = find_client(script, words->items[1]);
    enum xds_type type;
    if (client == NULL || !find_type(script, words->items[2], &type)) {
        return;
    }
    if (str_eq(words->items[0], STR("hold"))) {
        client_hold(client, type);
    } else if (str_eq(words->items[0], STR("ack"))) {
        client_ack(client, type);
    } else if (words->len == 4) {
        client_reject_next(client, type, words->items[3]);
    } else {
        fail(script, "say with what words");
    }
}

/* --- commands that look -------------------------------------------------------------------- */
static int compare_words(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void join_sorted(const char *head, const struct words *words, size_t from, struct buf *out)
{
    struct words sorted = *words;
    qsort(&sorted.items[from], sorted.len - from, sizeof(sorted.items[0]), compare_words);
    buf_add_text(out, head);
    for (size_t i = from; i < sorted.len; i++) {
        buf_printf(out, " %.*s", STR_FMT(sorted.items[i]));
    }
}

static void do_expect(struct script *script, const struct words *words)
{
    struct client *client = find_client(script, words->items[1]);
    enum xds_type type;
    if (client == NULL || !find_type(script, words->items[2], &type)) {
        return;
    }
    struct buf wanted;
    buf_init(&wanted, BUF_UNLIMITED);
    join_sorted(xds_type_info(type)->name, words, 3, &wanted);
    const char *heard = client->heard_next < client->heard.len
                            ? client->heard.items[client->heard_next++]
                            : "nothing";
    if (!str_eq(buf_str(&wanted), str_from(heard))) {
        fail(script, "'%s' should have heard\n    %.*s\nand heard\n    %s", client->name,
             STR_FMT(buf_str(&wanted)), heard);
    }
    buf_release(&wanted);
}

static bool is_meant(const struct words *words, const struct client *client)
{
    bool meant = words->len == 1;
    for (size_t i = 1; i < words->len; i++) {
        meant = meant || str_eq(words->items[i], str_from(client->name));
    }
    return meant;
}

static void do_quiet(struct script *script, const struct words *words)
{
    for (size_t i = 0; i < script->world.clients.len; i++) {
        const struct client *client = script->world.clients.items[i];
        if (is_meant(words, client) && client->heard_next < client->heard.len) {
            fail(script, "'%s' should have heard nothing, and heard\n    %s", client->name,
                 client->heard.items[client->heard_next]);
            return;
        }
    }
}

static void do_forget(struct script *script, const struct words *words)
{
    for (size_t i = 0; i < script->world.clients.len; i++) {
        struct client *client = script->world.clients.items[i];
        if (is_meant(words, client)) {
            client->heard_next = client->heard.len;
        }
    }
}

static void do_evals(struct script *script, const struct words *words)
{
    uint64_t most;
    uint64_t were = world_evaluations(&script->world);
    if (!str_to_u64(words->items[1], &most) || were > most) {
        fail(script, "%llu evaluations", (unsigned long long)were);
    }
}

static void do_has(struct script *script, const struct words *words)
{
    struct client *client = find_client(script, words->items[1]);
    enum xds_type type;
    if (client == NULL || !find_type(script, words->items[2], &type)) {
        return;
    }
    struct words known = {.len = 0};
    for (size_t i = 0; i < client->types[type].known.len && known.len < WORDS_MAX; i++) {
        known.items[known.len++] = client->types[type].known.items[i]->name;
    }
    struct buf wanted, has;
    buf_init(&wanted, BUF_UNLIMITED);
    buf_init(&has, BUF_UNLIMITED);
    join_sorted("", words, 3, &wanted);
    join_sorted("", &known, 0, &has);
    if (!str_eq(buf_str(&wanted), buf_str(&has))) {
        fail(script, "'%s' has%.*s", client->name, STR_FMT(buf_str(&has)));
    }
    buf_release(&wanted);
    buf_release(&has);
}

static void do_status(struct script *script, const struct words *words)
{
    char why[1024] = "";
    if (!status_check(script->world.mesh, words->items[1], words->items[2], words->items[3],
                      words->len > 4 ? words->items[4] : STR_NULL, why, sizeof(why))) {
        fail(script, "%s", why);
    }
}

static void do_no_status(struct script *script, const struct words *words)
{
    char why[1024] = "";
    if (status_check(script->world.mesh, words->items[1], words->items[2], words->items[3],
                     STR_NULL, why, sizeof(why))) {
        fail(script, "there is a condition '%.*s'", STR_FMT(words->items[3]));
    }
}

static void do_rows(struct script *script, const struct words *words)
{
    const struct engine *engine = mesh_engine(script->world.mesh);
    const struct graph *graph = engine_graph(engine);
    uint64_t wanted;
    for (unsigned i = 0; i < graph->ntables; i++) {
        if (str_eq(words->items[1], str_from(graph->tables[i].name))) {
            size_t rows = engine_count(engine, i);
            if (!str_to_u64(words->items[2], &wanted) || rows != wanted) {
                fail(script, "%zu rows", rows);
            }
            return;
        }
    }
    fail(script, "'%.*s' is no table", STR_FMT(words->items[1]));
}

static void do_refused(struct script *script, const struct words *words)
{
    const struct client *client = find_client(script, words->items[1]);
    if (client != NULL &&
        (client->refused == NULL || !str_contains(str_from(client->refused), words->items[2]))) {
        fail(script, "'%s' %s%s", client->name, client->refused != NULL ? "was refused: " : "",
             client->refused != NULL ? client->refused : "was not refused");
    }
}

/* --- playing ------------------------------------------------------------------------------- */
static const struct {
    struct str name;
    size_t words; /* at least, the command counted */
    bool changes;
    void (*run)(struct script *script, const struct words *words);
} commands[] = {
    {STR("apply"), 2, true, do_apply},
    {STR("delete"), 3, true, do_delete},
    {STR("client"), 4, true, do_client},
    {STR("close"), 2, true, do_close},
    {STR("reconnect"), 2, true, do_reconnect},
    {STR("dial"), 3, true, do_dial},
    {STR("undial"), 3, true, do_dial},
    {STR("hold"), 3, true, do_answer},
    {STR("ack"), 3, true, do_answer},
    {STR("reject"), 4, true, do_answer},
    {STR("expect"), 3, false, do_expect},
    {STR("quiet"), 1, false, do_quiet},
    {STR("forget"), 1, false, do_forget},
    {STR("evals"), 2, false, do_evals},
    {STR("has"), 3, false, do_has},
    {STR("status"), 4, false, do_status},
    {STR("no-status"), 4, false, do_no_status},
    {STR("rows"), 3, false, do_rows},
    {STR("refused"), 3, false, do_refused},
};

static void run_line(struct script *script, struct str line)
{
    struct words words;
    split(line, &words);
    for (size_t i = 0; words.len > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!str_eq(words.items[0], commands[i].name)) {
            continue;
        }
        if (words.len < commands[i].words) {
            fail(script, "'%.*s' wants more words", STR_FMT(words.items[0]));
            return;
        }
        commands[i].run(script, &words);
        if (commands[i].changes) {
            world_settle(&script->world);
        }
        return;
    }
    if (words.len > 0) {
        fail(script, "'%.*s' is no command", STR_FMT(words.items[0]));
    }
}

/* "dir/name.scn" -> "name"; "dir/topic/name/in.yaml" -> "topic/name" */
static struct str short_name(struct str path)
{
    if (str_ends_with(path, STR("/in.yaml"))) {
        struct str folder = str_sub(path, 0, path.len - 8);
        struct str above = str_sub(folder, 0, str_rindex(folder, '/'));
        size_t slash = str_rindex(above, '/');
        return str_sub(folder, slash < above.len ? slash + 1 : 0, folder.len);
    }
    size_t slash = str_rindex(path, '/');
    struct str file = slash < path.len ? str_sub(path, slash + 1, path.len) : path;
    return str_sub(file, 0, str_rindex(file, '.'));
}

static bool report(const char *what, const char *path, const char *why)
{
    struct str name = short_name(str_from(path));
    printf("%s %s %.*s\n", why[0] == '\0' ? "ok" : "not ok", what, STR_FMT(name));
    struct str rest = str_from(why);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        printf("# %.*s\n", STR_FMT(line));
    }
    (void)fflush(stdout);
    return why[0] == '\0';
}

static bool play(const char *path)
{
    struct script script = {.path = path};
    char *text = read_beside("", str_from(path));
    if (text == NULL) {
        return report("scenario", path, strerror(errno));
    }
    script.rest = str_from(text);
    world_init(&script.world);
    struct str line;
    while (script.why[0] == '\0' && next_line(&script, &line)) {
        run_line(&script, line);
    }
    world_release(&script.world);
    free(text);
    return report("scenario", path, script.why);
}

/* Clients of all kinds in one namespace, and a consumer in another. */
static void connect_all(struct world *world)
{
    client_new(world, STR("delta"), STR("sidecar/default/delta"), ENVOY_DELTA, STR(""));
    client_new(world, STR("sotw"), STR("sidecar/default/sotw"), ENVOY_SOTW,
               STR("interception=none inbound=127.0.0.1:18000>127.0.0.1:18001"));
    client_new(world, STR("shop"), STR("sidecar/shop/app"), ENVOY_DELTA, STR("interception=none"));
    client_dial(client_new(world, STR("go"), STR("proxyless/default/go"), GRPC_GO, STR("")),
                STR("echo.default.svc.cluster.local:8080"), true);
    client_dial(client_new(world, STR("core"), STR("proxyless/shop/core"), GRPC_CORE, STR("")),
                STR("echo.default.svc.cluster.local:8080"), true);
}

static void settle(void *world)
{
    world_settle(world);
}

static bool play_steps(const char *path)
{
    char why[1024] = "";
    char *text = read_beside("", str_from(path));
    struct world world;
    if (text == NULL) {
        return report("steps", path, strerror(errno));
    }
    world_init(&world);
    connect_all(&world);
    world_settle(&world);
    objects_each_step(world.mesh, str_from(text), why, sizeof(why), settle, &world);
    world_release(&world);
    free(text);
    return report("steps", path, why);
}

int main(int argc, char **argv)
{
    bool steps = argc > 1 && strcmp(argv[1], "--steps") == 0;
    bool good = true;
    for (int i = steps ? 2 : 1; i < argc; i++) {
        good = (steps ? play_steps(argv[i]) : play(argv[i])) && good;
    }
    return good ? 0 : 1;
}
