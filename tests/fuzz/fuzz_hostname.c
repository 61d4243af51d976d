/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the relations between hostname patterns hold for any two of them?
 *
 * Input: two patterns and a name, separated by newlines. Seeds: tests/fuzz/corpus/hostname/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "model/format.h"
#include "model/hostname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str name = str_span((const char *)data, size);
    struct str a = str_cut(&name, '\n'), b = str_cut(&name, '\n'), narrower, other;
    ASSERT(hostname_covers(a, a));
    ASSERT(sign(hostname_cmp(a, b)) == -sign(hostname_cmp(b, a)));
    bool shared = hostname_intersect(a, b, &narrower);
    ASSERT(shared == hostname_intersect(b, a, &other));
    if (shared) {
        ASSERT(hostname_covers(a, narrower) && hostname_covers(b, narrower));
    }
    /* what both take, the intersection takes, and the reverse */
    if (format_hostname.matches(name)) {
        bool both = hostname_covers(a, name) && hostname_covers(b, name);
        ASSERT(both == (shared && hostname_covers(narrower, name)));
    }
    return 0;
}
