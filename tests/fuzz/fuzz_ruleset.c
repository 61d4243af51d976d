/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can an annotation of a pod say anything to nft but numbers and addresses?
 *
 * Input: outbound ports, outbound CIDRs, user ids and inbound ports, separated by newlines.
 * Whatever is accepted adds one rule for each item, and nothing else. Seeds:
 * tests/fuzz/corpus/ruleset/.
 */
#include <stddef.h>
#include <stdint.h>

#include "agent/ruleset.h"
#include "base/panic.h"
#include "ir/exclusion.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t lines(struct str text, struct str ending)
{
    size_t count = 0;
    while (text.len > 0) {
        struct str line = str_cut(&text, '\n');
        count += ending.len == 0 || str_ends_with(line, ending);
        for (size_t i = 0; i < line.len; i++) {
            ASSERT(line.ptr[i] == '\t' || (line.ptr[i] >= ' ' && line.ptr[i] <= '~'));
        }
    }
    return count;
}

static size_t items(struct str list)
{
    size_t count = 0;
    while (str_trim(list).len > 0 && list.ptr != NULL) {
        (void)str_cut(&list, ',');
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_span((const char *)data, size);
    struct ruleset ruleset = {.http_port = 1, .proxy_uid = 1};
    struct buf plain, out;
    struct err err;
    buf_init(&plain, RULESET_MAX);
    buf_init(&out, RULESET_MAX);
    ASSERT(ruleset_write(&ruleset, &plain, &err));
    ruleset.outbound_ports = str_cut(&rest, '\n');
    ruleset.outbound_cidrs = str_cut(&rest, '\n');
    ruleset.uids = str_cut(&rest, '\n');
    ruleset.inbound_ports = str_cut(&rest, '\n');
    if (ruleset_write(&ruleset, &out, &err)) {
        size_t all = items(ruleset.outbound_ports) + items(ruleset.outbound_cidrs) +
                     items(ruleset.uids) + items(ruleset.inbound_ports);
        ASSERT(buf_ok(&out));
        ASSERT(lines(buf_str(&out), STR_NULL) == lines(buf_str(&plain), STR_NULL) + all);
        ASSERT(lines(buf_str(&out), STR(" return")) ==
               lines(buf_str(&plain), STR(" return")) + all);
    }
    buf_release(&plain);
    buf_release(&out);
    return 0;
}
