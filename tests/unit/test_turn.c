/* SPDX-License-Identifier: Apache-2.0 */
/* test_turn: the changes of a turn as one changeset: sorted, joined, and only what differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mesh_rig.h"

#define SERVICE(app)                                                                               \
    "apiVersion: v1\nkind: Service\nmetadata: {name: echo, namespace: a}\nspec:\n"                 \
    "  clusterIP: 127.0.0.9\n  ports: [{name: http, port: 80" app "}]\n"

/* "+cds name" for each new resource, "~" for a changed one, "-" for one that is gone. */
static void assert_turn(struct mesh *mesh, const char *wanted)
{
    struct buf text;
    buf_init(&text, BUF_UNLIMITED);
    struct changeset *changes = mesh_turn(mesh);
    for (size_t i = 0; changes != NULL && i < changes->len; i++) {
        const struct change *change = &changes->items[i];
        const struct resource *of = change->put != NULL ? change->put : change->removed;
        char mark = change->put == NULL ? '-' : change->removed == NULL ? '+' : '~';
        buf_printf(&text, "%c%s %.*s %.*s\n", mark, xds_type_info(of->type)->name,
                   STR_FMT(of->scope), STR_FMT(of->name));
    }
    if (changes != NULL) {
        changeset_unref(changes);
    }
    buf_add_byte(&text, 0);
    assert_string_equal(text.data, wanted);
    buf_release(&text);
}

static void test_changes(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    assert_true(mesh_dirty(mesh));
    assert_turn(mesh, "");
    assert_false(mesh_dirty(mesh));
    assert_null(mesh_turn(mesh));

    /* Without clients there are no resources. */
    rig_apply(mesh, SERVICE(""));
    assert_turn(mesh, "");
    rig_open_with(mesh, 1, "sidecar/a/x", "envoy", "interception=none");
    assert_turn(mesh, "+cds envoy a/echo:80\n"
                      "+eds all a/echo:80\n"
                      "+lds sidecar.bind a/echo:80\n");

    /* The same object again. */
    rig_apply(mesh, SERVICE(""));
    assert_turn(mesh, "");

    /* From TCP to HTTP; endpoints do not care. */
    rig_apply(mesh, SERVICE(", appProtocol: http"));
    assert_turn(mesh, "~lds sidecar.bind a/echo:80\n"
                      "+rds envoy a/echo:80\n");

    /* There and back within one turn. */
    rig_apply(mesh, SERVICE(""));
    rig_apply(mesh, SERVICE(", appProtocol: http"));
    assert_turn(mesh, "");

    rig_delete(mesh, KIND_SERVICE, "a/echo");
    assert_turn(mesh, "-cds envoy a/echo:80\n"
                      "-eds all a/echo:80\n"
                      "-lds sidecar.bind a/echo:80\n"
                      "-rds envoy a/echo:80\n");
    mesh_free(mesh);
}

static void test_sequence(void **state)
{
    (void)state;
    struct mesh *mesh = rig_mesh();
    rig_open(mesh, 1, "sidecar/a/x", "envoy");
    struct changeset *first = mesh_turn(mesh);
    assert_int_equal(first->seq, 1);
    rig_apply(mesh, "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
    assert_null(mesh_turn(mesh));
    rig_apply(mesh, SERVICE(""));
    struct changeset *second = mesh_turn(mesh);
    assert_int_equal(second->seq, 2); /* a turn without changes is not counted */
    changeset_unref(first);
    changeset_unref(second);
    mesh_free(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
