/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does reading certificates and keys survive any text, and say the same twice?
 *
 * Input: a chain and a key, separated by a NUL. Seeds: tests/fuzz/corpus/x509/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "codec/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str key = str_span((const char *)data, size);
    struct str chain = str_cut(&key, '\0');
    struct str fault = x509_certificates_fault(chain);
    ASSERT(str_eq(fault, x509_certificates_fault(chain)));
    ASSERT(fault.len == 0 || x509_authorities_fault(chain).len > 0);
    struct x509_ends ends;
    if (x509_ends(chain, &ends)) {
        ASSERT(ends.first >= 0 && ends.first <= ends.last);
    } else {
        ASSERT(fault.len > 0);
    }
    /* what a key belongs to has a certificate at least */
    if (x509_key_fault(key, chain).len == 0) {
        ASSERT(!str_eq(fault, x509_certificates_fault(STR(""))));
    }
    return 0;
}
