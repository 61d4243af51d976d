/* SPDX-License-Identifier: Apache-2.0 */
/*
 * census: thread 0's part of csds.h: asks every worker of its clients, and puts their words
 * together for the call that wants to know.
 */
#ifndef HEDDLE_SERVE_CENSUS_H
#define HEDDLE_SERVE_CENSUS_H

#include "serve/letter.h"

#define CENSUS_JOBS_MAX 4 /* at a time: each may hold response_bytes for every worker */

struct census {
    unsigned jobs;
    size_t bytes_max;                                                 /* of an answer */
    void (*post)(void *user, unsigned worker, struct letter *letter); /* takes the letter */
    void *user;
};

/* LETTER_ASKED. */
void census_ask(struct census *census, unsigned nworkers, const struct letter *asked);
/* LETTER_COUNTED: takes it. */
void census_add(struct census *census, struct letter *counted);

#endif
