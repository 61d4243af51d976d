/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem: what is wrong with something a user wrote, where, and what to do about it.
 * The one form in which parser, field tables, validation and resolution speak to people: shown by
 * `heddle check`, the log, /api/problems and (later) the admission webhook.
 */
#ifndef HEDDLE_MODEL_PROBLEM_H
#define HEDDLE_MODEL_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "codec/json.h"

#define PROBLEM_WORDS_MAX 400
#define PROBLEMS_MAX 200 /* per document; one more says that there are more */

enum severity {
    SEVERITY_NOTE, /* nothing is wrong, but it should be known */
    SEVERITY_WARNING,
    SEVERITY_ERROR
};

/* Stable codes, documented in docs/reference.md: HED001 … */
enum problem_code {
#define PROBLEM(id, code, severity, meaning) PROBLEM_##id,
#include "model/problem.def"
#undef PROBLEM
    PROBLEM_COUNT
};

struct problem_info {
    const char *code;
    enum severity severity;
    const char *meaning;
};
const struct problem_info *problem_info(enum problem_code code);

struct problem {
    enum problem_code code;
    uint32_t line; /* 0: unknown */
    uint32_t column;
    struct str path;   /* "spec.rules[1].backendRefs[0].weight" */
    struct str object; /* "HTTPRoute default/echo-route", or empty while unknown */
    struct str text;   /* what is wrong */
    struct str remedy; /* what to do; may be empty */
};

bool problem_is_error(const struct problem *problem);

struct problems {
    struct arena *arena; /* where texts are copied to */
    struct problem *items;
    size_t len;
    size_t cap;
    size_t errors;
};

void problems_init(struct problems *problems, struct arena *arena);
/* text and remedy are formatted by the caller into the arena; everything is copied. */
void problems_add(struct problems *problems, const struct problem *problem);
/* The usual way: text is formatted, remedy may be STR_NULL. */
void problems_report(struct problems *problems, enum problem_code code, uint32_t line,
                     uint32_t column, struct str path, struct str remedy, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
/* One problem in a line: "rules[1].matches[0].path.value: '(' is not …", without the remedy and not
 * longer than PROBLEM_WORDS_MAX. Paths are told from the spec on, as conditions do. */
struct str problem_words(struct arena *arena, const struct problem *problem);
/* What a user wrote, for use inside a message: cut at 80 bytes, control characters as '?'. */
struct str problem_quote(struct arena *arena, struct str text);

const char *severity_name(enum severity severity); /* "error", "warning", "note" */
/* {"file": …, "line", "column", "severity", "code", "object", "path", "text", "remedy"} */
void problem_dump(const struct problem *problem, struct str file, struct json *json);

#endif
