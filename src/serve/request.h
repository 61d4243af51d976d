/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request: a discovery request of either protocol in one form.
 * Decoded by sotw_decode() and delta_decode() from a peer's bytes, after pb_guard().
 */
#ifndef HEDDLE_SERVE_REQUEST_H
#define HEDDLE_SERVE_REQUEST_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "codec/hash.h"
#include "serve/node.h"
#include "serve/outline.h"
#include "snapshot/type.h"

#define REQUEST_DEPTH_MAX 100 /* nested messages (a node's metadata) */
#define REQUEST_MESSAGES_MAX 60000
#define REQUEST_ELEMENTS_MAX 200000

struct request_version {
    struct str name;
    struct str version;
};

struct request {
    struct list link;   /* while it waits for the stream's view */
    struct arena arena; /* holds the request itself and all it points to */
    size_t bytes;       /* on the wire */
    struct str type_url;
    bool known_type;
    enum xds_type type; /* when known_type */
    struct str nonce;   /* of the response this answers; empty: none */
    bool rejects;       /* error_detail is set */
    struct str error_text;
    struct hash names_hash; /* SotW: {0, 0}: none; a known one: they are left out below */
    struct str *names;      /* SotW: all that are subscribed; delta: to be subscribed */
    size_t nnames;
    struct str *unsubscribe; /* delta */
    size_t nunsubscribe;
    struct request_version *initial; /* delta: what the client has */
    size_t ninitial;
    struct node *node; /* owned; NULL: none, or not asked for */
};

/* What a stream said before and need not be unpacked again when it repeats it. */
struct request_known {
    bool node;
    struct hash names[XDS_TYPE_COUNT]; /* SotW: names_hash of the last request; {0, 0}: none */
};

/* The node is skipped unread when it is known. */
typedef bool request_decode_fn(struct str bytes, const struct request_known *known,
                               struct request **ret_request, struct err *err);
request_decode_fn sotw_decode;
request_decode_fn delta_decode;
void request_free(struct request *request);

/* --- for the decoders ------------------------------------------------------------------------ */
struct request *request_new(struct str bytes);
/* Guards and unpacks into the request's arena, without the fields whose bits are set in left_out
 * (all of them when there is no outline). */
ProtobufCMessage *request_unpack(struct request *request, const ProtobufCMessageDescriptor *type,
                                 struct str bytes, const struct outline *outline, uint32_t left_out,
                                 struct err *err);
struct str *request_strs(struct request *request, char *const *texts, size_t len);
void request_set_type(struct request *request, const char *url);

/* A packed Node message in unpacked form (envoy.config.core.v3.Node). */
struct node *node_decode(const ProtobufCMessage *message);

#endif
