/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: one line of key=value per event, to standard error.
 *
 *   ts=2026-11-23T11:46:58.123Z level=warn mod=source msg="file does not parse" file=a.yaml line=3
 *
 * Values are quoted and escaped when they need it, cut at 512 bytes, and never hold secrets or
 * message bodies. Each call site has a rate limit of 10 lines in 5 seconds; what was suppressed is
 * counted in the next line that passes (suppressed=N).
 * Only app, agent, pipeline, source, serve, status, provision, kube, ca, webhook and admin log;
 * lower layers return what happened. Thread safe (one of the two places with a mutex).
 *
 * Nobody who logs waits for who reads: between log_start() and log_stop() a thread of its own
 * writes, and a line for which LOG_QUEUE_MAX has no room is dropped, counted in the next line that
 * passes (dropped=N) and in heddle_log_lines_dropped_total. A panic does not wait for the thread.
 */
#ifndef HEDDLE_BASE_LOG_H
#define HEDDLE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LOG_QUEUE_MAX (256u << 10) /* bytes that wait for standard error */
#define LOG_STOP_MS 1000

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_site {            /* one static instance for each call site */
    _Atomic uint64_t window; /* start of the present window, mono ns */
    _Atomic uint32_t lines;
    _Atomic uint32_t suppressed;
};

struct log_kv {
    const char *key; /* lower case with underscores */
    struct str value;
    int64_t number;
    bool is_number;
};

#define KV(k, s) ((struct log_kv){.key = (k), .value = (s)})
#define KV_TEXT(k, cstr) ((struct log_kv){.key = (k), .value = str_from(cstr)})
#define KV_INT(k, n) ((struct log_kv){.key = (k), .number = (int64_t)(n), .is_number = true})

void log_set_level(enum log_level level);
bool log_level_parse(struct str text, enum log_level *ret_level);
bool log_enabled(enum log_level level);
/* Before it, each line is written by its caller: commands have nobody whom that would keep waiting.
 */
void log_start(void);
/* Writes what waits, unless that takes longer than LOG_STOP_MS: then no more is written at all. */
void log_stop(void);
void log_write(struct log_site *site, enum log_level level, const char *mod, const char *msg,
               const struct log_kv *kvs, unsigned nkvs);

/* log_at(LOG_WARN, "source", "file does not parse", KV("file", name), KV_INT("line", 3)); */
#define log_at(level, mod, msg, ...)                                                               \
    do {                                                                                           \
        static struct log_site log_site_;                                                          \
        if (log_enabled(level)) {                                                                  \
            const struct log_kv log_kvs_[] = {{.key = NULL}, ##__VA_ARGS__};                       \
            log_write(&log_site_, (level), (mod), (msg), log_kvs_ + 1,                             \
                      (unsigned)(sizeof(log_kvs_) / sizeof(log_kvs_[0])) - 1);                     \
        }                                                                                          \
    } while (0)

#endif
