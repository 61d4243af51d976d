/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a question, or a regular expression on its text, break `heddle why`? And is a request that
 * matches never told why it does not, and the reverse?
 *
 * Input: lines: the method, the URL, then headers; the matches are fixed. Seeds:
 * tests/fuzz/corpus/question/.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/panic.h"
#include "pipeline/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ir_value_match header = {STR("x"), STR("(a|b)+c?"), true};
static struct ir_value_match param = {STR("p"), STR("1"), false};
static const struct ir_match matches[] = {
    {.path_type = IR_PATH_ANY},
    {.path_type = IR_PATH_EXACT, .path = STR("/a"), .method = STR("GET")},
    {.path_type = IR_PATH_PREFIX, .path = STR("/a"), .headers = {&header, 1}},
    {.path_type = IR_PATH_RAW_PREFIX, .path = STR("/p.S/"), .query = {&param, 1}},
    {.path_type = IR_PATH_REGEX, .path = STR("/(a|b)*/[^/]+"), .query = {&param, 1}},
};

static void check(const struct request *request, struct arena *arena)
{
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        struct str why_not = ir_match_why_not(&matches[i], request, arena);
        ASSERT(ir_match_request(&matches[i], request) == (why_not.len == 0));
    }
    ASSERT(ir_match_request(&matches[0], request));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct client_class clients[] = {
        {.role = ROLE_SIDECAR}, {.role = ROLE_PROXYLESS}, {.role = ROLE_GATEWAY}};
    struct str rest = str_span((const char *)data, size);
    struct str method = str_cut(&rest, '\n');
    struct str url = str_cut(&rest, '\n');
    struct question question;
    struct arena arena;
    struct err err;
    arena_init(&arena);
    if (question_parse(method, url, &arena, &question, &err)) {
        ASSERT(question.host.len > 0 && question.port > 0 && question.port <= 65535);
        ASSERT(str_starts_with(question.request.path, STR("/")));
        ASSERT(question.about == ABOUT_TLS || question.https || question.server_name.len == 0);
        bool good = true;
        while (good && rest.len > 0) {
            good = question_add_header(str_cut(&rest, '\n'), &question.request, &err);
        }
        for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
            question.client = &clients[i];
            question.request.joins = i == 1;
            (void)question_fits(&question, &err);
            check(&question.request, &arena);
        }
    }
    arena_release(&arena);
    return 0;
}
