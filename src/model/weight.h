/* SPDX-License-Identifier: Apache-2.0 */
/* weight: how many bytes parts of a route may take in an encoding, whatever it is: field_weight().
 */
#ifndef HEDDLE_MODEL_WEIGHT_H
#define HEDDLE_MODEL_WEIGHT_H

#include "model/route.h"

size_t weight_of_matches(const struct route *route, size_t rule);
size_t weight_of_filters(const struct filter *filters, size_t len);
size_t weight_of_session(const struct session_persistence *session);

#endif
