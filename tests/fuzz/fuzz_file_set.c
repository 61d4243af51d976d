/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a set survive any texts of files, does the order in which they are told within a batch
 * matter, and is the same in force after a restart?
 *
 * The texts are separated by NUL: what "a" and "b" hold at first, and then. Seeds:
 * tests/fuzz/corpus/file_set/.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/panic.h"
#include "source/file_set.h"

#define FILES 2
#define KEY_MAX (OBJECT_KEY_MAX + 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct followed {
    struct file_set *set;
    struct map objects; /* in force: "kind:key" -> struct kept */
};

struct kept {
    struct object *object;
    char key[KEY_MAX];
};

static const struct str names[FILES] = {STR("a"), STR("b")};

static void drop(struct kept *kept)
{
    if (kept != NULL) {
        row_unref(&kept->object->row, NULL);
        free(kept);
    }
}

static void on_put(void *user, struct object *object, struct str key)
{
    struct followed *followed = user;
    struct kept *kept = xcalloc(1, sizeof(*kept));
    int len = snprintf(kept->key, KEY_MAX, "%d:%.*s", (int)object->kind, STR_FMT(key));
    kept->object = object;
    drop(map_put(&followed->objects, str_span(kept->key, (size_t)len), kept));
}

static void on_removed(void *user, enum kind_id kind, struct str key)
{
    struct followed *followed = user;
    char text[KEY_MAX];
    int len = snprintf(text, KEY_MAX, "%d:%.*s", (int)kind, STR_FMT(key));
    struct kept *kept = map_remove(&followed->objects, str_span(text, (size_t)len));
    ASSERT(kept != NULL);
    drop(kept);
}

static void begin(struct followed *followed)
{
    *followed = (struct followed){.set = NULL};
    struct file_set_events events = {.user = followed, .put = on_put, .removed = on_removed};
    followed->set = file_set_new(&events);
}

static void end(struct followed *followed)
{
    struct map *objects = &followed->objects;
    for (size_t i = map_next(objects, 0); i < objects->cap; i = map_next(objects, i + 1)) {
        drop(objects->slots[i].value);
    }
    map_release(objects);
    file_set_free(followed->set);
}

static void tell(struct followed *followed, const struct str texts[FILES], bool backwards)
{
    for (unsigned i = 0; i < FILES; i++) {
        unsigned file = backwards ? FILES - 1 - i : i;
        file_set_update(followed->set, names[file], texts[file]);
    }
    file_set_settle(followed->set);
}

static void compare(const struct followed *left, const struct followed *right)
{
    const struct map *objects = &left->objects;
    ASSERT(objects->len == right->objects.len);
    for (size_t i = map_next(objects, 0); i < objects->cap; i = map_next(objects, i + 1)) {
        const struct kept *mine = objects->slots[i].value;
        const struct kept *other = map_get(&right->objects, objects->slots[i].key);
        ASSERT(other != NULL && object_equal(&mine->object->row, &other->object->row));
    }
    ASSERT(file_set_invalid(left->set) == file_set_invalid(right->set));
}

static void restart(const struct followed *before, const struct str texts[FILES])
{
    struct followed after;
    struct buf kept[FILES];
    begin(&after);
    tell(&after, texts, false);
    for (unsigned i = 0; i < FILES; i++) {
        buf_init(&kept[i], BUF_UNLIMITED);
        file_set_save(before->set, names[i], &kept[i]);
        file_set_restore(after.set, names[i], buf_str(&kept[i]));
    }
    file_set_settle(after.set);
    for (unsigned i = 0; i < FILES; i++) {
        file_set_restore_moved(after.set, buf_str(&kept[i]));
        buf_release(&kept[i]);
    }
    file_set_settle(after.set);
    compare(before, &after);
    end(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_span((const char *)data, size);
    struct str first[FILES], then[FILES];
    for (unsigned i = 0; i < 2 * FILES; i++) {
        *(i < FILES ? &first[i] : &then[i - FILES]) = str_cut(&rest, '\0');
    }
    struct followed forwards, backwards;
    begin(&forwards);
    begin(&backwards);
    tell(&forwards, first, false);
    tell(&backwards, first, true);
    compare(&forwards, &backwards);
    tell(&forwards, then, false);
    tell(&backwards, then, true);
    compare(&forwards, &backwards);
    restart(&forwards, then);
    end(&forwards);
    end(&backwards);
    return 0;
}
