/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: an xDS client of a scenario. It behaves as the real ones do: it acknowledges, asks for
 * what the resources name, and leaves what nothing names any more.
 *
 *   envoy-delta, envoy-sotw   all clusters and listeners; assignments and routes as named
 *   grpc-go, grpc-core        SotW; listeners as dialled, all else as named; of a response that
 *                             they reject they use what the rejection does not name
 *
 * What it hears is kept as lines that scripts compare:
 *   "rds +a =b -c"   a is new or changed, b was sent again as it is, c is gone
 */
#ifndef HEDDLE_TESTS_CLIENT_H
#define HEDDLE_TESTS_CLIENT_H

#include "base/map.h"
#include "base/vec.h"
#include "world.h"

enum client_kind { ENVOY_DELTA, ENVOY_SOTW, GRPC_GO, GRPC_CORE };

struct names { /* sorted, unique, owned */
    VEC(char *) list;
};

struct client_type {
    struct names asked;
    VEC(struct resource *) known; /* what it has, references; no order */
    bool said;                    /* a request of the type was sent */
    bool hold;                    /* do not answer yet */
    bool owes;                    /* an answer */
    char *reject;                 /* words for the next response, or NULL */
    char *nonce;
    char *version;
};

struct client {
    struct world *world;
    char *name;
    char *node_id;
    char *metadata; /* "key=value …" */
    enum client_kind kind;
    stream_id id;
    struct stream *stream;            /* NULL: closed */
    const struct mesh_client *opened; /* waits for its view */
    _Atomic unsigned demanded;        /* names */
    bool said_node;
    char *refused;
    struct names dialled;
    struct client_type types[XDS_TYPE_COUNT];
    VEC(struct buf) inbox;
    size_t inbox_next;
    VEC(char *) heard;
    size_t heard_next;
};

bool client_kind_from(struct str text, enum client_kind *ret_kind);
/* Connects. All texts are copied. */
struct client *client_new(struct world *world, struct str name, struct str node_id,
                          enum client_kind kind, struct str metadata);
void client_free(struct client *client);
void client_close(struct client *client);
/* A new stream; what it has it tells (delta). Without `memory` it has nothing. */
void client_connect(struct client *client, bool memory);

void client_dial(struct client *client, struct str name, bool wanted);
void client_hold(struct client *client, enum xds_type type);
void client_ack(struct client *client, enum xds_type type); /* what was held */
void client_reject_next(struct client *client, enum xds_type type, struct str text);

/* --- for world.c --------------------------------------------------------------------------- */
void client_hear(struct client *client, const struct response *response);
void client_refused(struct client *client, const char *text);
/* Handles one message, or says what it has to say; false: nothing to do. */
bool client_step(struct client *client);

#endif
