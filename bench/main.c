/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heddle-bench: a mesh of any size, its clients, and what heddle needs to serve them.
 *
 *   heddle-bench gen --config DIR [--services N] [--endpoints N] [--routes N]
 *   heddle-bench run --config DIR --xds ADDR:PORT --admin ADDR:PORT --pid PID [sizes as above]
 *                    [--delta N] [--sotw N] [--grpc N] [--limit-ms N] [--quiet-ms N] [--floor]
 *                    [--applier FD]
 *                    STEP...
 *
 * A STEP is settle, cold, route=N, endpoint=N, rewrite=N, reconnect=N or slow=N (bench.h tells what
 * each does). Prints a JSON array with one object per step. Exit codes: 0 ok, 1 a client was served
 * wrongly or not in time, 2 usage, 3 the environment failed.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"

#define WEIGHT_AT_START 90

struct options {
    const char *xds;
    const char *admin;
    unsigned pid;
    unsigned applier; /* a file descriptor; 0: none */
    bool floor;
    char **steps; /* borrowed */
    int nsteps;
};

enum option_id { OPT_XDS = 256, OPT_ADMIN, OPT_CONFIG, OPT_FLOOR, OPT_NUMBER };

/* One option with a number: where it goes and what it may be. */
struct number {
    const char *name;
    unsigned *value;
    unsigned min, max;
};

static int usage(const char *why, const char *what)
{
    fprintf(stderr, "heddle-bench: %s '%s'; see the top of bench/main.c\n", why, what);
    return 2;
}

static bool read_number(const char *text, unsigned min, unsigned max, unsigned *ret_value)
{
    uint64_t value;

    if (!str_to_u64(str_from(text), &value) || value < min || value > max) {
        return false;
    }
    *ret_value = (unsigned)value;
    return true;
}

/* "127.0.0.1:15010" */
static bool read_address(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct str whole = str_from(text);
    size_t colon = str_rindex(whole, ':');
    char *host = str_dup(str_sub(whole, 0, colon));
    uint64_t port;
    bool ok = inet_pton(AF_INET, host, &address.sin_addr) == 1 &&
              str_to_u64(str_sub(whole, colon + 1, whole.len), &port) && port <= UINT16_MAX;

    free(host);
    if (ok) {
        address.sin_port = htons((uint16_t)port);
        *ret_address = (struct sockaddr_storage){0};
        memcpy(ret_address, &address, sizeof(address));
        *ret_len = sizeof(address);
    }
    return ok;
}

static int read_options(int argc, char **argv, struct bench *bench, struct options *options)
{
    const struct number numbers[] = {
        {"pid", &options->pid, 1, INT32_MAX},
        {"applier", &options->applier, 3, INT32_MAX},
        {"services", &bench->mesh.services, 3, MESH_SERVICES_MAX},
        {"endpoints", &bench->mesh.endpoints, 1, MESH_ENDPOINTS_MAX},
        {"routes", &bench->mesh.routes, 1, MESH_SERVICES_MAX},
        {"delta", &bench->nclass[CLASS_DELTA], 0, BENCH_STREAMS_MAX},
        {"sotw", &bench->nclass[CLASS_SOTW], 0, BENCH_STREAMS_MAX},
        {"grpc", &bench->nclass[CLASS_GRPC], 0, BENCH_STREAMS_MAX},
        {"limit-ms", &bench->limit_ms, 1, 1000000},
        {"quiet-ms", &bench->quiet_ms, 1, 10000},
    };
    enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };
    struct option longs[NUMBERS + 5] = {{"xds", required_argument, NULL, OPT_XDS},
                                        {"admin", required_argument, NULL, OPT_ADMIN},
                                        {"config", required_argument, NULL, OPT_CONFIG},
                                        {"floor", no_argument, NULL, OPT_FLOOR}};
    int got;

    for (int i = 0; i < NUMBERS; i++) {
        longs[4 + i] = (struct option){numbers[i].name, required_argument, NULL, OPT_NUMBER + i};
    }
    while ((got = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (got == OPT_XDS) {
            options->xds = optarg;
        } else if (got == OPT_ADMIN) {
            options->admin = optarg;
        } else if (got == OPT_CONFIG) {
            bench->mesh.dir = optarg;
        } else if (got == OPT_FLOOR) {
            options->floor = true;
        } else if (got < OPT_NUMBER) {
            return 2; /* getopt has said why */
        } else {
            const struct number *number = &numbers[got - OPT_NUMBER];
            if (!read_number(optarg, number->min, number->max, number->value)) {
                return usage("not a number in range:", optarg);
            }
        }
    }
    if (options->applier > 0) {
        bench->mesh.applier = (int)options->applier;
    }
    options->steps = argv + optind;
    options->nsteps = argc - optind;
    if (bench->mesh.dir == NULL || bench->mesh.routes > bench->mesh.services) {
        return usage("missing or wrong:", "--config, --routes");
    }
    return 0;
}

/* --- running --------------------------------------------------------------------------------- */

static void make_clients(struct bench *bench)
{
    unsigned at = 0;

    bench->targets = xcalloc(bench->swarm.nstreams, sizeof(unsigned));
    bench->target_names = xcalloc(bench->swarm.nstreams, sizeof(char *));
    bench->weights = xcalloc(bench->mesh.services, sizeof(unsigned));
    for (unsigned i = 0; i < bench->mesh.services; i++) {
        bench->weights[i] = WEIGHT_AT_START;
    }
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        for (unsigned i = 0; i < bench->nclass[class]; i++, at++) {
            struct str target = STR_NULL;
            if (class == CLASS_GRPC) { /* one of each kind of client to the same Service */
                bench->targets[at] = bench_nth_service(bench, i / 4) % bench->mesh.routes;
                bench->target_names[at] = mesh_target(bench->targets[at]);
                target = str_from(bench->target_names[at]);
            }
            stream_init(&bench->swarm.streams[at], &bench->swarm.catalog, (enum client_class) class,
                        at, target);
        }
    }
}

static void free_clients(struct bench *bench)
{
    for (unsigned i = 0; i < bench->swarm.nstreams; i++) {
        free(bench->target_names[i]);
    }
    free(bench->target_names);
    free(bench->targets);
    free(bench->weights);
    swarm_free(&bench->swarm);
    floor_free(bench->floor);
}

static bool run_step(struct bench *bench, const char *text, struct err *err)
{
    static const struct {
        struct str name;
        bool (*run)(struct bench *bench, struct err *err);
    } plain[] = {
        {STR("settle"), step_settle},
        {STR("cold"), step_cold},
    };
    static const struct {
        struct str name;
        bool (*run)(struct bench *bench, unsigned n, struct err *err);
    } counted[] = {
        {STR("route"), step_route},         {STR("endpoint"), step_endpoint},
        {STR("rewrite"), step_rewrite},     {STR("slow"), step_slow},
        {STR("reconnect"), step_reconnect},
    };
    struct str rest = str_from(text);
    struct str name = str_cut(&rest, '=');
    unsigned n = 0;

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (str_eq(name, plain[i].name) && rest.ptr == NULL) {
            return plain[i].run(bench, err);
        }
    }
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        if (str_eq(name, counted[i].name) && rest.ptr != NULL &&
            read_number(rest.ptr, 1, BENCH_CHANGES_MAX, &n)) {
            return counted[i].run(bench, n, err);
        }
    }
    return err_set(err, "no such step");
}

static bool run_steps(struct bench *bench, const struct options *options, struct err *err)
{
    bool ok = true;

    fputc('[', bench->out);
    for (int i = 0; ok && i < options->nsteps; i++) {
        ok = run_step(bench, options->steps[i], err) ||
             err_prefix(err, "step '%s'", options->steps[i]);
    }
    fputs("\n]\n", bench->out);
    return ok;
}

static int run(struct bench *bench, const struct options *options)
{
    struct sockaddr_storage xds;
    socklen_t xds_len;
    struct err err;
    unsigned nstreams = 0;

    if (options->xds == NULL || !read_address(options->xds, &xds, &xds_len)) {
        return usage("missing or wrong:", "--xds");
    }
    if (options->admin == NULL || options->pid == 0 ||
        !read_address(options->admin, &bench->target.admin, &bench->target.admin_len)) {
        return usage("missing or wrong:", "--admin, --pid");
    }
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        nstreams += bench->nclass[i];
    }
    if (nstreams == 0) {
        return usage("missing:", "--delta, --sotw, --grpc");
    }
    bench->target.pid = (int)options->pid;
    swarm_init(&bench->swarm, &xds, xds_len, nstreams);
    make_clients(bench);
    if (options->floor && !floor_new(nstreams, &bench->floor, &err)) {
        fprintf(stderr, "heddle-bench: %s\n", err.text);
        return 3;
    }
    bool ok = run_steps(bench, options, &err);
    if (!ok) {
        fprintf(stderr, "heddle-bench: %s\n", err.text);
    }
    free_clients(bench);
    return ok ? 0 : 1;
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {
        .mesh = {.services = 1000, .endpoints = 10, .routes = 1000, .applier = -1},
        .limit_ms = 30000,
        .quiet_ms = 30,
        .out = stdout,
        .first_step = true,
    };
    struct options options = {0};
    struct err err;

    int rc = argc < 2 ? usage("missing:", "gen or run")
                      : read_options(argc - 1, argv + 1, &bench, &options);
    if (rc != 0) {
        return rc;
    }
    raise_file_limit();
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "run") == 0) {
        return run(&bench, &options);
    }
    if (strcmp(argv[1], "gen") != 0) {
        return usage("no such command:", argv[1]);
    }
    if (!mesh_write(&bench.mesh, &err)) {
        fprintf(stderr, "heddle-bench: %s\n", err.text);
        return 3;
    }
    return 0;
}
