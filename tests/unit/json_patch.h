/* SPDX-License-Identifier: Apache-2.0 */
/* json_patch: applies a JSON Patch (RFC 6902: add, remove, replace), as the API server does. */
#ifndef HEDDLE_TESTS_JSON_PATCH_H
#define HEDDLE_TESTS_JSON_PATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Takes the next part of a pointer off *rest, unescaped. */
static inline void json_patch_part(const char **rest, char *ret_part, size_t size)
{
    size_t len = 0;
    (*rest)++;
    while (**rest != '\0' && **rest != '/' && len + 1 < size) {
        char c = *(*rest)++;
        if (c == '~') {
            c = *(*rest)++ == '1' ? '/' : '~';
        }
        ret_part[len++] = c;
    }
    ret_part[len] = '\0';
}

static inline bool json_patch_put(json_t *parent, const char *part, const char *op, json_t *value)
{
    if (json_is_object(parent)) {
        if ((json_object_get(parent, part) == NULL) != (strcmp(op, "add") == 0)) {
            return false;
        }
        return strcmp(op, "remove") == 0
                   ? json_object_del(parent, part) == 0
                   : json_object_set_new(parent, part, json_deep_copy(value)) == 0;
    }
    size_t index = strtoul(part, NULL, 10);
    if (strcmp(op, "add") == 0) {
        return json_array_insert_new(parent, index, json_deep_copy(value)) == 0;
    }
    return strcmp(op, "remove") == 0
               ? json_array_remove(parent, index) == 0
               : json_array_set_new(parent, index, json_deep_copy(value)) == 0;
}

static inline bool json_patch_step(json_t **root, const json_t *operation)
{
    const char *rest = json_string_value(json_object_get(operation, "path"));
    const char *op = json_string_value(json_object_get(operation, "op"));
    json_t *value = json_object_get(operation, "value");
    json_t *parent = *root;
    char part[512];
    if (*rest == '\0') {
        json_decref(*root);
        *root = json_deep_copy(value);
        return true;
    }
    for (json_patch_part(&rest, part, sizeof(part)); *rest != '\0';
         json_patch_part(&rest, part, sizeof(part))) {
        parent = json_is_array(parent) ? json_array_get(parent, strtoul(part, NULL, 10))
                                       : json_object_get(parent, part);
    }
    return parent != NULL && json_patch_put(parent, part, op, value);
}

/* A new value, or NULL when an operation does not apply. */
static inline json_t *json_patch_apply(const json_t *to, const json_t *patch)
{
    json_t *root = json_deep_copy(to);
    size_t i;
    json_t *operation;
    json_array_foreach((json_t *)(uintptr_t)patch, i, operation)
    {
        if (!json_patch_step(&root, operation)) {
            json_decref(root);
            return NULL;
        }
    }
    return root;
}

#endif
