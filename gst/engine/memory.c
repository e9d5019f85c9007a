/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places for storages: activations share one arena by lifetime, each at the lowest
 * offset where it meets none that lives at the same time. Which one is placed first
 * decides how well that goes, so that several orders are tried. */
#include "gst/engine/plan-private.h"

#define ALIGN 256 /* covers every minStorage/TexelBufferOffsetAlignment */

gsize
fv_storage_align (gsize size)
{
  return (size + ALIGN - 1) & ~(gsize) (ALIGN - 1);
}

static gint
by_size (gconstpointer a, gconstpointer b)
{
  const FvStorage *x = *(FvStorage *const *) a, *y = *(FvStorage *const *) b;

  if (x->size != y->size)
    return x->size < y->size ? 1 : -1;
  return x->first - y->first;
}

static gint
by_age (gconstpointer a, gconstpointer b)
{
  const FvStorage *x = *(FvStorage *const *) a, *y = *(FvStorage *const *) b;

  return x->first != y->first ? x->first - y->first : by_size (a, b);
}

static gint
by_life (gconstpointer a, gconstpointer b)
{
  const FvStorage *x = *(FvStorage *const *) a, *y = *(FvStorage *const *) b;
  gint m = x->last - x->first, n = y->last - y->first;

  return m != n ? n - m : by_size (a, b);
}

static gint
by_volume (gconstpointer a, gconstpointer b)
{
  const FvStorage *x = *(FvStorage *const *) a, *y = *(FvStorage *const *) b;
  double m = (double) x->size * (x->last - x->first + 1);
  double n = (double) y->size * (y->last - y->first + 1);

  return m != n ? (m < n ? 1 : -1) : by_size (a, b);
}

static gint
by_offset (gconstpointer a, gconstpointer b)
{
  const FvStorage *x = *(FvStorage *const *) a, *y = *(FvStorage *const *) b;

  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static gboolean
meet (const FvStorage *a, const FvStorage *b)
{
  return a->first <= b->last && b->first <= a->last;
}

static gsize
lowest_gap (GPtrArray *settled, const FvStorage *storage)
{
  gsize size = fv_storage_align (storage->size), at = 0;

  for (guint i = 0; i < settled->len; i++) { /* sorted by offset */
    const FvStorage *other = settled->pdata[i];

    if (!meet (storage, other))
      continue;
    if (other->offset >= at + size)
      break;
    at = MAX (at, other->offset + fv_storage_align (other->size));
  }
  return at;
}

static gsize
live_bound (FvPlan *plan)
{
  gsize bound = 0;

  for (guint d = 0; d < plan->dispatches->len; d++) {
    gsize live = 0;

    for (guint i = 0; i < plan->storages->len; i++) {
      FvStorage *s = plan->storages->pdata[i];

      if (s->kind == FV_STORAGE_ARENA && s->first <= (gint) d
          && (gint) d <= s->last)
        live += fv_storage_align (s->size);
    }
    bound = MAX (bound, live);
  }
  return bound;
}

/* Returns the end of what is placed. */
static gsize
place_in_order (GPtrArray *open, GCompareFunc order)
{
  g_autoptr (GPtrArray) settled = g_ptr_array_new ();
  gsize end = 0;

  g_ptr_array_sort (open, order);
  for (guint i = 0; i < open->len; i++) {
    FvStorage *s = open->pdata[i];

    s->offset = lowest_gap (settled, s);
    g_ptr_array_add (settled, s);
    g_ptr_array_sort (settled, by_offset);
    end = MAX (end, s->offset + fv_storage_align (s->size));
  }
  return end;
}

static void
place_arena (FvPlan *plan)
{
  static const GCompareFunc orders[] = { by_size, by_volume, by_life, by_age };
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  gsize least = G_MAXSIZE, end = 0;
  guint best = 0;

  for (guint i = 0; i < plan->storages->len; i++) {
    FvStorage *s = plan->storages->pdata[i];

    if (s->kind == FV_STORAGE_ARENA && s->first >= 0)
      g_ptr_array_add (open, s);
  }
  for (guint i = 0; i < G_N_ELEMENTS (orders) && least > plan->arena_bound;
       i++) {
    end = place_in_order (open, orders[i]);
    best = end < least ? i : best;
    least = MIN (least, end);
  }
  if (end != least)
    end = place_in_order (open, orders[best]);
  plan->region[FV_STORAGE_ARENA] = end;
}

void
fv_plan_place (FvPlan *plan)
{
  plan->arena_bound = live_bound (plan);
  for (guint i = 0; i < plan->storages->len; i++) {
    FvStorage *s = plan->storages->pdata[i];

    if (s->kind == FV_STORAGE_ARENA && !plan->options.alone)
      continue;
    s->offset = plan->region[s->kind];
    /* the zone behind each is what the tests watch */
    plan->region[s->kind] +=
        fv_storage_align (s->size) + (plan->options.alone ? ALIGN : 0);
  }
  if (!plan->options.alone)
    place_arena (plan);
}
