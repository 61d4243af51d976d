/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sotw: a state-of-the-world stream under arbitrary requests and changes; see stream_fuzz.h.
 */
#include "stream_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stream_fuzz_run(STREAM_SOTW, data, size);
    return 0;
}
