/* SPDX-License-Identifier: Apache-2.0 */
/* place: see place.h. */
#include "agent/place.h"

#include "cli/fetch.h"
#include "codec/doc.h"

void place_url(struct str control, struct str node, struct buf *out)
{
    struct arena arena;
    arena_init(&arena);
    buf_printf(out, "http://%.*s/place?node=%.*s", STR_FMT(control),
               STR_FMT(fetch_escape(&arena, node)));
    arena_release(&arena);
}

static struct str text_of(const struct doc_node *root, struct str key)
{
    const struct doc_node *node = doc_get(root, key);
    return node != NULL && node->type == DOC_STRING ? node->text : STR_NULL;
}

void place_read(struct str json, struct arena *arena, struct str *ret_region, struct str *ret_zone)
{
    struct doc *docs;
    size_t len;
    doc_parse(arena, json, &docs, &len);
    const struct doc_node *root = len == 1 ? docs[0].root : NULL;
    *ret_region = text_of(root, STR("region"));
    *ret_zone = text_of(root, STR("zone"));
}
