/* SPDX-License-Identifier: Apache-2.0 */
/* attachment: the field tables of attachments and status rows. */
#include "ir/attachment.h"

#define F(type_, struct_, member_)                                                                 \
    {                                                                                              \
        .name = #member_, .type = (type_), .offset = offsetof(struct struct_, member_)             \
    }
#define F_LIST(struct_, member_, schema_)                                                          \
    {                                                                                              \
        .name = #member_, .type = FIELD_LIST, .offset = offsetof(struct struct_, member_),         \
        .schema = &(schema_)                                                                       \
    }
#define SCHEMA(struct_, fields_)                                                                   \
    {                                                                                              \
        .name = #struct_, .size = sizeof(struct struct_), .fields = (fields_)                      \
    }

static const struct field host_fields[] = {
    F(FIELD_STR, attached_host, hostname),
    F(FIELD_STR, attached_host, domain),
    {.name = NULL},
};
static const struct schema host_schema = SCHEMA(attached_host, host_fields);

static const struct field listener_fields[] = {
    F(FIELD_STR, attached_listener, key),          F(FIELD_STR, attached_listener, entry),
    F(FIELD_INT, attached_listener, protocol),     F(FIELD_BOOL, attached_listener, passthrough),
    F_LIST(attached_listener, hosts, host_schema), {.name = NULL},
};
static const struct schema listener_schema = SCHEMA(attached_listener, listener_fields);

static const struct field parent_fields[] = {
    F(FIELD_INT, attached_parent, index),
    F(FIELD_INT, attached_parent, condition),
    F(FIELD_STR, attached_parent, message),
    F(FIELD_STR, attached_parent, gateway),
    F(FIELD_STR_LIST, attached_parent, ports),
    F_LIST(attached_parent, listeners, listener_schema),
    {.name = NULL},
};
static const struct schema parent_schema = SCHEMA(attached_parent, parent_fields);

static const struct field backend_fields[] = {
    F(FIELD_INT, attached_backend, rule),      F(FIELD_INT, attached_backend, index),
    F(FIELD_STR, attached_backend, cluster),   F(FIELD_INT, attached_backend, condition),
    F(FIELD_STR, attached_backend, message),   F(FIELD_STR, attached_backend, ungranted),
    F(FIELD_STR, attached_backend, encrypted), {.name = NULL},
};
static const struct schema backend_schema = SCHEMA(attached_backend, backend_fields);

static const struct field attachment_fields[] = {
    F(FIELD_STR, attachment, key),
    F(FIELD_INT, attachment, kind),
    F(FIELD_INT64, attachment, created),
    F(FIELD_STR, attachment, ns),
    F(FIELD_STR, attachment, name),
    F_LIST(attachment, parents, parent_schema),
    F_LIST(attachment, backends, backend_schema),
    F_LIST(attachment, mirrors, backend_schema),
    F(FIELD_STR_LIST, attachment, names),
    F(FIELD_BOOL, attachment, unserved),
    F(FIELD_INT, attachment, matches),
    F(FIELD_INT64, attachment, bytes),
    {.name = NULL},
};
const struct schema attachment_schema = SCHEMA(attachment, attachment_fields);

static const struct field condition_fields[] = {
    F(FIELD_INT, condition, id),
    F(FIELD_STR, condition, message),
    {.name = NULL},
};
const struct schema condition_schema = SCHEMA(condition, condition_fields);

static const struct field ref_fields[] = {
    F(FIELD_STR, parent_ref, group),
    F(FIELD_STR, parent_ref, kind),
    {.name = "namespace", .type = FIELD_STR, .offset = offsetof(struct parent_ref, ns)},
    F(FIELD_STR, parent_ref, name),
    {.name = "sectionName", .type = FIELD_STR, .offset = offsetof(struct parent_ref, section_name)},
    F(FIELD_INT, parent_ref, port),
    {.name = NULL},
};
static const struct schema ref_schema = SCHEMA(parent_ref, ref_fields);

static const struct field status_parent_fields[] = {
    {.name = "ref",
     .type = FIELD_STRUCT,
     .offset = offsetof(struct status_parent, ref),
     .schema = &ref_schema},
    F_LIST(status_parent, conditions, condition_schema),
    {.name = NULL},
};
static const struct schema status_parent_schema = SCHEMA(status_parent, status_parent_fields);

static const struct field status_kind_fields[] = {
    F(FIELD_STR, status_kind, group),
    F(FIELD_STR, status_kind, kind),
    {.name = NULL},
};
static const struct schema status_kind_schema = SCHEMA(status_kind, status_kind_fields);

static const struct field status_listener_fields[] = {
    F(FIELD_STR, status_listener, name),
    F(FIELD_INT, status_listener, attached),
    F_LIST(status_listener, kinds, status_kind_schema),
    F_LIST(status_listener, conditions, condition_schema),
    {.name = NULL},
};
static const struct schema status_listener_schema = SCHEMA(status_listener, status_listener_fields);

static const struct field status_address_fields[] = {
    F(FIELD_STR, status_address, type),
    F(FIELD_STR, status_address, value),
    {.name = NULL},
};
static const struct schema status_address_schema = SCHEMA(status_address, status_address_fields);

static const struct field status_fields[] = {
    F(FIELD_INT, status, kind),
    F(FIELD_BOOL, status, ancestors),
    F(FIELD_STR, status, ns),
    F(FIELD_STR, status, name),
    F(FIELD_INT64, status, generation),
    F_LIST(status, parents, status_parent_schema),
    F_LIST(status, conditions, condition_schema),
    F(FIELD_STR_LIST, status, features),
    F_LIST(status, listeners, status_listener_schema),
    F_LIST(status, addresses, status_address_schema),
    F(FIELD_INT, status, attached_sets),
    F(FIELD_STR_LIST, status, untold),
    {.name = NULL},
};
const struct schema status_schema = SCHEMA(status, status_fields);

bool attached_may_speak_tls(const struct attached_parent *parent)
{
    size_t i = 0;
    while (i < parent->listeners.len && parent->listeners.items[i].passthrough) {
        i++;
    }
    return i < parent->listeners.len;
}

/* What needs a grant is not told of without one, not even that it does not exist. */
enum condition_id attached_backend_state(const struct attached_backend *backend, bool gateway,
                                         struct str *ret_message)
{
    if (gateway && backend->ungranted.len > 0) {
        *ret_message = backend->ungranted;
        return C_ref_not_permitted;
    }
    if (!gateway && backend->encrypted.len > 0) {
        *ret_message = backend->encrypted;
        return C_unsupported_protocol;
    }
    *ret_message = backend->message;
    return (enum condition_id)backend->condition;
}

bool attachment_equal(const struct row *a, const struct row *b)
{
    return field_equal(&attachment_schema, a, b);
}

bool status_equal(const struct row *a, const struct row *b)
{
    return field_equal(&status_schema, a, b);
}
