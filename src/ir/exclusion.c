/* SPDX-License-Identifier: Apache-2.0 */
/* exclusion: see exclusion.h. */
#include "ir/exclusion.h"

#include <arpa/inet.h>
#include <string.h>

#define ADDRESS_MAX 64 /* longer than any address */

static const struct {
    const char *what;
    uint64_t least, most;
} numbers[] = {
    [EXCLUDED_PORTS] = {"a port or a range of ports, from 1 to 65535", 1, UINT16_MAX},
    [EXCLUDED_UIDS] = {"a user id or a range of them, from 0 to 4294967294", 0, UINT32_MAX - 1},
};

/* "8080" or "8000-8010" */
static bool read_range(enum exclusion_kind kind, struct str text, struct exclusion *exclusion,
                       struct err *err)
{
    struct str rest = text;
    struct str first = str_cut(&rest, '-');
    struct str last = rest.ptr != NULL ? rest : first;
    uint64_t from, to;
    if (!str_to_u64(first, &from) || !str_to_u64(last, &to) || from < numbers[kind].least ||
        to > numbers[kind].most || from > to) {
        return err_set(err, "'%.*s' is not %s", STR_FMT(text), numbers[kind].what);
    }
    exclusion->from = (uint32_t)from;
    exclusion->to = (uint32_t)to;
    return true;
}

static bool read_cidr(struct str text, struct exclusion *exclusion, struct err *err)
{
    struct str rest = text;
    struct str address = str_cut(&rest, '/');
    char copy[ADDRESS_MAX] = "";
    unsigned char bytes[sizeof(struct in6_addr)];
    uint64_t bits = 0;
    if (address.len < sizeof(copy)) {
        memcpy(copy, address.ptr, address.len);
    }
    bool ipv4 = inet_pton(AF_INET, copy, bytes) == 1;
    bool ipv6 = !ipv4 && inet_pton(AF_INET6, copy, bytes) == 1;
    if ((!ipv4 && !ipv6) ||
        (rest.ptr != NULL && (!str_to_u64(rest, &bits) || bits > (ipv6 ? 128 : 32)))) {
        return err_set(err, "'%.*s' is not an address or ADDRESS/BITS", STR_FMT(text));
    }
    exclusion->cidr = text;
    exclusion->ipv6 = ipv6;
    return true;
}

static bool walk(enum exclusion_kind kind, struct str list,
                 void (*item)(void *user, const struct exclusion *exclusion), void *user,
                 struct err *err)
{
    unsigned count = 0;
    while (list.ptr != NULL) {
        struct exclusion exclusion = {.from = 0};
        struct str text = str_trim(str_cut(&list, ','));
        if (count++ == EXCLUSIONS_MAX) {
            return err_set(err, "there are more than %d", EXCLUSIONS_MAX);
        }
        if (kind == EXCLUDED_CIDRS ? !read_cidr(text, &exclusion, err)
                                   : !read_range(kind, text, &exclusion, err)) {
            return false;
        }
        if (item != NULL) {
            item(user, &exclusion);
        }
    }
    return true;
}

bool exclusions_read(enum exclusion_kind kind, struct str list,
                     void (*item)(void *user, const struct exclusion *exclusion), void *user,
                     struct err *err)
{
    if (str_trim(list).len == 0) {
        return true;
    }
    return walk(kind, list, NULL, NULL, err) && (item == NULL || walk(kind, list, item, user, err));
}
