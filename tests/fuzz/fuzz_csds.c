/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_csds: requests for client status. */
#include "base/panic.h"

#include "serve/client_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct client_filter filter;
    struct err err;
    arena_init(&arena);
    if (client_filter_decode(str_span((const char *)data, size), &arena, &filter, &err)) {
        ASSERT(filter.len <= CLIENT_STATUS_MATCHERS_MAX);
        for (size_t i = 0; i < filter.len; i++) {
            ASSERT(client_filter_takes(&filter, filter.ids[i]));
        }
    }
    arena_release(&arena);
    return 0;
}
