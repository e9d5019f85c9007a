/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/tuning-private.h"

#define EXACT_SIZES 64
#define KEPT_BITS 4 /* of larger sizes */

void
fv_offer_add (FvOffer *offer, double cost, const char *format, ...)
{
  FvCandidate *candidate = &offer->candidates[offer->n++];
  va_list args;

  g_assert (offer->n <= FV_MAX_CANDIDATES);
  candidate->cost = cost;
  va_start (args, format);
  g_vsnprintf (candidate->name, sizeof candidate->name, format, args);
  va_end (args);
}

gint64
fv_size_class (gint64 size)
{
  gint64 step = 1;

  while (size > EXACT_SIZES && size / step >= 1 << KEPT_BITS)
    step *= 2;
  return (size + step - 1) / step * step;
}

const char *
fv_chosen_by_name (FvChosenBy by)
{
  static const char *const names[] = { NULL, "tuned", "forced" };

  return names[by];
}

static guint
lowest_cost (const FvOffer *offer)
{
  guint best = 0;

  for (guint i = 1; i < offer->n; i++)
    if (offer->candidates[i].cost < offer->candidates[best].cost)
      best = i;
  return best;
}

guint
fv_plan_choose (FvPlan *plan, const FvOffer *offer)
{
  guint forced = offer->is_way ? plan->options.way : plan->options.tile;
  FvTuning *tuning = plan->options.tuning;
  FvChoice choice = { .offer = *offer, .first = plan->dispatches->len };
  guint at = plan->choices->len;

  g_assert (offer->n > 0);
  for (guint i = 0; i < FV_MAX_CANDIDATES; i++)
    choice.seconds[i] = -1;
  choice.chosen = choice.guessed = lowest_cost (offer);
  if (tuning && fv_tuning_find (tuning, offer, &choice.chosen, choice.seconds))
    choice.by = FV_CHOSEN_BY_TUNING;
  if (forced && forced <= offer->n) {
    choice.chosen = forced - 1;
    choice.by = FV_CHOSEN_BY_FORCE;
  }
  g_array_append_val (plan->choices, choice);
  g_array_append_val (plan->open_choices, at);
  return choice.chosen;
}

void
fv_plan_chosen (FvPlan *plan)
{
  guint last = plan->open_choices->len - 1;
  guint at = g_array_index (plan->open_choices, guint, last);

  g_array_index (plan->choices, FvChoice, at).end = plan->dispatches->len;
  g_array_set_size (plan->open_choices, last);
}

void
fv_plan_name_tile (FvPlan *plan, FvDispatch *dispatch)
{
  guint n = plan->open_choices->len;

  if (!n)
    return;
  guint at = g_array_index (plan->open_choices, guint, n - 1);
  const FvChoice *choice = &g_array_index (plan->choices, FvChoice, at);
  if (!dispatch->tile)
    dispatch->tile = choice->offer.candidates[choice->chosen].name;
  dispatch->tile_from = fv_chosen_by_name (choice->by);
}
