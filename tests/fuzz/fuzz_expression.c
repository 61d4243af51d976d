/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is every sample of an expression a text that it matches, and bounded?
 *
 * Input: an expression. Seeds: tests/fuzz/corpus/expression/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "ir/expression.h"
#include "model/regex.h"

#define INPUT_MAX 200 /* bytes: PCRE2 takes its time with long ones */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str expression = str_span((const char *)data, size);
    struct arena arena;
    struct str text;
    const char *why;
    if (size > INPUT_MAX || !regex_check(expression, &why)) {
        return 0;
    }
    arena_init(&arena);
    if (expression_sample(expression, &arena, &text)) {
        ASSERT(text.len <= EXPRESSION_SAMPLE_MAX);
        ASSERT(expression_matches(expression, text));
    }
    arena_release(&arena);
    return 0;
}
