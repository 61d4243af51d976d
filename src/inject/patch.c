/* SPDX-License-Identifier: Apache-2.0 */
/* patch: walks both values at once, and tells where they differ. */
#include "inject/patch.h"

#include "base/buf.h"
#include "base/panic.h"

struct differ {
    json_t *operations;
    struct buf path; /* the JSON pointer to where the walk is */
};

static void operate(struct differ *differ, const char *name, const json_t *value)
{
    json_t *operation =
        json_pack("{s:s, s:s%}", "op", name, "path",
                  differ->path.data != NULL ? (char *)differ->path.data : "", differ->path.len);
    ASSERT(operation != NULL);
    if (value != NULL) {
        json_object_set_new(operation, "value", json_deep_copy(value));
    }
    json_array_append_new(differ->operations, operation);
}

/* Steps down to a member; returns where to cut the path to step up again. "~" and "/" are escaped:
 * RFC 6901 §3. */
static size_t enter_key(struct differ *differ, const char *key)
{
    size_t len = differ->path.len;
    buf_add_byte(&differ->path, '/');
    for (const char *c = key; *c != '\0'; c++) {
        if (*c == '~' || *c == '/') {
            buf_add_text(&differ->path, *c == '~' ? "~0" : "~1");
        } else {
            buf_add_byte(&differ->path, (uint8_t)*c);
        }
    }
    return len;
}

static size_t enter_index(struct differ *differ, size_t index)
{
    size_t len = differ->path.len;
    buf_printf(&differ->path, "/%zu", index);
    return len;
}

static void leave(struct differ *differ, size_t len)
{
    differ->path.len = len;
}

static void diff(struct differ *differ, const json_t *from, const json_t *to);

static void diff_objects(struct differ *differ, const json_t *from, const json_t *to)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)from, key, value)
    {
        size_t len = enter_key(differ, key);
        const json_t *other = json_object_get(to, key);
        if (other == NULL) {
            operate(differ, "remove", NULL);
        } else {
            diff(differ, value, other);
        }
        leave(differ, len);
    }
    json_object_foreach((json_t *)(uintptr_t)to, key, value)
    {
        if (json_object_get(from, key) == NULL) {
            size_t len = enter_key(differ, key);
            operate(differ, "add", value);
            leave(differ, len);
        }
    }
}

/* Whether two items are the same one, changed: of one name, where they have names. */
static int same_item(const json_t *a, const json_t *b)
{
    const json_t *name = json_object_get(a, "name");
    return json_equal(a, b) || (name != NULL && json_equal(name, json_object_get(b, "name")));
}

static void diff_arrays(struct differ *differ, const json_t *from, const json_t *to)
{
    size_t nfrom = json_array_size(from), nto = json_array_size(to);
    size_t least = nfrom < nto ? nfrom : nto;
    size_t head = 0, tail = 0;
    while (head < least && same_item(json_array_get(from, head), json_array_get(to, head))) {
        head++;
    }
    while (tail < least - head &&
           same_item(json_array_get(from, nfrom - 1 - tail), json_array_get(to, nto - 1 - tail))) {
        tail++;
    }
    for (size_t i = nfrom - tail; i > head; i--) { /* from behind: indices before stay */
        size_t len = enter_index(differ, i - 1);
        operate(differ, "remove", NULL);
        leave(differ, len);
    }
    for (size_t i = head; i < nto - tail; i++) {
        size_t len = enter_index(differ, i);
        operate(differ, "add", json_array_get(to, i));
        leave(differ, len);
    }
    for (size_t i = 0; i < nto; i++) { /* now all are where they belong */
        if (i < head || i >= nto - tail) {
            size_t len = enter_index(differ, i);
            diff(differ, json_array_get(from, i < head ? i : i + nfrom - nto),
                 json_array_get(to, i));
            leave(differ, len);
        }
    }
}

static void diff(struct differ *differ, const json_t *from, const json_t *to)
{
    if (json_equal(from, to)) {
        return;
    }
    if (json_is_object(from) && json_is_object(to)) {
        diff_objects(differ, from, to);
    } else if (json_is_array(from) && json_is_array(to)) {
        diff_arrays(differ, from, to);
    } else {
        operate(differ, "replace", to);
    }
}

json_t *patch_between(const json_t *from, const json_t *to)
{
    struct differ differ = {.operations = json_array()};
    buf_init(&differ.path, BUF_UNLIMITED);
    diff(&differ, from, to);
    buf_release(&differ.path);
    return differ.operations;
}
