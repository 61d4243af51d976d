/* SPDX-License-Identifier: Apache-2.0 */
/*
 * letter: what thread 0 and the workers write to each other. A letter owns all it carries;
 * whoever takes something out of it leaves NULL (or -1) behind.
 */
#ifndef HEDDLE_SERVE_LETTER_H
#define HEDDLE_SERVE_LETTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "net/mailbox.h"
#include "serve/client_status.h"
#include "serve/serve.h"

struct blob;
struct census_job;
struct peer;
struct tls_context;
struct report_job;

enum letter_kind {
    /* thread 0 to a worker */
    LETTER_ADOPT,
    LETTER_CHANGES,
    LETTER_VIEW,
    LETTER_REFUSE,
    LETTER_ASK,   /* answered by LETTER_REPORT */
    LETTER_COUNT, /* answered by LETTER_COUNTED */
    LETTER_CENSUS,
    LETTER_WATCH, /* answered by LETTER_ACKS, again and again */
    LETTER_UNWATCH,
    LETTER_STOP,
    /* a worker to thread 0 */
    LETTER_OPENED,
    LETTER_CLOSED,
    LETTER_CONN_CLOSED,
    LETTER_INTEREST,
    LETTER_REJECTED,
    LETTER_ACCEPTED,
    LETTER_DROPPED,
    LETTER_REPORT,
    LETTER_ASKED, /* answered by LETTER_CENSUS */
    LETTER_COUNTED,
    LETTER_ACKS,
};

struct counted_client {
    struct str node_id;
    struct str config; /* a field of ClientStatusResponse */
};

struct acks_told {
    watch_id id;
    struct acks acks; /* of the worker's streams */
};

struct letter {
    struct mail mail;
    enum letter_kind kind;
    unsigned worker;    /* of the letters to thread 0 */
    stream_id id;       /* of letters about one stream */
    struct arena arena; /* holds all texts and arrays below */
    union {
        struct {
            int fd; /* -1: taken */
            struct sockaddr_storage peer;
            struct tls_context *tls; /* a reference, or NULL */
            struct peer *account;    /* comes back with LETTER_CONN_CLOSED */
        } adopt;
        struct changeset *changes; /* a reference */
        struct view view;
        struct {
            int status; /* of gRPC */
            struct str text;
        } refuse;
        struct {
            struct report_job *job;
            struct str node_id;
            bool resources;
        } ask;
        struct {
            struct census_job *job;
            struct client_filter filter;
        } count;
        struct {
            struct blob *response; /* a reference, or NULL */
            struct str refused;    /* why there is none */
        } census;
        struct { /* LETTER_WATCH, LETTER_UNWATCH: id alone */
            watch_id id;
            struct acks_name *names;
            size_t len;
        } watch;
        unsigned grace_ms; /* LETTER_STOP */
        struct {
            struct node *node;
            struct str peer;
            enum stream_protocol protocol;
        } opened;
        struct peer *account; /* LETTER_CONN_CLOSED */
        struct {
            enum xds_type type;
            struct str scope;
            struct str name;
            bool wanted;
        } interest;
        struct { /* LETTER_REJECTED, LETTER_ACCEPTED */
            enum xds_type type;
            struct resource **of; /* references */
            size_t nof;
            struct str text;
        } verdict;
        struct {
            enum xds_type type;
            struct str name;
        } dropped;
        struct {
            struct report_job *job;
            struct stream_report *reports; /* in the arena; their resources are owned */
            size_t len;
        } report;
        struct { /* id: of the call, as its worker knows it */
            struct client_filter filter;
        } asked;
        struct {
            struct census_job *job;
            struct counted_client *clients;
            size_t len;
            bool too_much; /* the last one is not whole, and there may be more */
        } counted;
        struct {
            struct acks_told *items;
            size_t len;
        } acks;
    };
};

struct letter *letter_new(enum letter_kind kind);
void letter_free(struct letter *letter);
void letter_drop(void *owner, struct mail *mail); /* a mail_deliver_fn that only frees */

#endif
