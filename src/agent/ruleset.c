/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ruleset: the rules of interception as a text for nft.
 *
 *   application ──► outbound ──► 15001 Envoy ──► outbound (its user id: as it is) ──► network
 *   network     ──► inbound  ──► 15006 Envoy ──► lo (as it is) ──► application
 *
 * One table, one rule for each item of a list: sets refuse items that overlap.
 */
#include "agent/ruleset.h"

#include "ir/exclusion.h"
#include "ir/pod.h"

/* In that order (nft's "dstnat" and "filter"): a nat chain sees the first packet of a connection.
 */
#define NAT_OUTPUT "\t\ttype nat hook output priority -100; policy accept;\n"
#define NAT_PREROUTING "\t\ttype nat hook prerouting priority -100; policy accept;\n"
#define FILTER_INPUT "\t\ttype filter hook input priority 0; policy accept;\n"

struct rules {
    struct buf *out;
    const char *match; /* of the items of a list of numbers: "tcp dport" */
};

static void return_range(void *user, const struct exclusion *exclusion)
{
    const struct rules *rules = user;
    buf_printf(rules->out, "\t\t%s %u", rules->match, exclusion->from);
    if (exclusion->to != exclusion->from) {
        buf_printf(rules->out, "-%u", exclusion->to);
    }
    buf_add_text(rules->out, " return\n");
}

static void return_cidr(void *user, const struct exclusion *exclusion)
{
    const struct rules *rules = user;
    buf_printf(rules->out, "\t\t%s daddr %.*s return\n", exclusion->ipv6 ? "ip6" : "ip",
               STR_FMT(exclusion->cidr));
}

static bool add_ranges(enum exclusion_kind kind, struct str list, const char *match,
                       const char *option, struct buf *out, struct err *err)
{
    struct rules rules = {out, match};
    return exclusions_read(kind, list, return_range, &rules, err) || err_prefix(err, "%s", option);
}

static bool add_cidrs(struct str list, const char *option, struct buf *out, struct err *err)
{
    struct rules rules = {out, NULL};
    return exclusions_read(EXCLUDED_CIDRS, list, return_cidr, &rules, err) ||
           err_prefix(err, "%s", option);
}

/* The probe comes first: by it the agent, whose connections are not intercepted, finds out whether
 * the rules are there (agent/interception.c). */
static bool add_outbound(const struct ruleset *ruleset, struct buf *out, struct err *err)
{
    buf_add_text(out, "\tchain outbound {\n" NAT_OUTPUT);
    buf_printf(out, "\t\tip daddr 127.0.0.1 tcp dport %d redirect to :%u\n", POD_PROBE_PORT,
               ruleset->http_port);
    buf_printf(out, "\t\tip6 daddr ::1 tcp dport %d redirect to :%u\n", POD_PROBE_PORT,
               ruleset->http_port);
    buf_add_text(out, "\t\toifname \"lo\" return\n");
    buf_printf(out, "\t\tmeta skuid %u return\n", ruleset->proxy_uid);
    if (!add_ranges(EXCLUDED_UIDS, ruleset->uids, "meta skuid", "--exclude-uids", out, err) ||
        !add_ranges(EXCLUDED_PORTS, ruleset->outbound_ports, "tcp dport",
                    "--exclude-outbound-ports", out, err) ||
        !add_cidrs(ruleset->outbound_cidrs, "--exclude-outbound-cidrs", out, err)) {
        return false;
    }
    buf_printf(out, "\t\tmeta l4proto tcp redirect to :%d\n\t}\n", POD_OUTBOUND_PORT);
    return true;
}

/* What is only forwarded (containers and machines inside the pod) is not for the application. */
static bool add_inbound(const struct ruleset *ruleset, struct buf *out, struct err *err)
{
    buf_add_text(out, "\tchain inbound {\n" NAT_PREROUTING);
    buf_add_text(out, "\t\tiifname \"lo\" return\n\t\tfib daddr type != local return\n");
    buf_printf(out, "\t\ttcp dport %u return\n", ruleset->http_port);
    if (!add_ranges(EXCLUDED_PORTS, ruleset->inbound_ports, "tcp dport", "--exclude-inbound-ports",
                    out, err)) {
        return false;
    }
    buf_printf(out, "\t\tmeta l4proto tcp redirect to :%d\n\t}\n", POD_INBOUND_PORT);
    return true;
}

/* A connection to Envoy's own ports was not meant for anybody else, so Envoy would pass it on to
 * itself, again and again. */
static void add_guard(struct buf *out)
{
    buf_add_text(out, "\tchain guard {\n" FILTER_INPUT);
    buf_printf(out,
               "\t\ttcp dport { %d, %d } ct state new ct status & dnat == 0 "
               "reject with tcp reset\n\t}\n",
               POD_OUTBOUND_PORT, POD_INBOUND_PORT);
}

void ruleset_write_removal(struct buf *out)
{
    buf_add_text(out, "table inet heddle\ndelete table inet heddle\n");
}

bool ruleset_write(const struct ruleset *ruleset, struct buf *out, struct err *err)
{
    ruleset_write_removal(out);
    buf_add_text(out, "table inet heddle {\n");
    if (!add_outbound(ruleset, out, err)) {
        return false;
    }
    buf_add_byte(out, '\n');
    if (!add_inbound(ruleset, out, err)) {
        return false;
    }
    buf_add_byte(out, '\n');
    add_guard(out);
    buf_add_text(out, "}\n");
    return true;
}
