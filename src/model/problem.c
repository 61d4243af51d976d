/* SPDX-License-Identifier: Apache-2.0 */
/* problem: collecting what is wrong with a document, within bounds. */
#include "model/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/panic.h"

#define QUOTE_MAX 80
#define TEXT_MAX 1024 /* of a message */

const struct problem_info *problem_info(enum problem_code code)
{
    static const struct problem_info infos[] = {
#define PROBLEM(id, code, severity, meaning) [PROBLEM_##id] = {code, severity, meaning},
#include "model/problem.def"
#undef PROBLEM
    };
    ASSERT(code < PROBLEM_COUNT);
    return &infos[code];
}

bool problem_is_error(const struct problem *problem)
{
    return problem_info(problem->code)->severity == SEVERITY_ERROR;
}

void problems_init(struct problems *problems, struct arena *arena)
{
    *problems = (struct problems){.arena = arena};
}

static void append(struct problems *problems, const struct problem *problem)
{
    if (problems->len == problems->cap) { /* the old array stays in the arena */
        size_t cap = problems->cap == 0 ? 4 : problems->cap * 2;
        struct problem *items = ARENA_ARRAY(problems->arena, cap, struct problem);
        if (problems->len > 0) {
            memcpy(items, problems->items, problems->len * sizeof(*items));
        }
        problems->items = items;
        problems->cap = cap;
    }
    problems->items[problems->len++] = *problem;
}

/* A copy that may be printed to any terminal: control characters become '?'. */
static struct str printable(struct arena *arena, struct str text)
{
    struct str copy = arena_str(arena, text);
    char *bytes = (char *)(uintptr_t)copy.ptr; /* ours: made in the line above */
    for (size_t i = 0; i < copy.len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bytes[i] = c < 0x20 || c == 0x7f ? '?' : bytes[i];
    }
    return copy;
}

void problems_add(struct problems *problems, const struct problem *problem)
{
    bool error = problem_is_error(problem);
    problems->errors += error ? 1 : 0;
    struct problem copy = *problem;
    if (problems->len >= PROBLEMS_MAX) {
        copy.path = copy.remedy = STR_NULL;
        copy.text = STR("there are more problems, not listed");
        if (problems->len == PROBLEMS_MAX) {
            append(problems, &copy);
        } else if (error && !problem_is_error(&problems->items[PROBLEMS_MAX])) {
            problems->items[PROBLEMS_MAX] = copy; /* as grave as the gravest that it stands for */
        }
        return;
    }
    copy.path = printable(problems->arena, problem->path);
    copy.object = printable(problems->arena, problem->object);
    copy.text = printable(problems->arena, problem->text);
    copy.remedy = printable(problems->arena, problem->remedy);
    append(problems, &copy);
}

void problems_report(struct problems *problems, enum problem_code code, uint32_t line,
                     uint32_t column, struct str path, struct str remedy, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    ASSERT(len >= 0);
    size_t used = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
    problems_add(problems, &(struct problem){.code = code,
                                             .line = line,
                                             .column = column,
                                             .path = path,
                                             .text = {text, used},
                                             .remedy = remedy});
}

static struct str shorten(struct arena *arena, struct str text, size_t max)
{
    size_t keep = text.len;
    if (keep > max) { /* not inside a character */
        keep = max;
        while (keep > 0 && ((unsigned char)text.ptr[keep] & 0xc0) == 0x80) {
            keep--;
        }
    }
    const char *end = keep < text.len ? "..." : "";
    struct str part = str_sub(text, 0, keep);
    return printable(arena, arena_printf(arena, "%.*s%s", STR_FMT(part), end));
}

struct str problem_quote(struct arena *arena, struct str text)
{
    return shorten(arena, text, QUOTE_MAX);
}

struct str problem_words(struct arena *arena, const struct problem *problem)
{
    struct str path = problem->path;
    if (str_starts_with(path, STR("spec."))) {
        path = str_sub(path, sizeof("spec.") - 1, path.len);
    }
    struct str text = arena_printf(arena, "%.*s%s%.*s", STR_FMT(path), path.len > 0 ? ": " : "",
                                   STR_FMT(problem->text));
    return shorten(arena, text, PROBLEM_WORDS_MAX);
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {
        [SEVERITY_NOTE] = "note", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"};
    ASSERT((unsigned)severity < sizeof(names) / sizeof(names[0]));
    return names[severity];
}

void problem_dump(const struct problem *problem, struct str file, struct json *json)
{
    const struct problem_info *info = problem_info(problem->code);
    const struct {
        const char *key;
        struct str value;
    } texts[] = {
        {"severity", str_from(severity_name(info->severity))},
        {"code", str_from(info->code)},
        {"object", problem->object},
        {"path", problem->path},
        {"text", problem->text},
        {"remedy", problem->remedy},
    };
    json_open(json, '{');
    json_key(json, "file");
    json_str(json, file);
    json_key(json, "line");
    json_uint(json, problem->line);
    json_key(json, "column");
    json_uint(json, problem->column);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_key(json, texts[i].key);
        json_str(json, texts[i].value);
    }
    json_close(json, '}');
}
