/* SPDX-License-Identifier: Apache-2.0 */
/* placed: where a Gateway is, as the cluster says of what was made for it. */
#include "base/metric.h"
#include "provision/provision_internal.h"

#define NO_CA "there is no CA to sign the certificate of its Envoys: heddle needs --webhook"
#define TAKEN "another Gateway has the names of its objects; rename one of the two"

static void set_error(struct placed_row *row, bool address, struct str text)
{
    if (row->error.len == 0) {
        row->error = arena_str(&row->row.arena, text);
        row->address_unusable = address;
    }
}

/* --- addresses ------------------------------------------------------------------------------- */

/* The one who asks may have it already, while the Gateway is elsewhere still (former.c). */
static bool is_given(const struct site *site, const struct placed_row *row,
                     const struct ir_address *wanted)
{
    for (size_t i = 0; i < row->addresses.len; i++) {
        if (str_eq_nocase(row->addresses.items[i].value, wanted->value)) {
            return true;
        }
    }
    return service_has(site->things[PART_SERVICE], wanted->value);
}

static void copy_addresses(struct placed_row *row, const struct seen *service)
{
    row->addresses.items = ARENA_ARRAY(&row->row.arena, service->addresses.len, struct ir_address);
    row->addresses.len = service->addresses.len;
    for (size_t i = 0; i < service->addresses.len; i++) {
        const struct ir_address *from = &service->addresses.items[i];
        row->addresses.items[i].type = arena_str(&row->row.arena, from->type);
        row->addresses.items[i].value = arena_str(&row->row.arena, from->value);
    }
}

/* One address is asked for: a Service has no room for more. */
static struct str why_not(const struct site *site, struct arena *arena, struct str wanted)
{
    if (site->address.len == 0) {
        return arena_printf(arena, "'%.*s' cannot be asked for; ask for an IP address, or for none",
                            STR_FMT(wanted));
    }
    if (!str_eq(wanted, site->address)) {
        return arena_printf(arena,
                            "'%.*s' cannot be had besides '%.*s', since a Service has one address; "
                            "ask for one, or make another Gateway",
                            STR_FMT(wanted), STR_FMT(site->address));
    }
    return arena_printf(arena,
                        "'%.*s' is not given to the Gateway's Service; ask for an address that the "
                        "cluster's load balancer has, or for none",
                        STR_FMT(wanted));
}

static void judge_missing(struct site *site, struct placed_row *row, struct str wanted)
{
    const struct provision *provision = site->provision;
    uint64_t due_ms = site->asked_ms + provision->config.address_ms;
    if (str_eq(wanted, site->address) && provision_now_ms(provision) < due_ms) {
        row->pending = true;
    } else {
        set_error(row, true, why_not(site, &row->row.arena, wanted));
    }
}

static void judge_addresses(struct site *site, struct placed_row *row)
{
    struct provision *provision = site->provision;
    bool missing = false;
    for (size_t i = 0; i < site->wanted.len; i++) {
        missing = missing || !is_given(site, row, &site->wanted.items[i]);
    }
    if (!missing) {
        site->asked_ms = 0;
    } else if (site->asked_ms == 0) {
        site->asked_ms = provision_now_ms(provision);
    }
    row->pending = row->addresses.len == 0;
    for (size_t i = 0; i < site->wanted.len; i++) {
        if (!is_given(site, row, &site->wanted.items[i])) {
            judge_missing(site, row, site->wanted.items[i].value);
        }
    }
    uint64_t due_ms = site->asked_ms + provision->config.address_ms;
    list_remove(&site->asking);
    if (missing && row->pending && provision_now_ms(provision) < due_ms) {
        list_append(&provision->asking, &site->asking);
        provision_wake(provision, due_ms);
    }
}

/* --- the row --------------------------------------------------------------------------------- */

static void add_errors(const struct site *site, struct placed_row *row)
{
    if (site->taken) {
        set_error(row, false, STR(TAKEN));
    }
    for (unsigned i = 0; i < PART_COUNT; i++) {
        const struct thing *thing = site->things[i];
        if (thing != NULL && thing->error != NULL) {
            bool address = i == PART_SERVICE && thing->invalid && site->wanted.len > 0;
            set_error(row, address, str_from(thing->error));
        }
    }
    const struct thing *deployment = site->things[PART_DEPLOYMENT];
    if (row->ready == 0 && deployment != NULL && deployment->seen.trouble.len > 0) {
        set_error(row, false, deployment->seen.trouble);
    }
    const struct thing *identity = site->things[PART_IDENTITY];
    if (site->provision->ring == NULL && (identity == NULL || !identity->seen.there)) {
        set_error(row, false, STR(NO_CA));
    }
}

/* Why the Gateway still is where it was before it had its class. */
static struct str why_former(const struct site *site, struct arena *arena)
{
    const struct thing *service = site->things[PART_SERVICE];
    const struct thing *deployment = site->things[PART_DEPLOYMENT];
    const struct thing *late =
        service != NULL && deployment != NULL && deployment->seen.available > 0 ? service
                                                                                : deployment;
    if (late == NULL) {
        return STR("there is nothing of its class yet");
    }
    const char *what = late == service                    ? "has yet to get its address"
                       : deployment->seen.trouble.len > 0 ? deployment->seen.trouble.ptr
                       : deployment->seen.gave_up         ? "does not become ready"
                                                          : "has yet to become ready";
    return arena_printf(arena, "%s '%.*s/%.*s'%s %s", part_info(late->part)->kind,
                        STR_FMT(late->ns), STR_FMT(late->name),
                        deployment->seen.trouble.len > 0 ? ":" : "", what);
}

static struct placed_row *make_row(struct site *site)
{
    static const struct seen none = {.there = false};
    const struct place place = site_place(site);
    struct placed_row *row = row_new(sizeof(*row), 256);
    copy_addresses(row, place.service != NULL ? &place.service->seen : &none);
    row->ready = place.deployment != NULL ? place.deployment->seen.available : 0;
    if (place.former) {
        row->former = why_former(site, &row->row.arena);
    }
    add_errors(site, row);
    judge_addresses(site, row);
    return row;
}

static bool is_same(const struct placed_row *a, const struct placed_row *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || placed_equal(&a->row, &b->row));
}

static void count(const struct placed_row *row, int64_t times)
{
    if (row != NULL) {
        bool up = row->error.len == 0 && !row->pending && row->addresses.len > 0 && row->ready > 0;
        metric_add(M_gateways, times);
        metric_add(M_gateways_down, up ? 0 : times);
    }
}

static void note_whether_it_stands(struct site *site)
{
    if (!site_stands(site)) {
        site->stands_ms = 0;
    } else if (site->stands_ms == 0) {
        site->stands_ms = provision_now_ms(site->provision);
    }
}

void site_tell(struct site *site)
{
    const struct provision_config *config = &site->provision->config;
    if (!site->provision->synced) {
        return;
    }
    note_whether_it_stands(site);
    struct placed_row *row = site->drafted ? make_row(site) : NULL;
    if (is_same(row, site->placed)) {
        row_unref(row != NULL ? &row->row : NULL, NULL);
        return;
    }
    count(site->placed, -1);
    count(row, 1);
    row_unref(site->placed != NULL ? &site->placed->row : NULL, NULL);
    site->placed = row;
    if (row != NULL) {
        row_ref(&row->row);
    }
    config->placed(config->user, str_from(site->key), row);
}
