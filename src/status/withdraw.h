/* SPDX-License-Identifier: Apache-2.0 */
/*
 * withdraw: what heddle takes back of the status of a Gateway or ListenerSet that is no longer its
 * own. Pure; status/writer.h sends it.
 *
 *   status          {conditions: [Accepted, Programmed, example.com/X], listeners, addresses}
 *   managedFields   heddle: Accepted, Programmed, …   another: Programmed, example.com/X
 *   ──► {conditions: [Programmed, example.com/X], listeners: null, addresses: null}
 *
 * Conditions name no controller, but the API server notes who set them. heddle's is what heddle has
 * set and nobody else has touched since; all else stays, in its place: "Implementations MUST NOT
 * remove or reorder Conditions that they are not directly responsible for" (GatewayStatus). Where
 * nothing is left, the list goes as a whole, and the API server puts in what every Gateway begins
 * with: 'Waiting for controller'.
 * Source: Kubernetes API reference, ManagedFieldsEntry; "Server-Side Apply", merge strategy.
 */
#ifndef HEDDLE_STATUS_WITHDRAW_H
#define HEDDLE_STATUS_WITHDRAW_H

#include "codec/doc.h"
#include "codec/json.h"

/* object: as the API server has it. Writes what changes, as members of a merge patch's status that
 * is open. False: nothing is to be taken back. */
bool status_withdraw(const struct doc_node *object, struct json *patch);

#endif
