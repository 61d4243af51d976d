/* SPDX-License-Identifier: Apache-2.0 */
/* addr: parses and prints "address:port". */
#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define ADDR_REMEDY "write ADDRESS:PORT, e.g. 127.0.0.1:15010 or [::1]:15010"

static bool addr_split(struct str text, struct str *ret_host, struct str *ret_port, bool *ret_six,
                       struct err *err)
{
    bool six = text.len > 0 && text.ptr[0] == '[';
    size_t colon = str_rindex(text, ':');
    size_t host_end = colon;
    if (six) {
        host_end = str_index(text, ']');
        if (host_end == text.len || colon != host_end + 1) {
            return err_set(err, "address '%.*s': " ADDR_REMEDY, STR_FMT(text));
        }
    }
    if (colon == text.len) {
        return err_set(err, "address '%.*s': no port; " ADDR_REMEDY, STR_FMT(text));
    }
    *ret_host = str_sub(text, six ? 1 : 0, host_end - (six ? 1 : 0));
    *ret_port = str_sub(text, colon + 1, text.len - colon - 1);
    *ret_six = six;
    return true;
}

bool addr_parse(struct str text, struct sockaddr_storage *ret_addr, struct err *err)
{
    struct str host = STR_NULL;
    struct str port_text = STR_NULL;
    bool six = false;
    if (!addr_split(text, &host, &port_text, &six, err)) {
        return false;
    }
    uint64_t port;
    if (!str_to_u64(port_text, &port) || port > UINT16_MAX) {
        return err_set(err, "address '%.*s': port '%.*s' is not a number from 0 to 65535",
                       STR_FMT(text), STR_FMT(port_text));
    }
    if (host.len == 0) {
        return err_set(err, "address '%.*s': no address; 0.0.0.0:%u means all of them",
                       STR_FMT(text), (unsigned)port);
    }
    char host_text[ADDR_TEXT_MAX] = "";
    if (!six && str_eq(host, STR("localhost"))) {
        host = STR("127.0.0.1");
    }
    if (host.len < sizeof(host_text)) {
        memcpy(host_text, host.ptr, host.len);
    }
    struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
    if (six) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr;
        if (inet_pton(AF_INET6, host_text, &in6->sin6_addr) == 1) {
            in6->sin6_family = AF_INET6;
            in6->sin6_port = htons((uint16_t)port);
        }
    } else {
        struct sockaddr_in *in4 = (struct sockaddr_in *)&addr;
        if (inet_pton(AF_INET, host_text, &in4->sin_addr) == 1) {
            in4->sin_family = AF_INET;
            in4->sin_port = htons((uint16_t)port);
        }
    }
    if (addr.ss_family == AF_UNSPEC) {
        return err_set(err, "address '%.*s': '%.*s' is not an IP address; " ADDR_REMEDY,
                       STR_FMT(text), STR_FMT(host));
    }
    *ret_addr = addr;
    return true;
}

void addr_host_text(const struct sockaddr_storage *addr, char ret_text[ADDR_TEXT_MAX])
{
    const char *text = NULL;
    if (addr->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)addr;
        text = inet_ntop(AF_INET, &in4->sin_addr, ret_text, ADDR_TEXT_MAX);
    } else if (addr->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
        text = inet_ntop(AF_INET6, &in6->sin6_addr, ret_text, ADDR_TEXT_MAX);
    }
    if (text == NULL) {
        snprintf(ret_text, ADDR_TEXT_MAX, "unknown");
    }
}

void addr_text(const struct sockaddr_storage *addr, char ret_text[ADDR_TEXT_MAX])
{
    char host[ADDR_TEXT_MAX];
    addr_host_text(addr, host);
    if (addr->ss_family == AF_INET) {
        snprintf(ret_text, ADDR_TEXT_MAX, "%.15s:%u", host, addr_port(addr));
    } else if (addr->ss_family == AF_INET6) {
        snprintf(ret_text, ADDR_TEXT_MAX, "[%.45s]:%u", host, addr_port(addr));
    } else {
        snprintf(ret_text, ADDR_TEXT_MAX, "unknown");
    }
}

bool addr_is_loopback(const struct sockaddr_storage *addr)
{
    if (addr->ss_family == AF_INET) {
        return ((const uint8_t *)&((const struct sockaddr_in *)addr)->sin_addr)[0] == 127;
    }
    if (addr->ss_family != AF_INET6) {
        return false;
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
}

void addr_peer_text(const struct sockaddr_storage *addr, char ret_text[ADDR_TEXT_MAX])
{
    struct sockaddr_storage peer = *addr;
    if (addr->ss_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(in6)) {
            peer.ss_family = AF_INET;
            memcpy(&((struct sockaddr_in *)&peer)->sin_addr, in6->s6_addr + 12, 4);
        } else {
            memset(((struct sockaddr_in6 *)&peer)->sin6_addr.s6_addr + 8, 0, 8);
        }
    }
    addr_host_text(&peer, ret_text);
    if (peer.ss_family == AF_INET6) {
        size_t len = strlen(ret_text);
        snprintf(ret_text + len, ADDR_TEXT_MAX - len, "/64");
    }
}

uint16_t addr_port(const struct sockaddr_storage *addr)
{
    if (addr->ss_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)addr)->sin_port);
    }
    if (addr->ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)addr)->sin6_port);
    }
    return 0;
}

socklen_t addr_len(const struct sockaddr_storage *addr)
{
    return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}
