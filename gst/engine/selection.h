/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NonZero without a shape that depends on data: where all that becomes of the
 * positions found is a ScatterND into them, the graph is built with all
 * positions there are, and the ScatterND is a Where. */
#pragma once

#include "gst/engine/ir.h"

G_BEGIN_DECLS

/**
 * FvSelections:
 *
 * Which values of a graph being built have one row per position that a NonZero
 * finds, in the order in which it finds them, and which are sizes that tell how
 * many it finds. They are built as if it found all, so a node may read them only
 * where its result keeps one row per position: fv_selections_follow() fails on
 * any other, and the graph has to be built anew with that NonZero refused.
 *
 * Life:    one per fv_ir_build().
 * Threads: one.
 */
typedef struct _FvSelections FvSelections;

FvSelections *fv_selections_new (void);
void fv_selections_free (FvSelections *selections); /* %NULL is fine */

/* Whether @node, a NonZero, may be built this way. */
gboolean
fv_selections_allows (FvSelections *selections, const FvModelNode *node);
/* Whether another try is worth it: forgets all values, and refuses what
 * fv_selections_follow() has failed on. */
gboolean fv_selections_retry (FvSelections *selections);
/* The result of @from, a NonZero of @mask: all positions. (transfer none) */
FvValue *fv_selections_begin (FvSelections *selections, FvIr *ir,
    const FvModelNode *from, FvValue *mask, GError **error);
/* To be called for each node once its shapes are inferred. @done: (out): TRUE
 * where other nodes, in the IR already, make its result instead. */
gboolean fv_selections_follow (FvSelections *selections, FvNode *node,
    gboolean *done, GError **error);
/* Fails where @value must not be looked at. */
gboolean fv_selections_check (FvSelections *selections, const FvValue *value,
    GError **error);

G_END_DECLS
