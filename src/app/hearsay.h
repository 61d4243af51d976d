/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hearsay: asks the other replicas what kinds of clients they have, and what these reject
 * (pipeline/elsewhere.h), so that status tells it whichever replica writes, and whichever the
 * client is connected to.
 *
 *   fleet's poll ─► /replica/clients of each ─► mesh_hear_other ─► turn
 *
 * One that does not answer is believed a while longer: until its clients had the time to say the
 * same elsewhere. Thread 0.
 */
#ifndef HEDDLE_APP_HEARSAY_H
#define HEDDLE_APP_HEARSAY_H

struct daemon;
struct replicas_round;

struct hearsay {
    struct daemon *daemon;
    struct replicas_round *round; /* NULL: nobody is asked */
    unsigned polls;               /* since they were asked last */
};

void hearsay_init(struct hearsay *hearsay, struct daemon *daemon);
void hearsay_poll(struct hearsay *hearsay); /* four times a second */
void hearsay_stop(struct hearsay *hearsay);

#endif
