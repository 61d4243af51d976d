/* SPDX-License-Identifier: Apache-2.0 */
/* target: how much work, time and memory has heddle spent so far? */
#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"

#define TEXT_MAX (16u << 20)
#define THREADS_MAX 1000

static bool read_to_end(int fd, struct buf *out)
{
    ssize_t len;

    do {
        uint8_t *room = buf_reserve(out, 65536);
        if (room == NULL) {
            return false;
        }
        len = read(fd, room, 65536);
        buf_commit(out, len > 0 ? (size_t)len : 0);
    } while (len > 0);
    return len == 0;
}

static bool read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    buf_clear(out);
    if (fd < 0) {
        return false;
    }
    bool ok = read_to_end(fd, out);
    close(fd);
    return ok;
}

static bool fetch_metrics(const struct target *target, struct buf *out, struct err *err)
{
    static const struct str request =
        STR("GET /metrics HTTP/1.1\r\nHost: heddle\r\nConnection: close\r\n\r\n");
    int fd = socket(target->admin.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    bool ok = fd >= 0 &&
              connect(fd, (const struct sockaddr *)&target->admin, target->admin_len) == 0 &&
              write(fd, request.ptr, request.len) == (ssize_t)request.len && read_to_end(fd, out);
    if (!ok) {
        err_set_errno(err, errno, "cannot read /metrics");
    }
    close(fd);
    return ok;
}

/* The sum of a metric over its labels. False when it is not there. */
static bool find_metric(struct str text, struct str name, uint64_t *ret_sum)
{
    uint64_t sum = 0, value;
    bool found = false;

    while (text.len > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (!str_starts_with(line, name) || line.len == name.len ||
            (line.ptr[name.len] != ' ' && line.ptr[name.len] != '{')) {
            continue;
        }
        if (str_to_u64(str_sub(line, str_rindex(line, ' ') + 1, line.len), &value)) {
            sum += value;
            found = true;
        }
    }
    *ret_sum = sum;
    return found;
}

static bool read_metrics(const struct target *target, struct figures *figures, struct err *err)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    bool ok = fetch_metrics(target, &text, err);
    if (ok && !find_metric(buf_str(&text), STR("heddle_engine_evaluations_total"),
                           &figures->evaluations)) {
        ok = err_set(err, "/metrics holds no heddle_engine_evaluations_total");
    }
    if (ok) {
        find_metric(buf_str(&text), STR("heddle_turns_total"), &figures->turns);
        find_metric(buf_str(&text), STR("heddle_turn_nanoseconds_total"), &figures->turn_ns);
        find_metric(buf_str(&text), STR("heddle_status_pending"), &figures->pending);
    }
    buf_release(&text);
    return ok;
}

/* The first number of each thread's schedstat: nanoseconds on a CPU. */
static uint64_t read_cpu(int pid)
{
    char path[512];
    uint64_t sum = 0, value;
    struct buf text;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL) {
        return 0;
    }
    buf_init(&text, TEXT_MAX);
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        struct dirent *task = readdir(tasks);
        if (task == NULL) {
            break;
        }
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, task->d_name);
        if (read_file(path, &text)) {
            struct str rest = buf_str(&text);
            sum += str_to_u64(str_cut(&rest, ' '), &value) ? value : 0;
        }
    }
    buf_release(&text);
    closedir(tasks);
    return sum;
}

/* "VmRSS:     1234 kB" */
static uint64_t find_kib(struct str status, struct str key)
{
    uint64_t value = 0;

    while (status.len > 0) {
        struct str line = str_cut(&status, '\n');
        if (str_starts_with(line, key)) {
            struct str number = str_trim(str_sub(line, key.len, line.len));
            str_to_u64(str_cut(&number, ' '), &value);
            break;
        }
    }
    return value;
}

bool target_read(const struct target *target, struct figures *ret_figures, struct err *err)
{
    struct figures figures = {.cpu_ns = read_cpu(target->pid)};
    char path[64];
    struct buf status;

    if (!read_metrics(target, &figures, err)) {
        return false;
    }
    buf_init(&status, TEXT_MAX);
    snprintf(path, sizeof(path), "/proc/%d/status", target->pid);
    bool ok = read_file(path, &status) || err_set_errno(err, errno, "cannot read '%s'", path);
    figures.rss_kib = find_kib(buf_str(&status), STR("VmRSS:"));
    figures.peak_kib = find_kib(buf_str(&status), STR("VmHWM:"));
    buf_release(&status);
    if (ok) {
        *ret_figures = figures;
    }
    return ok;
}
