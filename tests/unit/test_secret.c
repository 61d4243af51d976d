/* SPDX-License-Identifier: Apache-2.0 */
/* Are certificates read as they were meant, what cannot be used told, and keys told to nobody? */
#include "codec/base64.h"
#include "model/secret.h"
#include "model_rig.h"
#include "x509_rig.h"

static struct x509_pair good, other;

static int make_pairs(void **state)
{
    (void)state;
    x509_rig_ec("P-256", &good);
    x509_rig_ec("P-256", &other);
    return 0;
}

static int release_pairs(void **state)
{
    (void)state;
    x509_rig_release(&good);
    x509_rig_release(&other);
    return 0;
}

static void write_base64(struct buf *yaml, const char *key, struct str text)
{
    buf_printf(yaml, "  %s: \"", key);
    base64_encode(text, yaml);
    buf_add_text(yaml, "\"\n");
}

/* {"tls.crt": …} in JSON's form, which YAML takes. */
static void write_plain(struct buf *yaml, const char *key, struct str text)
{
    struct json json;
    buf_printf(yaml, "  %s: ", key);
    json_init(&json, yaml, 0);
    json_str(&json, text);
    buf_add_text(yaml, "\n");
}

static void begin_secret(struct buf *yaml)
{
    buf_init(yaml, BUF_UNLIMITED);
    buf_add_text(yaml, "apiVersion: v1\nkind: Secret\nmetadata: {name: c, namespace: a}\n"
                       "type: kubernetes.io/tls\n");
}

static void write_data(struct buf *yaml, struct str cert, struct str key)
{
    buf_add_text(yaml, "data:\n  ca.crt: \"AAAA\"\n");
    write_base64(yaml, "tls.crt", cert);
    write_base64(yaml, "tls.key", key);
}

static const struct tls_secret *read_secret(struct rig *rig, struct buf *yaml)
{
    buf_add_byte(yaml, '\0');
    rig_read(rig, (const char *)yaml->data);
    buf_release(yaml);
    if (rig->result.object == NULL) {
        rig_print(rig);
    }
    assert_non_null(rig->result.object);
    return (const struct tls_secret *)rig->result.object;
}

static void a_good_secret(void **state)
{
    struct rig rig;
    struct buf yaml;
    (void)state;
    begin_secret(&yaml);
    write_data(&yaml, buf_str(&good.cert), buf_str(&good.key));
    const struct tls_secret *secret = read_secret(&rig, &yaml);
    assert_int_equal(rig.problems.len, 0);
    assert_true(str_eq(rig.result.key, STR("a/c")));
    assert_int_equal(secret->fault.len, 0);
    assert_true(str_eq(secret->cert, buf_str(&good.cert)));
    assert_true(str_eq(secret->key, buf_str(&good.key)));
    assert_true(secret->object.row.arena.wiped);
    rig_release(&rig);
}

static void string_data_comes_first(void **state)
{
    struct rig rig;
    struct buf yaml;
    (void)state;
    begin_secret(&yaml);
    write_data(&yaml, buf_str(&good.cert), buf_str(&other.key));
    buf_add_text(&yaml, "stringData:\n  x: y\n");
    write_plain(&yaml, "tls.key", buf_str(&good.key));
    const struct tls_secret *secret = read_secret(&rig, &yaml);
    assert_int_equal(rig.problems.len, 0);
    assert_int_equal(secret->fault.len, 0);
    assert_true(str_eq(secret->key, buf_str(&good.key)));
    rig_release(&rig);
}

/* A Secret that cannot serve is a valid Secret: its fault is kept, and warned of where it is. */
static void faults(void **state)
{
    const struct {
        struct str cert, key;
        const char *path, *fault;
    } cases[] = {
        {buf_str(&good.cert), buf_str(&other.key), "data.tls.key",
         "tls.key belongs to another certificate"},
        {STR("x"), buf_str(&good.key), "data.tls.crt", "tls.crt has no certificate in it"},
        {buf_str(&good.cert), STR("x"), "data.tls.key",
         "tls.key has no private key in it that can be read"},
        {STR(""), STR(""), "data.tls.crt", "tls.crt has no certificate in it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        struct buf yaml;
        begin_secret(&yaml);
        write_data(&yaml, cases[i].cert, cases[i].key);
        const struct tls_secret *secret = read_secret(&rig, &yaml);
        assert_true(str_eq(secret->fault, str_from(cases[i].fault)));
        assert_int_equal(rig.problems.len, 1);
        assert_int_equal(rig.problems.errors, 0);
        assert_int_equal(rig.problems.items[0].code, PROBLEM_unusable_certificate);
        assert_true(str_eq(rig.problems.items[0].path, str_from(cases[i].path)));
        assert_true(rig.problems.items[0].line > 5);
        rig_release(&rig);
    }
}

static void no_base64_and_no_data(void **state)
{
    static const char *const bodies[] = {"", "data:\n", "data: {}\n",
                                         "data: {tls.crt: '?', tls.key: '?'}\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct rig rig;
        struct buf yaml;
        begin_secret(&yaml);
        buf_add_text(&yaml, bodies[i]);
        const struct tls_secret *secret = read_secret(&rig, &yaml);
        assert_true(str_eq(secret->fault, STR("tls.crt has no certificate in it")));
        assert_int_equal(rig.problems.len, 1);
        rig_release(&rig);
    }
}

static void equality_looks_at_the_bytes(void **state)
{
    struct rig a, b, c;
    struct buf yaml;
    (void)state;
    begin_secret(&yaml);
    write_data(&yaml, buf_str(&good.cert), buf_str(&good.key));
    const struct tls_secret *first = read_secret(&a, &yaml);
    begin_secret(&yaml);
    write_data(&yaml, buf_str(&good.cert), buf_str(&good.key));
    const struct tls_secret *same = read_secret(&b, &yaml);
    begin_secret(&yaml);
    write_data(&yaml, buf_str(&other.cert), buf_str(&other.key));
    const struct tls_secret *next = read_secret(&c, &yaml);
    assert_true(object_equal(&first->object.row, &same->object.row));
    assert_false(object_equal(&first->object.row, &next->object.row));
    rig_release(&a);
    rig_release(&b);
    rig_release(&c);
}

/* The state directory, /api and translate have what object_dump() writes. */
static void the_dump_has_no_data(void **state)
{
    struct rig rig, again;
    struct buf yaml, text;
    struct json json;
    (void)state;
    begin_secret(&yaml);
    write_data(&yaml, buf_str(&good.cert), buf_str(&good.key));
    const struct tls_secret *secret = read_secret(&rig, &yaml);
    buf_init(&text, BUF_UNLIMITED);
    json_init(&json, &text, 0);
    object_dump(&secret->object, &json);
    assert_false(str_contains(buf_str(&text), STR("\"data\"")));
    assert_false(str_contains(buf_str(&text), STR("tls.")));
    assert_false(str_contains(buf_str(&text), STR("BEGIN")));
    secret = read_secret(&again, &text); /* and is still a Secret */
    assert_true(secret->fault.len > 0);
    rig_release(&again);
    rig_release(&rig);
}

static void problems_have_no_bytes_of_it(void **state)
{
    struct rig rig;
    (void)state;
    rig_read(&rig, "apiVersion: v1\nkind: Secret\nmetadata: {name: c}\ntype: kubernetes.io/tls\n"
                   "data: {tls.key: {c2VjcmV0: c2VjcmV0}, tls.crt: [c2VjcmV0]}\n");
    assert_int_equal(rig.problems.errors, 2);
    for (size_t i = 0; i < rig.problems.len; i++) {
        assert_false(str_contains(rig.problems.items[i].text, STR("c2VjcmV0")));
    }
    rig_release(&rig);
}

static void other_types_are_nobodys_business(void **state)
{
    static const char *const bodies[] = {"", "type: Opaque\n", "type: [x]\n",
                                         "type: helm.sh/release.v1\nlater: 1\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct rig rig;
        char yaml[256];
        snprintf(yaml, sizeof(yaml),
                 "apiVersion: v1\nkind: Secret\nmetadata: {name: c}\n"
                 "data: {tls.crt: x}\n%s",
                 bodies[i]);
        rig_read(&rig, yaml);
        assert_true(rig.result.skipped);
        assert_null(rig.result.object);
        assert_int_equal(rig.problems.len, 0);
        assert_int_equal(rig.result.key.len, 0);
        rig_release(&rig);
    }
}

/* --- ConfigMaps ---------------------------------------------------------------------------- */

#define CONFIG_MAP "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n"

static void parameters(void **state)
{
    struct rig rig;
    char yaml[1024];
    (void)state;
    snprintf(yaml, sizeof(yaml),
             CONFIG_MAP "immutable: true\nbinaryData: {x: AAAA}\n"
                        "data: {replicas: \"3\", http3: 'true', app.conf: x, Big: x,"
                        " a123456789-123456789-123456789-123456789: x, short: \"%0256d\","
                        " long: \"%0257d\"}\n",
             0, 0);
    const struct config_map *map = rig_object(&rig, yaml);
    assert_int_equal(map->parameters.len, 4);
    assert_true(str_eq(map->parameters.items[0].key, STR("a123456789-123456789-123456789-12345678"
                                                         "9")));
    assert_true(str_eq(map->parameters.items[1].key, STR("http3")));
    assert_true(str_eq(map->parameters.items[2].key, STR("replicas")));
    assert_true(str_eq(map->parameters.items[2].value, STR("3")));
    assert_true(str_eq(map->parameters.items[3].key, STR("short")));
    assert_int_equal(map->authorities.len, 0);
    assert_int_equal(map->fault.len, 0);
    rig_release(&rig);
}

static void not_all_parameters(void **state)
{
    struct rig rig;
    struct buf yaml;
    (void)state;
    buf_init(&yaml, BUF_UNLIMITED);
    buf_add_text(&yaml, CONFIG_MAP "data:\n");
    for (unsigned i = 0; i < CONFIG_MAP_PARAMETERS_MAX + 5; i++) {
        buf_printf(&yaml, "  k%02u: v\n", i);
    }
    write_plain(&yaml, "ca.crt", buf_str(&good.cert));
    buf_add_byte(&yaml, '\0');
    const struct config_map *map = rig_object(&rig, (const char *)yaml.data);
    assert_int_equal(map->parameters.len, CONFIG_MAP_PARAMETERS_MAX + 1);
    assert_true(str_eq(map->parameters.items[CONFIG_MAP_PARAMETERS_MAX].key, STR("k63")));
    assert_true(str_eq(map->authorities, buf_str(&good.cert)));
    rig_release(&rig);
    rig_expect_round_trip((const char *)yaml.data);
    buf_release(&yaml);
}

static void authorities(void **state)
{
    (void)state;
    rig_expect(CONFIG_MAP "data: {ca.crt: ''}\n", PROBLEM_unusable_certificate, "data.ca.crt",
               "ca.crt has no certificate in it");
    rig_expect(CONFIG_MAP "data: {ca.crt: x}\n", PROBLEM_unusable_certificate, "data.ca.crt",
               "ca.crt has no certificate in it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_secret),
        cmocka_unit_test(string_data_comes_first),
        cmocka_unit_test(faults),
        cmocka_unit_test(no_base64_and_no_data),
        cmocka_unit_test(equality_looks_at_the_bytes),
        cmocka_unit_test(the_dump_has_no_data),
        cmocka_unit_test(problems_have_no_bytes_of_it),
        cmocka_unit_test(other_types_are_nobodys_business),
        cmocka_unit_test(parameters),
        cmocka_unit_test(not_all_parameters),
        cmocka_unit_test(authorities),
    };
    return cmocka_run_group_tests(tests, make_pairs, release_pairs);
}
