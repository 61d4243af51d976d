/* SPDX-License-Identifier: Apache-2.0 */
/* format: is this text a name, a hostname, a header, an address …? Pure functions over bytes. */
#include <arpa/inet.h>
#include <string.h>

#include "model/format.h"

#define LABEL_MAX 63
#define SUBDOMAIN_MAX 253
#define PORT_NAME_MAX 15
#define HEADER_NAME_MAX 256
#define HEADER_VALUE_MAX 4096
#define TEXT_MAX 1024
#define PROTOCOL_MAX 255
#define ANNOTATION_VALUE_MAX 4096

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
    return is_alpha(c) || is_digit(c);
}

static bool is_lower_alnum(char c)
{
    return is_lower(c) || is_digit(c);
}

/* Begins and ends with an `edge` byte; in between also those of `extra`. */
static bool has_edges(struct str s, bool (*edge)(char c), const char *extra)
{
    if (s.len == 0 || !edge(s.ptr[0]) || !edge(s.ptr[s.len - 1])) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!edge(s.ptr[i]) && (s.ptr[i] == '\0' || strchr(extra, s.ptr[i]) == NULL)) {
            return false;
        }
    }
    return true;
}

bool format_is_label(struct str text)
{
    return text.len <= LABEL_MAX && has_edges(text, is_lower_alnum, "-");
}

static bool is_subdomain(struct str text)
{
    while (text.ptr != NULL) {
        if (!has_edges(str_cut(&text, '.'), is_lower_alnum, "-")) {
            return false;
        }
    }
    return true;
}

static bool is_nonempty_subdomain(struct str text)
{
    return text.len > 0 && is_subdomain(text);
}

static bool is_label_or_empty(struct str text)
{
    return text.len == 0 || format_is_label(text);
}

static bool is_external_name(struct str text)
{
    return is_nonempty_subdomain(str_ends_with(text, STR(".")) ? str_sub(text, 0, text.len - 1)
                                                               : text);
}

static bool is_service_name(struct str text)
{
    return format_is_label(text) && is_lower(text.ptr[0]);
}

static bool is_port_name(struct str text)
{
    bool letter = false;
    for (size_t i = 0; i < text.len; i++) {
        letter = letter || is_lower(text.ptr[i]);
    }
    return letter && has_edges(text, is_lower_alnum, "-") && !str_contains(text, STR("--"));
}

static bool is_hostname_any(struct str text)
{
    if (str_starts_with(text, STR("*."))) {
        text = str_sub(text, 2, text.len);
    }
    return is_nonempty_subdomain(text);
}

/* "Literal IPv4 and IPv6 addresses are not permitted" (RFC 6066, 3); those of IPv6 have ':'. */
static bool is_server_name(struct str text)
{
    return is_hostname_any(text) && !format_is_ipv4(text);
}

static bool is_group(struct str text)
{
    return text.len == 0 || is_subdomain(text);
}

static bool is_kind(struct str text)
{
    return has_edges(text, is_alnum, "-") && is_alpha(text.ptr[0]);
}

static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!is_alnum(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return text.len > 0;
}

static bool is_header_value(struct str text)
{
    bool blank = true; /* the byte before was none that shows */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool visible = c >= '!' && c <= '~';
        if (!visible && (blank || (c != ' ' && c != '\t'))) {
            return false;
        }
        blank = !visible;
    }
    return !blank;
}

/* What may stand in Set-Cookie as the Path (RFC 6265 §4.1.1: any character but control characters
 * and
 * ';'); a blank or a byte beyond ASCII is in no request's path. */
static bool is_cookie_path(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || text.ptr[i] == ';') {
            return false;
        }
    }
    return true;
}

/* But NUL: protobuf's C strings end there, and a match would mean something else. */
static bool is_anything(struct str text)
{
    return text.len == 0 || memchr(text.ptr, '\0', text.len) == NULL;
}

/* One to five digits behind a colon, or nothing. */
static bool is_port_suffix(struct str text)
{
    if (text.ptr == NULL) {
        return true;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i])) {
            return false;
        }
    }
    return text.len >= 1 && text.len <= 5;
}

static bool is_origin(struct str text)
{
    if (str_eq(text, STR("*"))) {
        return true;
    }
    if (str_starts_with(text, STR("http://"))) {
        text = str_sub(text, 7, text.len);
    } else if (str_starts_with(text, STR("https://"))) {
        text = str_sub(text, 8, text.len);
    } else {
        return false;
    }
    struct str host = str_cut(&text, ':');
    if (!is_port_suffix(text)) {
        return false;
    }
    if (str_eq(host, STR("*"))) {
        return true;
    }
    if (str_starts_with(host, STR("*."))) {
        host = str_sub(host, 2, host.len);
    }
    do {
        struct str label = str_cut(&host, '.');
        for (size_t i = 0; i < label.len; i++) {
            if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-') {
                return false;
            }
        }
        if (label.len == 0) {
            return false;
        }
    } while (host.ptr != NULL);
    return true;
}

static bool is_qualified_name(struct str text)
{
    struct str name = text;
    struct str prefix = str_cut(&name, '/');
    if (name.ptr == NULL) {
        name = prefix;
    } else if (prefix.len > SUBDOMAIN_MAX || !is_nonempty_subdomain(prefix)) {
        return false;
    }
    return name.len <= LABEL_MAX && has_edges(name, is_alnum, "-_.");
}

/* Kubernetes lowers annotation keys before it looks at their form. */
static bool is_annotation_key(struct str text)
{
    char lower[SUBDOMAIN_MAX + 1 + LABEL_MAX];
    if (text.len > sizeof(lower)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return is_qualified_name(str_span(lower, text.len));
}

bool format_is_label_value(struct str text)
{
    return text.len == 0 || (text.len <= LABEL_MAX && has_edges(text, is_alnum, "-_."));
}

static bool is_address(int family, struct str text)
{
    char buffer[INET6_ADDRSTRLEN];
    uint8_t address[16];
    if (text.len == 0 || text.len >= sizeof(buffer) || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(buffer, text.ptr, text.len);
    buffer[text.len] = '\0';
    return inet_pton(family, buffer, address) == 1;
}

bool format_is_ipv4(struct str text)
{
    return is_address(AF_INET, text);
}

bool format_is_ipv6(struct str text)
{
    return is_address(AF_INET6, text);
}

static bool is_ip(struct str text)
{
    return format_is_ipv4(text) || format_is_ipv6(text);
}

static bool is_cluster_ip(struct str text)
{
    return text.len == 0 || str_eq(text, STR("None")) || is_ip(text);
}

bool format_is_path(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            if (i + 2 >= text.len || str_hex_digit(text.ptr[i + 1]) < 0 ||
                str_hex_digit(text.ptr[i + 2]) < 0) {
                return false;
            }
            i += 2;
        } else if (!is_alnum(c) && (c == '\0' || strchr("-/._~!$&'()*+,;=:@", c) == NULL)) {
            return false;
        }
    }
    return text.len > 0;
}

bool format_is_grpc_method(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!is_alpha(c) && c != '_' && (i == 0 || !is_digit(c))) {
            return false;
        }
    }
    return text.len > 0;
}

bool format_is_grpc_service(struct str text)
{
    if (str_starts_with(text, STR("."))) {
        text = str_sub(text, 1, text.len);
    }
    if (text.len == 0) {
        return false;
    }
    while (text.ptr != NULL) {
        if (!format_is_grpc_method(str_cut(&text, '.'))) {
            return false;
        }
    }
    return true;
}

/* --- of Gateways and BackendTLSPolicies ---------------------------------------------------- */

static bool is_all(struct str text, bool (*matches)(char c), const char *extra)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!matches(text.ptr[i]) && (text.ptr[i] == '\0' || strchr(extra, text.ptr[i]) == NULL)) {
            return false;
        }
    }
    return text.len > 0;
}

/* The pattern's second half is not anchored: of a domain only the last byte counts. */
static bool is_listener_protocol(struct str text)
{
    size_t slash = str_rindex(text, '/');
    if (has_edges(text, is_alnum, "-")) {
        return true;
    }
    return slash > 0 && slash < text.len && is_lower_alnum(text.ptr[slash - 1]) &&
           is_all(str_sub(text, slash + 1, text.len), is_alnum, "");
}

/* Neither are the alternatives of this one: the names may stand among other text. */
static bool is_address_type(struct str text)
{
    if (str_starts_with(text, STR("Hostname")) || str_contains(text, STR("IPAddress")) ||
        str_contains(text, STR("NamedAddress"))) {
        return true;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] == '/' && is_lower_alnum(text.ptr[i - 1]) &&
            is_all(str_sub(text, i + 1, text.len), is_alnum, "/-._~%!$&'()*+,;=:")) {
            return true;
        }
    }
    return false;
}

static bool is_uri(struct str text)
{
    size_t scheme = 0;
    while (scheme < text.len && strchr(":/?#", text.ptr[scheme]) == NULL) {
        scheme++;
    }
    return scheme > 0 && str_starts_with(str_sub(text, scheme, text.len), STR("://"));
}

static bool is_well_known(struct str text)
{
    return str_eq(text, STR("System")) ||
           (str_index(text, '/') < text.len && is_qualified_name(text));
}

/* "Prefixes equal to k8s.io or ending in .k8s.io are reserved" (GEP-5093). */
static bool is_routability(struct str text)
{
    size_t slash = str_index(text, '/');
    struct str domain = str_sub(text, 0, slash);
    bool reserved = str_eq(domain, STR("k8s.io")) || str_ends_with(domain, STR(".k8s.io"));
    return text.len == 0 || str_eq(text, STR("Cluster")) ||
           (slash + 1 < text.len && is_nonempty_subdomain(domain) && !reserved);
}

/* ------------------------------------------------------------------------------------------- */

#define NAME_REMEDY "use lower case letters, digits and '-', with a letter or digit at both ends"

const struct format format_label = {"an RFC 1123 label", NAME_REMEDY, format_is_label, LABEL_MAX,
                                    false};
const struct format format_subdomain = {
    "an RFC 1123 subdomain",
    "use lower case letters, digits, '-' and '.', with a letter or digit at both ends of each part",
    is_nonempty_subdomain, SUBDOMAIN_MAX, false};
const struct format format_service_name = {
    "an RFC 1035 label", "use lower case letters, digits and '-', beginning with a letter",
    is_service_name, LABEL_MAX, false};
const struct format format_port_name = {
    "a port name",
    "use lower case letters, digits and single '-', at most 15, with at least one letter",
    is_port_name, PORT_NAME_MAX, false};
const struct format format_slice_port_name = {"an RFC 1123 label", NAME_REMEDY, is_label_or_empty,
                                              LABEL_MAX, true};
const struct format format_external_name = {"a DNS name", "write a name such as 'db.example.com'",
                                            is_external_name, SUBDOMAIN_MAX, false};
const struct format format_object_name = {"a name", "write the name of an object", is_anything,
                                          SUBDOMAIN_MAX, false};
const struct format format_hostname = {
    "a hostname", "write a name such as 'api.example.com': lower case, no port, no wildcard",
    is_nonempty_subdomain, SUBDOMAIN_MAX, false};
const struct format format_hostname_any = {
    "a hostname", "write a name such as 'api.example.com' or '*.example.com': lower case, no port",
    is_hostname_any, SUBDOMAIN_MAX, false};
const struct format format_server_name = {
    "a server name",
    "write a name such as 'api.example.com' or '*.example.com': lower case, no port, no address",
    is_server_name, SUBDOMAIN_MAX, false};
const struct format format_group = {
    "an API group", "write a group such as 'gateway.networking.k8s.io', or \"\" for the core group",
    is_group, SUBDOMAIN_MAX, true};
const struct format format_kind = {"a kind", "write a kind such as 'Service'", is_kind, LABEL_MAX,
                                   false};
const struct format format_header_name = {"an HTTP token",
                                          "use letters, digits and the characters !#$%&'*+-.^_`|~",
                                          is_token, HEADER_NAME_MAX, false};
const struct format format_header_value = {
    "a header value", "use visible ASCII characters with single blanks between them",
    is_header_value, HEADER_VALUE_MAX, false};
const struct format format_any_value = {"a value", "write a value without NUL characters",
                                        is_anything, HEADER_VALUE_MAX, false};
const struct format format_query_value = {"a value", "write a value without NUL characters",
                                          is_anything, TEXT_MAX, false};
const struct format format_text = {"a text", "shorten it", is_anything, TEXT_MAX, true};
const struct format format_cookie_path = {"a cookie's path",
                                          "leave out ';', blanks and control characters",
                                          is_cookie_path, TEXT_MAX, true};
const struct format format_url_path = {"a URL path", "escape other characters as '%XX'",
                                       format_is_path, TEXT_MAX, false};
const struct format format_origin = {"an origin",
                                     "write '*' or an origin such as 'https://*.example.com:8443'",
                                     is_origin, SUBDOMAIN_MAX, false};
const struct format format_label_key = {"a qualified name",
                                        "write a name such as 'app' or 'app.kubernetes.io/name'",
                                        is_qualified_name, SUBDOMAIN_MAX + 1 + LABEL_MAX, false};
const struct format format_annotation_key = {
    "a qualified name", "write a name such as 'note' or 'example.com/note'", is_annotation_key,
    SUBDOMAIN_MAX + 1 + LABEL_MAX, false};
const struct format format_ip = {"an IP address", "write an IPv4 or IPv6 address", is_ip,
                                 INET6_ADDRSTRLEN, false};
const struct format format_cluster_ip = {
    "a cluster IP", "write an IPv4 or IPv6 address, or 'None' for a headless Service",
    is_cluster_ip, INET6_ADDRSTRLEN, true};
const struct format format_qualified_name = {
    "a qualified name", "write a name such as 'http' or 'kubernetes.io/h2c'", is_qualified_name,
    SUBDOMAIN_MAX + 1 + LABEL_MAX, false};
const struct format format_label_value = {
    "a label value",
    "use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    format_is_label_value, 0, true};
const struct format format_annotation_value = {"a value", "write a value without NUL characters",
                                               is_anything, ANNOTATION_VALUE_MAX, true};
const struct format format_listener_protocol = {
    "a protocol", "write HTTP, HTTPS, TLS, TCP or UDP, or one such as 'example.com/quic'",
    is_listener_protocol, PROTOCOL_MAX, false};
const struct format format_address_type = {
    "a type of address", "write IPAddress or Hostname, or one such as 'example.com/name'",
    is_address_type, SUBDOMAIN_MAX, false};
const struct format format_address_value = {"an address", "shorten it", is_anything, SUBDOMAIN_MAX,
                                            true};
const struct format format_routability = {"the routability of an address",
                                          "write Cluster, or one such as 'example.com/wan'",
                                          is_routability, SUBDOMAIN_MAX, true};
const struct format format_uri = {"a URI", "write one such as 'spiffe://example.com/name'", is_uri,
                                  SUBDOMAIN_MAX, false};
const struct format format_well_known = {"a well-known set of certificates",
                                         "write System, or a set such as 'example.com/set'",
                                         is_well_known, SUBDOMAIN_MAX, false};
