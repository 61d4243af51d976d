/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pod: the ports and the user id that the parts of a meshed pod agree on: what its sidecar is sent
 * (xds/), the rules that lead connections there and the agent that runs it (agent/), and who puts
 * them into the pod.
 */
#ifndef HEDDLE_IR_POD_H
#define HEDDLE_IR_POD_H

#define POD_OUTBOUND_PORT 15001 /* of Envoy: connections that the application makes */
#define POD_INBOUND_PORT 15006  /* of Envoy: connections to the application */
#define POD_AGENT_PORT 15020    /* of the agent: /ready, /live, /drain, /metrics */
#define POD_PROBE_PORT 15021    /* nobody's; the rules lead it to the agent, which proves them */
#define POD_PORTS_FIRST 15000   /* of the pod's own parts: no listener has one of them */
#define POD_PORTS_LAST 15090
#define POD_PROXY_UID 15000 /* whose connections are not intercepted */

#endif
