/* SPDX-License-Identifier: Apache-2.0 */
/* question: what is asked of explain: one request, or connection, of one client, as a URL says
 * it. */
#ifndef HEDDLE_PIPELINE_QUESTION_H
#define HEDDLE_PIPELINE_QUESTION_H

#include "ir/request.h"
#include "pipeline/view.h"

enum question_about {
    ABOUT_REQUEST, /* http, https, grpc, xds */
    ABOUT_TCP,     /* a connection that does not begin with a ClientHello */
    ABOUT_TLS,     /* one that does */
    ABOUT_UDP      /* datagrams */
};

struct question {
    const struct client_class *client;
    int about;              /* enum question_about */
    bool https;             /* a request that is made by TLS */
    struct str server_name; /* that the ClientHello asks for; empty: none. ABOUT_TLS, https */
    struct str host; /* a Service's name, in any of the forms clients may dial, or a ClusterIP; what
                        is asked of a Gateway: the name of the site */
    int32_t port;
    struct str authority; /* of an xds URL (gRFC A47); empty: none */
    bool fragment;        /* the URL had a '#': what follows it stays with the client */
    struct request request;
};

/* "METHOD", "http://host:port/path?query"; scheme http, https, grpc or xds (xds:///host:port/path,
 * xds://authority/host:port/path). The path stays as it is written, nothing is decoded or
 * shortened. Or of a connection: method empty, tcp://host:port, tls://host:port or udp://host:port.
 * Sets all but client; the texts of ret_question point into url and the arena. */
bool question_parse(struct str method, struct str url, struct arena *arena,
                    struct question *ret_question, struct err *err);

/* "name: value", into request. */
bool question_add_header(struct str header, struct request *request, struct err *err);

/* The name that a ClientHello asks for is the host, where that is none of an address, but for what
 * is said here. */
bool question_set_server_name(struct str name, struct question *question, struct err *err);

/* Whether its client makes such requests, or gets them: a proxyless one makes gRPC calls only, TLS
 * and UDP are for Gateways. */
bool question_fits(const struct question *question, struct err *err);

#endif
