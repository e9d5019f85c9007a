/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tuner has measured on a device. */
#pragma once

#include "gst/engine/choice.h"
#include "gst/engine/plan-private.h"

G_BEGIN_DECLS

/**
 * FvTuning:
 *
 * The table of a device: by kernel and class of shapes, the seconds of each
 * candidate and the one to take. Kept on disk, see cache-private.h.
 *
 * Life:    one per device, from its first use on.
 * Threads: any.
 * Errors:  none: what cannot be read is not known.
 */
typedef struct _FvTuning FvTuning;

/* @identity: all that the times depend on. Reads what is stored. */
FvTuning *fv_tuning_new (GBytes *identity);
void fv_tuning_free (FvTuning *tuning); /* %NULL is fine */
FvTuning *fv_device_tuning (FvDevice *device); /* (transfer none) */

/* TRUE where all candidates of @offer were looked at. @chosen: (out).
 * @seconds: (out) (nullable): by candidate, -1 for those not worth a measurement */
gboolean fv_tuning_find (FvTuning *tuning, const FvOffer *offer, guint *chosen,
    double *seconds);
void fv_tuning_put (FvTuning *tuning, const FvOffer *offer, guint chosen,
    const double *seconds);
/* Writes it, with what other processes have stored meanwhile. */
void fv_tuning_store (FvTuning *tuning);

/* tune.c: measures all that a plan of @ir chooses among, but for what is known
 * (@is_anew: that too), and stores it. @options: the plan's */
gboolean fv_tune (FvDevice *device, FvIr *ir, const FvPlanOptions *options,
    gboolean is_anew, GError **error);

/* trial.c: a few dispatches alone, with buffers of their own. */
typedef struct _FvTrial FvTrial;

/* @plan's dispatches from @first to before @end, and what they read. */
FvTrial *fv_trial_new (FvPlan *plan, guint first, guint end);
void fv_trial_free (FvTrial *trial); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvTrial, fv_trial_free)
/* Runs all of @trials by turns. @trials: (nullable) elements; @seconds: (out): by
 * trial, -1 where there is none or it was soon seen to be slow or cannot run. */
gboolean fv_trials_run (FvDevice *device, FvTrial *const *trials, guint n,
    double *seconds, GError **error);

G_END_DECLS
