/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle: does heddle know the release of which the cluster's CRDs are?
 *
 * "If implementations detect any Gateway API CRDs that either do not have this annotation set, or
 * have it set to a version that is not recognized … this condition MUST be set to false."
 * "Implementations MAY choose to … provide 'best effort' support", which heddle does: classes are
 * accepted all the same (GatewayClassConditionStatusSupportedVersion).
 */
#ifndef HEDDLE_RESOLVE_BUNDLE_H
#define HEDDLE_RESOLVE_BUNDLE_H

#include "ir/attachment.h"

/* False: there is no cluster, or its CRDs are not known (yet). The message is in scratch. */
bool bundle_judge(struct eval *ev, struct condition *ret_condition);

#endif
