/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places for storages: activations share one arena by lifetime, each at the lowest
 * offset where it meets none that lives at the same time. Which one is placed first
 * decides how well that goes: several orders are tried, and then, again and again,
 * what sticks out goes before the others. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/plan-private.h"

#define MAX_TRIES 48
#define ALIGN 256 /* covers every minStorage/TexelBufferOffsetAlignment */

gsize
fv_storage_align (gsize size)
{
  return (fv_view_range (size) + ALIGN - 1) & ~(gsize) (ALIGN - 1);
}

gsize
fv_storage_bound (FvDevice *device, FvBindKind kind, const FvStorage *storage)
{
  gboolean is_view = fv_bind_descriptor (fv_device_tier (device), kind)
      != VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
  gsize range = fv_view_range (storage->size);

  /* the smallest texel of a tensor has 8 bytes */
  return is_view && range / 8 <= fv_device_info (device)->max_texel_elements
      ? range
      : storage->size;
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

gsize
fv_plan_live_bound (FvPlan *plan)
{
  guint n = plan->dispatches->len;
  g_autofree gsize *begun = g_new0 (gsize, n + 1);
  g_autofree gsize *ended = g_new0 (gsize, n + 1);
  gsize bound = 0, live = 0;

  for (guint i = 0; i < plan->storages->len; i++) {
    const FvStorage *s = plan->storages->pdata[i];

    if (s->kind != FV_STORAGE_ARENA || s->first < 0)
      continue;
    begun[s->first] += fv_storage_align (s->size);
    ended[s->last + 1] += fv_storage_align (s->size);
  }
  for (guint i = 0; i < n; i++) {
    live += begun[i] - ended[i];
    bound = MAX (bound, live);
  }
  return bound;
}

/* Keeps @settled sorted by offset. */
static void
settle (GPtrArray *settled, FvStorage *storage)
{
  guint low = 0, high = settled->len;

  while (low < high) {
    guint middle = (low + high) / 2;
    const FvStorage *other = settled->pdata[middle];

    if (other->offset < storage->offset)
      low = middle + 1;
    else
      high = middle;
  }
  g_ptr_array_insert (settled, low, storage);
}

/* Places all of @open in that order. @highest: (out): index of the one that ends
 * last. Returns where it ends. */
static gsize
place_in_order (GPtrArray *open, guint *highest)
{
  g_autoptr (GPtrArray) settled = g_ptr_array_sized_new (open->len);
  gsize top = 0;

  *highest = 0;
  for (guint i = 0; i < open->len; i++) {
    FvStorage *s = open->pdata[i];

    s->offset = lowest_gap (settled, s);
    settle (settled, s);
    if (s->offset + fv_storage_align (s->size) > top) {
      top = s->offset + fv_storage_align (s->size);
      *highest = i;
    }
  }
  return top;
}

static void
place_arena (FvPlan *plan)
{
  static const GCompareFunc orders[] = { by_age, by_life, by_volume, by_size };
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  g_autofree gsize *best = NULL;
  gsize least = G_MAXSIZE;

  for (guint i = 0; i < plan->storages->len; i++) {
    FvStorage *s = plan->storages->pdata[i];

    if (s->kind == FV_STORAGE_ARENA && s->first >= 0)
      g_ptr_array_add (open, s);
  }
  best = g_new0 (gsize, plan->storages->len);
  for (guint try = 0; try < MAX_TRIES && least > plan->arena_bound; try++) {
    guint highest;
    gsize top;

    if (try < G_N_ELEMENTS (orders))
      g_ptr_array_sort (open, orders[try]);
    top = place_in_order (open, &highest);
    for (guint i = 0; top < least && i < plan->storages->len; i++)
      best[i] = ((FvStorage *) plan->storages->pdata[i])->offset;
    least = MIN (least, top);
    if (open->len)
      g_ptr_array_insert (open, 0, g_ptr_array_steal_index (open, highest));
  }
  for (guint i = 0; i < plan->storages->len; i++) {
    FvStorage *s = plan->storages->pdata[i];

    if (s->kind == FV_STORAGE_ARENA && s->first >= 0)
      s->offset = best[i];
  }
  plan->region[FV_STORAGE_ARENA] = least;
}

void
fv_plan_place (FvPlan *plan)
{
  plan->arena_bound = fv_plan_live_bound (plan);
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
