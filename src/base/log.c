/* SPDX-License-Identifier: Apache-2.0 */
/* log: makes up one line aside and writes it in one piece, or leaves that to a thread. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/metric.h"
#include "base/panic.h"

#define LOG_VALUE_MAX 512 /* bytes of a value, before escapes */
/* a longer line is left out: its caller passes too many values */
#define LOG_LINE_MAX (64u << 10)
#define LOG_WINDOW_NS UINT64_C(5000000000)
#define LOG_WINDOW_LINES 10

static const char *const level_names[] = {"debug", "info", "warn", "error"};
#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

static _Atomic int threshold = LOG_INFO;
static _Atomic uint32_t dropped; /* lines, since the last that passed */

static enum {
    MODE_DIRECT,   /* callers write */
    MODE_QUEUE,    /* the writer writes */
    MODE_STOPPING, /* it writes what waits, then it ends */
    MODE_SILENT,   /* it did not end in time */
} mode;
static struct buf waiting; /* lines for the writer */
static pthread_t writer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the mode and what waits */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void log_set_level(enum log_level level)
{
    threshold = (int)level;
}

bool log_level_parse(struct str text, enum log_level *ret_level)
{
    for (unsigned i = 0; i < LEVEL_COUNT; i++) {
        if (str_eq(text, str_from(level_names[i]))) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= threshold;
}

/* Whether this call site may write now; *ret_suppressed is what it kept back since it last did.
 * Two threads that open a window at once may let a line more through: harmless. */
static bool site_admits(struct log_site *site, uint32_t *ret_suppressed)
{
    uint64_t now = clock_mono_ns();
    uint64_t window = site->window;
    if (window == 0 || now - window >= LOG_WINDOW_NS) {
        if (atomic_compare_exchange_strong(&site->window, &window, now)) {
            site->lines = 0;
        }
    }
    if (atomic_fetch_add(&site->lines, 1) >= LOG_WINDOW_LINES) {
        atomic_fetch_add(&site->suppressed, 1);
        return false;
    }
    *ret_suppressed = atomic_exchange(&site->suppressed, 0);
    return true;
}

static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F) {
            return false;
        }
    }
    return value.len != 0 && value.len <= LOG_VALUE_MAX;
}

/* One character: as it is, or escaped so that a line stays a line. */
static void add_escaped(struct buf *line, struct str value, size_t at, size_t len)
{
    unsigned char c = (unsigned char)value.ptr[at];
    if (c == '\n') {
        buf_add_text(line, "\\n");
    } else if (c == '"' || c == '\\') {
        buf_printf(line, "\\%c", c);
    } else if (len == 0 || c < ' ' || c == 0x7F) {
        buf_printf(line, "\\x%02x", c);
    } else {
        buf_add(line, value.ptr + at, len);
    }
}

static void add_value(struct buf *line, struct str value)
{
    if (is_plain(value)) {
        buf_add_str(line, value);
        return;
    }
    buf_add_byte(line, '"');
    size_t at = 0;
    while (at < value.len) {
        size_t len = str_utf8_len(value, at);
        size_t step = len != 0 ? len : 1;
        if (at + step > LOG_VALUE_MAX) {
            buf_add_text(line, "...");
            break;
        }
        add_escaped(line, value, at, len);
        at += step;
    }
    buf_add_byte(line, '"');
}

/* --- who writes ------------------------------------------------------------------------------ */

static void write_all(struct str text)
{
    while (text.len != 0) {
        ssize_t done = write(STDERR_FILENO, text.ptr, text.len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            break; /* nobody reads: there is no one left to tell */
        }
        text = str_sub(text, (size_t)done, text.len);
    }
}

/* Takes all that waits in one step and writes it without the lock. */
static void *run_writer(void *arg)
{
    struct buf taken;
    (void)arg;
    buf_init(&taken, BUF_UNLIMITED);
    pthread_mutex_lock(&lock);
    while (mode == MODE_QUEUE || waiting.len > 0) {
        if (waiting.len == 0) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        struct buf empty = taken;
        taken = waiting;
        waiting = empty;
        pthread_mutex_unlock(&lock);
        write_all(buf_str(&taken));
        buf_clear(&taken);
        pthread_mutex_lock(&lock);
    }
    buf_release(&waiting);
    mode = mode == MODE_STOPPING ? MODE_DIRECT : mode;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    buf_release(&taken);
    return NULL;
}

void log_start(void)
{
    ASSERT(mode == MODE_DIRECT);
    buf_init(&waiting, BUF_UNLIMITED);
    mode = MODE_QUEUE;
    if (pthread_create(&writer, NULL, run_writer, NULL) != 0) {
        mode = MODE_DIRECT;
    }
}

void log_stop(void)
{
    struct timespec end;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LOG_STOP_MS / 1000;
    pthread_mutex_lock(&lock);
    bool queued = mode == MODE_QUEUE;
    mode = queued ? MODE_STOPPING : mode;
    pthread_cond_signal(&changed);
    while (mode == MODE_STOPPING && rc == 0) {
        rc = pthread_cond_timedwait(&changed, &lock, &end);
    }
    bool ended = mode == MODE_DIRECT;
    mode = ended ? mode : MODE_SILENT;
    buf_clear(&waiting);
    pthread_mutex_unlock(&lock);
    if (queued && ended) {
        pthread_join(writer, NULL);
    } else if (queued) {
        pthread_detach(writer); /* it waits for a reader, and ends when there is one */
    }
}

/* False: the line was dropped. */
static bool put_line(struct str line)
{
    bool put = true;
    pthread_mutex_lock(&lock);
    if (mode == MODE_DIRECT) {
        write_all(line);
    } else if (mode == MODE_QUEUE && waiting.len + line.len <= LOG_QUEUE_MAX) {
        buf_add_str(&waiting, line);
        pthread_cond_signal(&changed);
    } else {
        put = false;
    }
    pthread_mutex_unlock(&lock);
    return put;
}

/* --- lines ----------------------------------------------------------------------------------- */

void log_write(struct log_site *site, enum log_level level, const char *mod, const char *msg,
               const struct log_kv *kvs, unsigned nkvs)
{
    uint32_t suppressed;
    if (!log_enabled(level) || !site_admits(site, &suppressed)) {
        return;
    }
    struct buf line;
    buf_init(&line, LOG_LINE_MAX);
    char now[CLOCK_RFC3339_LEN];
    clock_rfc3339(clock_wall_ms(), now);
    buf_printf(&line, "ts=%s level=%s mod=%s msg=", now, level_names[level], mod);
    add_value(&line, str_from(msg));
    for (unsigned i = 0; i < nkvs; i++) {
        buf_printf(&line, " %s=", kvs[i].key);
        if (kvs[i].is_number) {
            buf_printf(&line, "%" PRId64, kvs[i].number);
        } else {
            add_value(&line, kvs[i].value);
        }
    }
    if (suppressed != 0) {
        buf_printf(&line, " suppressed=%" PRIu32, suppressed);
    }
    uint32_t lost = atomic_exchange(&dropped, 0);
    if (lost != 0) {
        buf_printf(&line, " dropped=%" PRIu32, lost);
    }
    buf_add_byte(&line, '\n');
    if (buf_ok(&line) && !put_line(buf_str(&line))) {
        atomic_fetch_add(&dropped, lost + 1);
        metric_add(M_log_lines_dropped, 1);
    }
    buf_release(&line);
}
