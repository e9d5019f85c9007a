/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places for storages: activations share one arena by lifetime, largest first,
 * each at the lowest offset where it meets none that lives at the same time. */
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

static void
place_arena (FvPlan *plan)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  g_autoptr (GPtrArray) settled = g_ptr_array_new ();

  for (guint i = 0; i < plan->storages->len; i++) {
    FvStorage *s = plan->storages->pdata[i];

    if (s->kind == FV_STORAGE_ARENA && s->first >= 0)
      g_ptr_array_add (open, s);
  }
  g_ptr_array_sort (open, by_size);
  for (guint i = 0; i < open->len; i++) {
    FvStorage *s = open->pdata[i];

    s->offset = lowest_gap (settled, s);
    g_ptr_array_add (settled, s);
    g_ptr_array_sort (settled, by_offset);
    plan->region[FV_STORAGE_ARENA] = MAX (plan->region[FV_STORAGE_ARENA],
        s->offset + fv_storage_align (s->size));
  }
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
