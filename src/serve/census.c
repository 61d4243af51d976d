/* SPDX-License-Identifier: Apache-2.0 */
/* census: see census.h. */
#include "serve/census.h"

#include <stdlib.h>

#include "base/blob.h"
#include "base/panic.h"
#include "base/vec.h"

struct census_job {
    unsigned worker; /* that has the call */
    uint64_t call;
    unsigned missing; /* workers that have not answered */
    VEC(struct letter *) counted;
};

/* Takes the response; a refusal says why there is none. */
static void answer(const struct census *census, unsigned worker, uint64_t call,
                   struct blob *response, struct str refused)
{
    struct letter *letter = letter_new(LETTER_CENSUS);
    letter->id = call;
    letter->census.response = response;
    letter->census.refused = arena_str(&letter->arena, refused);
    census->post(census->user, worker, letter);
}

void census_ask(struct census *census, unsigned nworkers, const struct letter *asked)
{
    if (census->jobs >= CENSUS_JOBS_MAX) {
        answer(census, asked->worker, asked->id, NULL,
               STR("too many ask for client status at a time; try again"));
        return;
    }
    struct census_job *job = xcalloc(1, sizeof(*job));
    job->worker = asked->worker;
    job->call = asked->id;
    job->missing = nworkers;
    census->jobs++;
    for (unsigned i = 0; i < nworkers; i++) {
        struct letter *letter = letter_new(LETTER_COUNT);
        const struct client_filter *filter = &asked->asked.filter;
        letter->count.job = job;
        letter->count.filter.len = filter->len;
        letter->count.filter.ids = ARENA_ARRAY(&letter->arena, filter->len, struct str);
        for (size_t k = 0; k < filter->len; k++) {
            letter->count.filter.ids[k] = arena_str(&letter->arena, filter->ids[k]);
        }
        census->post(census->user, i, letter);
    }
}

static int compare_clients(const void *a, const void *b)
{
    const struct counted_client *ca = a;
    const struct counted_client *cb = b;
    int order = str_cmp(ca->node_id, cb->node_id);
    return order != 0 ? order : str_cmp(ca->config, cb->config);
}

/* False: it is too much. */
static bool gather(const struct census_job *job, size_t max, struct buf *out)
{
    VEC(struct counted_client) all = {NULL, 0, 0};
    bool fits = true;
    for (size_t i = 0; i < job->counted.len; i++) {
        const struct letter *letter = job->counted.items[i];
        fits = fits && !letter->counted.too_much;
        for (size_t k = 0; k < letter->counted.len; k++) {
            vec_push(&all, letter->counted.clients[k]);
        }
    }
    if (all.len > 0) {
        qsort(all.items, all.len, sizeof(*all.items), compare_clients);
    }
    buf_init(out, max);
    for (size_t i = 0; i < all.len; i++) {
        buf_add_str(out, all.items[i].config);
    }
    vec_release(&all);
    return fits && buf_ok(out);
}

static void finish(struct census *census, struct census_job *job)
{
    struct buf out;
    if (gather(job, census->bytes_max, &out)) {
        answer(census, job->worker, job->call, blob_new(out.data, out.len), STR_NULL);
    } else {
        struct err why;
        (void)err_set(
            &why,
            "the clients' state takes more than %zu bytes (limit response_bytes); ask for "
            "some of them by node_matchers",
            census->bytes_max);
        answer(census, job->worker, job->call, NULL, str_from(why.text));
    }
    buf_release(&out);
    for (size_t i = 0; i < job->counted.len; i++) {
        letter_free(job->counted.items[i]);
    }
    vec_release(&job->counted);
    free(job);
    census->jobs--;
}

void census_add(struct census *census, struct letter *counted)
{
    struct census_job *job = counted->counted.job;
    vec_push(&job->counted, counted);
    if (--job->missing == 0) {
        finish(census, job);
    }
}
