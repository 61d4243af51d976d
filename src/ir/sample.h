/* SPDX-License-Identifier: Apache-2.0 */
/* sample: requests made up from a match, such that it takes them. For plans: what a change does to
 * the requests that its routes speak of. */
#ifndef HEDDLE_IR_SAMPLE_H
#define HEDDLE_IR_SAMPLE_H

#include "base/arena.h"
#include "ir/ir.h"

#define SAMPLE_PATHS_MAX 2 /* different ones for one match */

struct sample {
    struct str method;
    struct str path; /* with the query, if any */
    LIST(struct ir_header) headers;
};

/* nth: from 0 on, another path each time where the match leaves it open, because the first one may
 * belong to a match that goes before. grpc: requests are calls. False when there is no (other) one
 * or none was found. In the arena; values point into the match. */
bool sample_of_match(const struct ir_match *match, bool grpc, unsigned nth, struct arena *arena,
                     struct sample *ret_sample);

#endif
