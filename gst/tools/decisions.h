/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/tools/compare.h"
#include "gst/tools/dataset.h"
#include "gst/engine/graph.h"

G_BEGIN_DECLS

/**
 * Decisions:
 *
 * Nodes of a model that choose by what they read: TopK, NonMaxSuppression,
 * NonZero, ArgMax, comparisons, If. Where two choices are almost as good, a
 * rounding turns one into the other, and nothing behind it can be compared.
 *
 * Life:   one per model; keeps no reference to it.
 */
typedef struct _Decisions Decisions;

Decisions *decisions_new (const FvModel *model);
void decisions_free (Decisions *decisions); /* %NULL is fine */

/* Whether output @i of the model stands behind a decision. */
gboolean decisions_lead_to (const Decisions *decisions, guint i);
/* Where outputs behind a TopK or NonMaxSuppression failed: compares them anew with
 * rows that rank almost the same matched. @results: one per output. */
void decisions_match (const Decisions *decisions, FvArray *const *got,
    const DataSet *set, double tolerance, Comparison *results);

/* What @device has for the outputs of the model and behind them for all that the
 * decisions read and make. (transfer full): decisions_n_values() arrays */
guint decisions_n_values (const Decisions *decisions);
FvArray **decisions_run (const Decisions *decisions, FvDevice *device,
    const FvGraphOptions *options, const FvModel *model, const DataSet *set,
    GError **error);

/* Judges that decision by decision: the references go on from what was decided
 * there, so that all that lies between decisions, the values they are made by and
 * the outputs are compared as ever; each decision must be what the references
 * decide by the same values; and the references, left alone, must give what is
 * stored. @results: one per output of the model. */
gboolean decisions_judge (const Decisions *decisions, FvArray **got,
    const FvGraphOptions *options, const FvModel *model, const DataSet *set,
    Comparison *results, GError **error);

G_END_DECLS
