/* SPDX-License-Identifier: Apache-2.0 */
/* log: makes up one line aside and writes it in one piece. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define LOG_VALUE_MAX 512 /* bytes of a value, before escapes */
/* a longer line is left out: its caller passes too many values */
#define LOG_LINE_MAX (64u << 10)
#define LOG_WINDOW_NS UINT64_C(5000000000)
#define LOG_WINDOW_LINES 10

static const char *const level_names[] = {"debug", "info", "warn", "error"};
#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

static _Atomic int threshold = LOG_INFO;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

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

static void write_all(struct str line)
{
    pthread_mutex_lock(&write_lock);
    while (line.len != 0) {
        ssize_t done = write(STDERR_FILENO, line.ptr, line.len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            break; /* nobody reads: there is no one left to tell */
        }
        line = str_sub(line, (size_t)done, line.len);
    }
    pthread_mutex_unlock(&write_lock);
}

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
    buf_add_byte(&line, '\n');
    if (buf_ok(&line)) {
        write_all(buf_str(&line));
    }
    buf_release(&line);
}
