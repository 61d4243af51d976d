/* SPDX-License-Identifier: Apache-2.0 */
/* file_set_rig: a set whose events become one text: "+a=1 " for a put with its label, "-a " for a
 * removal, "!f " when what is kept of file f was altered by another. */
#ifndef HEDDLE_TESTS_FILE_SET_RIG_H
#define HEDDLE_TESTS_FILE_SET_RIG_H

#include "model_rig.h"
#include "source/file_set.h"

#define NAMESPACE(name, label)                                                                     \
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {l: " label "}}\n"
#define BROKEN(name) "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", nme: x}\n"
#define NAMELESS "---\n{\n"
/* in a List */
#define ITEM(name) "{kind: Namespace, apiVersion: v1, metadata: {name: " name "}}"

struct watched {
    struct file_set *set;
    struct buf events;
};

static inline void on_put(void *user, struct object *object, struct str key)
{
    struct watched *watched = user;
    struct str label = object->meta.labels.len > 0 ? object->meta.labels.items[0].value : STR("");
    buf_printf(&watched->events, "+%.*s=%.*s ", STR_FMT(key), STR_FMT(label));
    row_unref(&object->row, NULL);
}

static inline void on_removed(void *user, enum kind_id kind, struct str key)
{
    struct watched *watched = user;
    assert_int_not_equal(kind, KIND_COUNT);
    buf_printf(&watched->events, "-%.*s ", STR_FMT(key));
}

static inline void on_kept(void *user, struct str name)
{
    buf_printf(&((struct watched *)user)->events, "!%.*s ", STR_FMT(name));
}

static inline void begin(struct watched *watched)
{
    buf_init(&watched->events, BUF_UNLIMITED);
    struct file_set_events events = {
        .user = watched, .put = on_put, .removed = on_removed, .kept = on_kept};
    watched->set = file_set_new(&events);
}

static inline void end(struct watched *watched)
{
    assert_int_equal(watched->events.len, 0);
    file_set_free(watched->set);
    buf_release(&watched->events);
}

static inline void expect(struct watched *watched, const char *events)
{
    buf_add_byte(&watched->events, '\0');
    assert_string_equal((const char *)watched->events.data, events);
    buf_clear(&watched->events);
}

/* Ends a batch, which must tell this. */
static inline void settle(struct watched *watched, const char *events)
{
    file_set_settle(watched->set);
    expect(watched, events);
}

static inline void update(struct watched *watched, const char *name, const char *text,
                          const char *events)
{
    file_set_update(watched->set, str_from(name), str_from(text));
    settle(watched, events);
}

static inline void remove_file(struct watched *watched, const char *name, const char *events)
{
    file_set_remove(watched->set, str_from(name));
    settle(watched, events);
}

static inline void visit(void *user, struct str file, const struct problem *problem)
{
    buf_printf(user, "%.*s:%u:%s ", STR_FMT(file), problem->line,
               problem_info(problem->code)->code);
}

static inline void say(void *user, struct str file, const struct problem *problem)
{
    buf_printf(user, "%.*s:%u %s %.*s\n", STR_FMT(file), problem->line,
               problem_info(problem->code)->code, STR_FMT(problem->text));
}

static inline void expect_problems(const struct watched *watched, const char *expected)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    file_set_problems(watched->set, visit, &text);
    buf_add_byte(&text, '\0');
    assert_string_equal((const char *)text.data, expected);
    buf_release(&text);
}

/* --- files with anything in them ----------------------------------------------------------- */

#define FILES 4

static inline unsigned draw(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

/* A few documents on few objects, so that they meet. */
static inline void draw_text(uint64_t *seed, struct buf *ret_text)
{
    buf_clear(ret_text);
    for (unsigned i = draw(seed, 4); i > 0; i--) {
        const char *name = (const char *const[]){"n", "m", "o"}[draw(seed, 3)];
        unsigned kind = draw(seed, 8);
        if (kind == 0) {
            buf_add_text(ret_text, NAMELESS);
        } else {
            buf_printf(ret_text,
                       "---\n{apiVersion: v1, kind: Namespace, metadata: {name: %s, %s}}\n", name,
                       kind < 4   ? "nme: x"
                       : kind < 6 ? "labels: {l: x}"
                                  : "labels: {l: y}");
        }
    }
}

static inline void change(struct file_set *set, unsigned file, unsigned what, struct str text)
{
    struct str name = str_span(&"abcd"[file], 1);
    if (what == 0) {
        file_set_remove(set, name);
    } else if (what == 1) {
        file_set_unreadable(set, name, text);
    } else {
        file_set_update(set, name, text);
    }
}

#endif
