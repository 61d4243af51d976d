/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest: injection into texts of YAML, for those who have no webhook: what makes pods is
 * changed, everything else stays as it is, to the byte.
 */
#ifndef HEDDLE_INJECT_MANIFEST_H
#define HEDDLE_INJECT_MANIFEST_H

#include "base/buf.h"
#include "inject/inject.h"

struct manifest {
    const struct inject_settings *settings;
    /* What the label of a namespace says; empty: nothing. */
    struct str (*ns_label)(void *user, struct str ns);
    /* What was done with an object that makes pods, and why; or, with kind and name empty, why the
     * document cannot be read (`outcome` INJECT_REFUSED). */
    void (*told)(void *user, uint32_t line, struct str kind, struct str ns, struct str name,
                 const struct inject_answer *answer);
    /* Of each Namespace in the text; for manifest_namespaces() only. */
    void (*found)(void *user, struct str ns, struct str label);
    void *user;
};

/* A first look: which Namespaces are there. */
void manifest_namespaces(const struct manifest *manifest, struct str text);
/* Appends the text with what was changed. */
void manifest_inject(const struct manifest *manifest, struct str text, struct buf *out);

#endif
