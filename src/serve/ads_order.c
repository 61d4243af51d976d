/* SPDX-License-Identifier: Apache-2.0 */
/* ads_order: see ads_order.h. Order of types: snapshot/type.def. */
#include "serve/ads_order.h"

/* Which types may name a resource of this type, as bits. */
static const unsigned named_by[XDS_TYPE_COUNT] = {
    [XDS_SDS] = 1u << XDS_LDS | 1u << XDS_CDS,
    [XDS_CDS] = 1u << XDS_LDS | 1u << XDS_RDS | 1u << XDS_ECDS,
    [XDS_EDS] = 1u << XDS_LDS | 1u << XDS_RDS | 1u << XDS_ECDS | 1u << XDS_CDS,
    [XDS_LDS] = 0,
    [XDS_RDS] = 1u << XDS_LDS,
    [XDS_ECDS] = 1u << XDS_LDS,
};

/* A cluster or its endpoints that something new may name was not sent yet. The assignment of a
 * new cluster is not subscribed when the cluster is sent; it is waited for as long as the cluster
 * is not acknowledged. */
static bool clusters_pending(const struct subscription *subs)
{
    const struct subscription *cds = &subs[XDS_CDS];
    const struct subscription *eds = &subs[XDS_EDS];
    return cds->dirty.count > 0 || eds->dirty.count > 0 || (cds->in_flight && eds->owed.count > 0);
}

/* A secret that was changed is there before what is new names it: a Listener that serves one host
 * more may name the certificate that was renewed for that host. */
static bool may_put(const struct subscription *subs, enum xds_type type)
{
    if (type == XDS_SDS || type == XDS_EDS) {
        return true;
    }
    return subs[XDS_SDS].dirty.count == 0 && (type == XDS_CDS || !clusters_pending(subs));
}

static bool may_remove(const struct subscription *subs, enum xds_type type)
{
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        if ((named_by[type] & 1u << t) != 0 && !subscription_settled(&subs[t])) {
            return false;
        }
    }
    return may_put(subs, type);
}

/* A gRPC client accepts a route before it has the clusters that the route names, and goes on with
 * the old ones until then. It ceases to name a cluster when it no longer uses it; that ends the
 * removal. (Envoy's SotW clusters are a wildcard, and delta can tell of one name alone.) */
static bool in_use(const struct subscription *sub)
{
    return sub->type == XDS_CDS && sub->protocol == STREAM_SOTW && !sub->wildcard;
}

/* An answer of whole state takes away what it leaves out. A client that comes back has it all, and
 * the names that it asks for are made one by one. */
static bool is_whole(const struct subscription *sub)
{
    return sub->awaited.count == 0;
}

bool ads_order_next(const struct subscription subs[XDS_TYPE_COUNT], struct ads_step *ret_step)
{
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++) {
        const struct subscription *sub = &subs[t];
        enum xds_type type = (enum xds_type)t;
        if (!sub->requested || !subscription_may_send(sub)) {
            continue;
        }
        bool put = (sub->dirty.count > 0 || sub->forced) && may_put(subs, type) && is_whole(sub);
        bool removal = sub->removing.count > 0 && !sub->in_flight && !in_use(sub) &&
                       may_remove(subs, type) && is_whole(sub);
        if (put || removal) {
            *ret_step = (struct ads_step){.type = type, .removals = removal};
            return true;
        }
    }
    return false;
}
