/* SPDX-License-Identifier: Apache-2.0 */
/* sample: a path, a method, and what the conditions of the match ask for. */
#include "ir/sample.h"

#include "ir/expression.h"
#include "ir/request.h"

/* What the expression takes may be no path: "" of ".*". */
static bool expression_path(struct str expression, struct arena *arena, struct str *ret_path)
{
    if (!expression_sample(expression, arena, ret_path)) {
        return false;
    }
    if (str_starts_with(*ret_path, STR("/"))) {
        return true;
    }
    *ret_path = arena_printf(arena, "/%.*s", STR_FMT(*ret_path));
    return expression_matches(expression, *ret_path);
}

static bool make_path(const struct ir_match *match, bool grpc, unsigned nth, struct arena *arena,
                      struct str *ret_path)
{
    bool open = match->path_type == IR_PATH_PREFIX || (match->path_type == IR_PATH_ANY && !grpc);
    if (nth > 0 && !open) {
        return false;
    }
    struct str path = match->path;
    switch ((enum ir_path_match)match->path_type) {
    case IR_PATH_ANY:
        path = grpc ? STR("/package.Service/Method") : nth == 0 ? STR("/") : STR("/x");
        break;
    case IR_PATH_EXACT:
        break;
    case IR_PATH_PREFIX:
        path = nth == 0 ? path : arena_printf(arena, "%.*s/x", STR_FMT(path));
        break;
    case IR_PATH_RAW_PREFIX:
        path = arena_printf(arena, "%.*sMethod", STR_FMT(path));
        break;
    case IR_PATH_REGEX:
        return expression_path(match->path, arena, ret_path);
    }
    *ret_path = path;
    return true;
}

static bool make_value(const struct ir_value_match *match, struct arena *arena,
                       struct str *ret_value)
{
    *ret_value = match->value;
    return !match->regex || expression_sample(match->value, arena, ret_value);
}

static bool add_query(const struct ir_match *match, struct arena *arena, struct str *path)
{
    for (size_t i = 0; i < match->query.len; i++) {
        struct str value;
        if (!make_value(&match->query.items[i], arena, &value)) {
            return false;
        }
        *path = arena_printf(arena, "%.*s%c%.*s=%.*s", STR_FMT(*path), i == 0 ? '?' : '&',
                             STR_FMT(match->query.items[i].name), STR_FMT(value));
    }
    return true;
}

bool sample_of_match(const struct ir_match *match, bool grpc, unsigned nth, struct arena *arena,
                     struct sample *ret_sample)
{
    struct sample sample = {.method = match->method};
    if (match->headers.len > REQUEST_HEADERS_MAX ||
        !make_path(match, grpc, nth, arena, &sample.path) ||
        !add_query(match, arena, &sample.path)) {
        return false;
    }
    if (sample.method.len == 0) {
        sample.method = grpc ? STR("POST") : STR("GET");
    }
    sample.headers.items = ARENA_ARRAY(arena, match->headers.len, struct ir_header);
    for (size_t i = 0; i < match->headers.len; i++) {
        struct ir_header *header = &sample.headers.items[sample.headers.len++];
        header->name = match->headers.items[i].name;
        if (!make_value(&match->headers.items[i], arena, &header->value)) {
            return false;
        }
    }
    *ret_sample = sample;
    return true;
}
