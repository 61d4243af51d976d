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

void place_read(struct str json, struct arena *arena, struct str *ret_region, struct str *ret_zone)
{
    struct doc *docs;
    size_t len;
    doc_parse(arena, json, &docs, &len);
    const struct doc_node *root = len == 1 ? docs[0].root : NULL;
    *ret_region = doc_text(root, STR("region"));
    *ret_zone = doc_text(root, STR("zone"));
}
