/* SPDX-License-Identifier: Apache-2.0 */
/* graph: all tables and indexes, how they hang together, on one screen: the map of heddle. */
#ifndef HEDDLE_PIPELINE_GRAPH_H
#define HEDDLE_PIPELINE_GRAPH_H

#include "engine/engine.h"
#include "ir/graph.h"

extern const struct graph heddle_graph;

/* The tables whose rows are struct resource_row. */
extern const unsigned resource_tables[];
extern const unsigned resource_tables_len;
extern const unsigned status_tables[]; /* of rows of struct status */
extern const unsigned status_tables_len;

#endif
