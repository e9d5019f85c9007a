/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tuner: plans of the same IR that take one candidate after the other, of which
 * each class of shapes gives one dispatch (or what a choice is about) per candidate;
 * these run alone, by turns. */
#include "gst/engine/device-private.h"
#include "gst/engine/kernel-private.h"
#include "gst/engine/tuning-private.h"

#include <string.h>

/* Candidates whose guesses are so much above the lowest are not tried: each costs a
 * pipeline. */
#define NOT_WORTH 3.0
/* What a candidate must gain before it is worth a pipeline of its own. */
#define WORTH 1.05

typedef struct
{
  FvOffer offer;
  FvTrial *trials[FV_MAX_CANDIDATES]; /* (nullable) */
  double seconds[FV_MAX_CANDIDATES];
  guint n_uses, chosen;
} Class;

typedef struct
{
  FvDevice *device;
  FvIr *ir;
  FvPlanOptions options;
  gboolean is_anew;
  GHashTable *done; /* keys of classes that are measured */
  GHashTable *open; /* key -> Class: those that are to be */
} Tuner;

static void
class_free (gpointer data)
{
  Class *class = data;

  for (guint i = 0; i < FV_MAX_CANDIDATES; i++)
    fv_trial_free (class->trials[i]);
  g_free (class);
}

static FvPlan *
make_plan (Tuner *tuner, guint way, guint tile, GError **error)
{
  FvPlanOptions options = tuner->options;

  options.drops = FALSE;
  options.keeps_order = TRUE;
  options.way = way;
  options.tile = tile;
  return fv_plan_new (fv_device_tier (tuner->device),
      fv_device_info (tuner->device), tuner->ir, &options, error);
}

/* The class of @choice, if it is to be measured. */
static Class *
open_class (Tuner *tuner, const FvChoice *choice)
{
  g_autofree char *key =
      g_strconcat (choice->offer.kernel, " ", choice->offer.shape, NULL);
  Class *class = g_hash_table_lookup (tuner->open, key);
  guint chosen;

  if (class || choice->offer.n < 2 || g_hash_table_contains (tuner->done, key)
      || (!tuner->is_anew
          && fv_tuning_find (tuner->options.tuning, &choice->offer, &chosen,
              NULL)))
    return class;
  class = g_new0 (Class, 1);
  class->offer = choice->offer;
  g_hash_table_insert (tuner->open, g_steal_pointer (&key), class);
  return class;
}

/* The classes' own choices in @plan become their trials. */
static void
collect (Tuner *tuner, FvPlan *plan, gboolean of_ways)
{
  for (guint i = 0; i < plan->choices->len; i++) {
    const FvChoice *choice = &g_array_index (plan->choices, FvChoice, i);
    const FvCandidate *candidates = choice->offer.candidates;
    Class *class;

    if (choice->offer.is_way != of_ways
        || !(class = open_class (tuner, choice)))
      continue;
    class->n_uses++;
    if (!class->trials[choice->chosen]
        && candidates[choice->chosen].cost
            <= NOT_WORTH * candidates[choice->guessed].cost)
      class->trials[choice->chosen] =
          fv_trial_new (plan, choice->first, choice->end);
  }
}

static guint
most_candidates (FvPlan *plan, gboolean of_ways)
{
  guint most = 0;

  for (guint i = 0; i < plan->choices->len; i++) {
    const FvOffer *offer = &g_array_index (plan->choices, FvChoice, i).offer;

    if (offer->is_way == of_ways)
      most = MAX (most, offer->n);
  }
  return most;
}

static guint
fastest (const Class *class)
{
  guint best = G_MAXUINT;

  for (guint i = 0; i < class->offer.n; i++)
    if (class->seconds[i] > 0
        && (best == G_MAXUINT || class->seconds[i] < class->seconds[best]))
      best = i;
  return best;
}

static gint
find_candidate (const FvOffer *offer, const char *name)
{
  for (guint i = 0; i < offer->n; i++)
    if (g_str_equal (offer->candidates[i].name, name))
      return (gint) i;
  return -1;
}

/* TRUE where the candidate of that name is about as good as @class's best. */
static gboolean
serves (const Class *class, const char *name)
{
  gint at = find_candidate (&class->offer, name);

  return at >= 0 && class->seconds[at] > 0
      && class->seconds[at] <= WORTH * class->seconds[fastest (class)];
}

/* The name that serves the most dispatches of the classes in @left. */
static const char *
most_useful (GPtrArray *left, const char *kernel)
{
  const char *best = NULL;
  guint most = 0;

  for (guint i = 0; i < left->len; i++) {
    const Class *from = left->pdata[i];

    if (strcmp (from->offer.kernel, kernel))
      continue;
    for (guint k = 0; k < from->offer.n; k++) {
      const char *name = from->offer.candidates[k].name;
      guint n = 0;

      for (guint c = 0; c < left->len; c++) {
        const Class *class = left->pdata[c];

        if (!strcmp (class->offer.kernel, kernel) && serves (class, name))
          n += class->n_uses;
      }
      if (n > most) {
        most = n;
        best = name;
      }
    }
  }
  return best;
}

/* Few distinct candidates, each as good as the best one for its classes, or almost:
 * every other one is a pipeline more. Then the best of those few. */
static void
settle (Tuner *tuner, GPtrArray *classes)
{
  g_autoptr (GPtrArray) left = g_ptr_array_new ();
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();

  for (guint i = 0; i < classes->len; i++)
    if (fastest (classes->pdata[i]) != G_MAXUINT)
      g_ptr_array_add (left, classes->pdata[i]);
  while (left->len) {
    const char *kernel = ((Class *) left->pdata[0])->offer.kernel;
    const char *name = most_useful (left, kernel);

    g_ptr_array_add (taken, (gpointer) name);
    for (guint i = left->len; i-- > 0;)
      if (serves (left->pdata[i], name)
          && !strcmp (((Class *) left->pdata[i])->offer.kernel, kernel))
        g_ptr_array_remove_index (left, i);
  }
  for (guint i = 0; i < classes->len; i++) {
    Class *class = classes->pdata[i];
    guint best = fastest (class);

    class->chosen = G_MAXUINT;
    for (guint k = 0; best != G_MAXUINT && k < taken->len; k++) {
      gint at = find_candidate (&class->offer, taken->pdata[k]);

      if (at >= 0 && class->seconds[at] > 0
          && (class->chosen == G_MAXUINT
              || class->seconds[at] < class->seconds[class->chosen]))
        class->chosen = (guint) at;
    }
    if (class->chosen != G_MAXUINT)
      fv_tuning_put (tuner->options.tuning, &class->offer, class->chosen,
          class->seconds);
  }
}

/* Runs the trials of all open classes, which are done then. */
static gboolean
measure (Tuner *tuner, GError **error)
{
  g_autoptr (GPtrArray) classes = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key, class;

  g_hash_table_iter_init (&iter, tuner->open);
  while (g_hash_table_iter_next (&iter, &key, &class)) {
    g_ptr_array_add (classes, class);
    g_hash_table_add (tuner->done, g_strdup (key));
  }
  for (guint i = 0; i < classes->len; i++) {
    Class *c = classes->pdata[i];

    if (!fv_trials_run (tuner->device, c->trials, c->offer.n, c->seconds,
            error))
      return FALSE;
  }
  settle (tuner, classes);
  g_hash_table_remove_all (tuner->open);
  return TRUE;
}

/* All tiles, whatever way they serve. */
static gboolean
tune_tiles (Tuner *tuner, guint n_ways, GError **error)
{
  for (guint way = 0; way <= n_ways; way++)
    for (guint tile = 1, most = 1; tile <= most; tile++) {
      g_autoptr (FvPlan) plan = make_plan (tuner, way, tile, error);

      if (!plan)
        return FALSE;
      most = most_candidates (plan, FALSE);
      collect (tuner, plan, FALSE);
      if (!g_hash_table_size (tuner->open))
        break;
    }
  return measure (tuner, error);
}

/* The ways, with the tiles that are best for each. */
static gboolean
tune_ways (Tuner *tuner, guint n_ways, GError **error)
{
  for (guint way = 1; way <= n_ways; way++) {
    g_autoptr (FvPlan) plan = make_plan (tuner, way, 0, error);

    if (!plan)
      return FALSE;
    collect (tuner, plan, TRUE);
  }
  return measure (tuner, error);
}

gboolean
fv_tune (FvDevice *device, FvIr *ir, const FvPlanOptions *options,
    gboolean is_anew, GError **error)
{
  Tuner tuner = { device, ir, *options, is_anew };
  g_autoptr (FvPlan) plan = make_plan (&tuner, 0, 0, error);
  gboolean is_known = !is_anew;
  guint n_ways;

  if (!plan)
    return FALSE;
  for (guint i = 0; i < plan->choices->len; i++) {
    const FvChoice *choice = &g_array_index (plan->choices, FvChoice, i);

    is_known &= choice->by == FV_CHOSEN_BY_TUNING || choice->offer.n < 2;
  }
  n_ways = most_candidates (plan, TRUE);
  g_clear_pointer (&plan, fv_plan_free);
  if (is_known)
    return TRUE;
  tuner.done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  tuner.open =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, class_free);
  gboolean ok = tune_tiles (&tuner, n_ways, error)
      && (n_ways == 0 || tune_ways (&tuner, n_ways, error));
  g_hash_table_unref (tuner.done);
  g_hash_table_unref (tuner.open);
  fv_tuning_store (options->tuning);
  return ok;
}
