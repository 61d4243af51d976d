/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format: which forms of text do the APIs demand?
 *
 * What the CRDs and Kubernetes' core validation say as patterns, as functions with words for the
 * message. A format also bounds the length, so that a field table names one thing only.
 */
#ifndef HEDDLE_MODEL_FORMAT_H
#define HEDDLE_MODEL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct format {
    const char *name;   /* "an RFC 1123 label" */
    const char *remedy; /* "use lower case letters, digits and '-', starting and ending with …" */
    bool (*matches)(struct str text);
    size_t max;       /* bytes; 0: no bound */
    bool allow_empty; /* else a text has at least one byte */
};

extern const struct format format_label;            /* RFC 1123 label */
extern const struct format format_subdomain;        /* RFC 1123 subdomain */
extern const struct format format_service_name;     /* RFC 1035 label */
extern const struct format format_port_name;        /* IANA service name */
extern const struct format format_slice_port_name;  /* an RFC 1123 label, or empty */
extern const struct format format_external_name;    /* a subdomain, also with a final dot */
extern const struct format format_object_name;      /* 1 to 253 bytes; the kind says the rest */
extern const struct format format_hostname;         /* a precise one */
extern const struct format format_hostname_any;     /* may begin with "*." */
extern const struct format format_server_name;      /* the same, but no IP address: of TLS (SNI) */
extern const struct format format_group;            /* a subdomain, or empty for the core group */
extern const struct format format_kind;             /* "HTTPRoute" */
extern const struct format format_header_name;      /* also query parameters and cookies */
extern const struct format format_header_value;     /* visible ASCII, single blanks inside */
extern const struct format format_any_value;        /* 1 to 4096 bytes */
extern const struct format format_query_value;      /* 1 to 1024 bytes */
extern const struct format format_cookie_path;      /* goes into Set-Cookie as it stands */
extern const struct format format_text;             /* at most 1024 bytes */
extern const struct format format_url_path;         /* at most 1024 bytes */
extern const struct format format_origin;           /* such as "https://example.com:8443", or "*" */
extern const struct format format_label_value;      /* may be empty */
extern const struct format format_label_key;        /* "app.kubernetes.io/name" */
extern const struct format format_annotation_key;   /* a label key of any case */
extern const struct format format_annotation_value; /* at most 4096 bytes, in the Gateway API */
extern const struct format format_ip;               /* IPv4 or IPv6 */
extern const struct format format_cluster_ip;       /* an IP, "None" or empty */
extern const struct format format_qualified_name;   /* of appProtocol: as a label key */
/* Of Gateways and BackendTLSPolicies: what the CRDs' patterns take, which are not always what their
 * authors meant. */
extern const struct format format_listener_protocol; /* "HTTPS" or "example.com/quic" */
extern const struct format format_address_type;      /* "IPAddress" or "example.com/name" */
extern const struct format format_address_value;     /* at most 253 bytes; the type says the rest */
extern const struct format format_routability;       /* "Cluster", "example.com/wan", or empty */
extern const struct format format_uri;               /* absolute, with an authority */
extern const struct format format_well_known;        /* "System" or "example.com/set" */

bool format_is_label(struct str text);
bool format_is_label_value(struct str text);
bool format_is_ipv4(struct str text);
bool format_is_ipv6(struct str text);
bool format_is_path(struct str text); /* only characters that a URL path may have */
bool format_is_grpc_service(struct str text);
bool format_is_grpc_method(struct str text);

/* GEP-2257: one to four of <digits><h|m|s|ms>. Values beyond FORMAT_DURATION_MAX_MS (11 years) are
 * taken as that. */
#define FORMAT_DURATION_MAX_MS ((int64_t)99999 * 3600 * 1000)
bool format_read_duration(struct str text, int64_t *ret_ms);
void format_write_duration(int64_t ms, struct buf *out); /* "1h30m", "0s" */

#endif
