/* SPDX-License-Identifier: Apache-2.0 */
/* say: the requests of a scenario's client, in either protocol. */
#ifndef HEDDLE_TESTS_SAY_H
#define HEDDLE_TESTS_SAY_H

#include "client.h"

/* asked of the type has changed from `before`. */
void say_names(struct client *client, enum xds_type type, const struct names *before);
/* ACK, or NACK with these words. */
void say_answer(struct client *client, enum xds_type type, const char *reject);

#endif
