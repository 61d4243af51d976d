/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can what an API server says, pages of lists and lines of watches, break who reads it?
 *
 * The first byte steers: a line ('l'), a page ('p'), or the failure of a request (any other).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/panic.h"
#include "kube/event.h"
#include "kube/known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_line(struct arena *arena, struct known *known, struct str line)
{
    struct kube_event event;
    if (!kube_event_read(arena, line, &event, NULL)) {
        return;
    }
    const struct kube_object *object = &event.object;
    ASSERT(event.type == KUBE_ERROR || object->version.len != 0);
    if (event.type == KUBE_PUT) {
        ASSERT(object->name.len != 0);
        known_add(known, object->ns, object->name);
    } else if (event.type == KUBE_REMOVED) {
        known_remove(known, object->ns, object->name);
    } else if (event.type == KUBE_ERROR) {
        ASSERT(event.status.reason.len != 0 && event.status.message.len != 0);
    }
}

static void read_lines(struct arena *arena, struct str text)
{
    struct known known = {.round = 0};
    struct known_name *names;
    while (text.len != 0) {
        read_line(arena, &known, str_cut(&text, '\n'));
    }
    size_t there = known.names.len;
    ASSERT(known_take_old(&known, true, arena, &names) == there);
    known_release(&known);
}

static void read_page(struct arena *arena, struct str text)
{
    struct kube_page page;
    struct kube_object object;
    struct doc_json_walk walk;
    if (!kube_page_read(arena, text, &page, NULL)) {
        return;
    }
    ASSERT(page.version.len + page.next.len != 0);
    for (bool more = doc_json_walk(page.items, &walk); more; more = doc_json_step(&walk)) {
        if (kube_object_read(arena, walk.value, &page, &object, NULL)) {
            ASSERT(object.name.len != 0 && object.node->type == DOC_MAPPING);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0) {
        return 0;
    }
    struct str text = str_span((const char *)data + 1, size - 1);
    arena_init(&arena);
    if (data[0] == 'l') {
        read_lines(&arena, text);
    } else if (data[0] == 'p') {
        read_page(&arena, text);
    } else {
        ASSERT(kube_status_read(&arena, 400 + data[0], text).reason.len != 0);
    }
    arena_release(&arena);
    return 0;
}
