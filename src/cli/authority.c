/* SPDX-License-Identifier: Apache-2.0 */
/* authority: see authority.h. */
#include "cli/authority.h"

#include <string.h>

#include "resolve/listener_name.h"

bool authorities_check(const struct options *options, struct err *err)
{
    const struct option_values *given = &options->lists[O_authority];
    for (unsigned i = 0; i < given->len; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(given->items[i], given->items[j]) == 0) {
                return err_set(err, "--authority '%s' is given twice", given->items[i]);
            }
        }
        if (!authority_is_valid(str_from(given->items[i]))) {
            return err_set(err,
                           "--authority '%s' is not a name that can stand in xds://NAME/…; use up "
                           "to %d letters, digits and '-', '.', '_', '~', ':'",
                           given->items[i], AUTHORITY_MAX);
        }
    }
    return true;
}
