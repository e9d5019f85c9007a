/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of a plan's dispatches. Nodes come as the file has them, often one
 * branch behind the other; each dispatch would wait for the one before it in its
 * branch while the rest of the device is idle. So those that wait for none of each
 * other are brought together: an epoch, with a barrier before and behind it. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/plan-private.h"

#include <string.h>

/* How many of the dispatches that are left are looked at for an epoch, tried in this
 * order: the first that takes no more memory than the file's order wins. */
static const guint windows[] = { 256, 64, 16, 4 };

/* What was done to a storage since the epoch was begun, by it or by a dispatch that
 * stays behind. */
typedef struct
{
  guint used_at, written_at; /* numbers of epochs */
  guint n_left; /* bindings of dispatches that are left */
  gboolean lives;
} Mark;

typedef struct
{
  FvPlan *plan;
  guint n, n_done, n_epochs;
  gsize live, limit; /* bytes of activations */
  gboolean *done; /* by planned index */
  Mark *marks; /* by storage */
  guint *order; /* planned index by position */
  guint *epoch_start, *epoch_end; /* by position: of its epoch */
} Order;

static FvStorage *
storage_of (const FvBinding *binding)
{
  return (FvStorage *) (gpointer) binding->buffer;
}

static const FvDispatch *
dispatch_at (const Order *order, guint planned)
{
  return &g_array_index (order->plan->dispatches, FvDispatch, planned);
}

static gboolean
waits (const Order *order, const FvDispatch *dispatch)
{
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    const FvBinding *binding = &dispatch->bindings[i];
    const Mark *mark = &order->marks[storage_of (binding)->index];

    if (mark->written_at == order->n_epochs
        || (mark->used_at == order->n_epochs
            && fv_bind_is_write (binding->kind)))
      return TRUE;
  }
  return FALSE;
}

static void
mark (Order *order, const FvDispatch *dispatch)
{
  for (guint i = 0; i < dispatch->n_bindings; i++) {
    const FvBinding *binding = &dispatch->bindings[i];
    Mark *to = &order->marks[storage_of (binding)->index];

    to->used_at = order->n_epochs;
    if (fv_bind_is_write (binding->kind))
      to->written_at = order->n_epochs;
  }
}

/* Bytes of activations that @dispatch is the first to use. Where @begin, they live
 * from now on. */
static gsize
new_bytes (Order *order, const FvDispatch *dispatch, gboolean begin)
{
  gsize bytes = 0;

  for (guint i = 0; i < dispatch->n_bindings; i++) {
    const FvStorage *s = storage_of (&dispatch->bindings[i]);
    Mark *mark = &order->marks[s->index];

    if (s->kind == FV_STORAGE_ARENA && !mark->lives)
      bytes += fv_storage_align (s->size);
    mark->lives |= begin;
    mark->n_left -= begin;
  }
  return bytes;
}

/* Fills one epoch from @head on, the first dispatch that is left. */
static void
fill_epoch (Order *order, guint window, guint head)
{
  for (guint i = head, seen = 0; i < order->n && seen < window; i++) {
    const FvDispatch *dispatch = dispatch_at (order, i);

    if (order->done[i])
      continue;
    seen++;
    if (i == head
        || (!waits (order, dispatch)
            && order->live + new_bytes (order, dispatch, FALSE)
                <= order->limit)) {
      order->live += new_bytes (order, dispatch, TRUE);
      order->order[order->n_done++] = i;
      order->done[i] = TRUE;
    }
    mark (order, dispatch);
  }
}

static void
end_epoch (Order *order, guint start)
{
  for (guint at = start; at < order->n_done; at++) {
    const FvDispatch *dispatch = dispatch_at (order, order->order[at]);

    order->epoch_start[at] = start;
    order->epoch_end[at] = order->n_done;
    for (guint b = 0; b < dispatch->n_bindings; b++) {
      const FvStorage *s = storage_of (&dispatch->bindings[b]);
      Mark *mark = &order->marks[s->index];

      if (s->kind == FV_STORAGE_ARENA && mark->lives && !mark->n_left) {
        order->live -= fv_storage_align (s->size);
        mark->lives = FALSE;
      }
    }
  }
}

static void
make_order (Order *order, guint window)
{
  memset (order->marks, 0, order->plan->storages->len * sizeof (Mark));
  memset (order->done, 0, order->n * sizeof (gboolean));
  for (guint i = 0; i < order->n; i++) {
    const FvDispatch *dispatch = dispatch_at (order, i);

    for (guint b = 0; b < dispatch->n_bindings; b++)
      order->marks[storage_of (&dispatch->bindings[b])->index].n_left++;
  }
  order->live = order->n_done = order->n_epochs = 0;
  for (guint head = 0; order->n_done < order->n;) {
    guint start = order->n_done;

    while (order->done[head])
      head++;
    order->n_epochs++;
    fill_epoch (order, window, head);
    end_epoch (order, start);
  }
}

/* What an epoch uses lives as long as it, so that none of its dispatches waits for
 * memory of another. */
static void
set_lives (FvPlan *plan, const Order *order)
{
  for (guint i = 0; i < plan->storages->len; i++) {
    FvStorage *s = plan->storages->pdata[i];

    s->first = s->last = -1;
  }
  for (guint at = 0; at < order->n; at++) {
    const FvDispatch *dispatch =
        &g_array_index (plan->dispatches, FvDispatch, order->order[at]);

    for (guint b = 0; b < dispatch->n_bindings; b++) {
      FvStorage *s = storage_of (&dispatch->bindings[b]);

      if (s->first < 0)
        s->first = (gint) order->epoch_start[at];
      s->last = (gint) order->epoch_end[at] - 1;
    }
  }
}

static void
apply (FvPlan *plan, const Order *order)
{
  GArray *sorted =
      g_array_sized_new (FALSE, FALSE, sizeof (FvDispatch), order->n);

  plan->positions = g_new (guint, order->n);
  for (guint at = 0; at < order->n; at++) {
    g_array_append_val (sorted,
        g_array_index (plan->dispatches, FvDispatch, order->order[at]));
    plan->positions[order->order[at]] = at;
  }
  g_array_unref (plan->dispatches);
  plan->dispatches = sorted;
}

void
fv_plan_order (FvPlan *plan)
{
  guint n = plan->dispatches->len;
  g_autofree guint *lists = g_new (guint, 3 * (gsize) n + 1);
  g_autofree gboolean *done = g_new (gboolean, n + 1);
  g_autofree Mark *marks = g_new (Mark, plan->storages->len + 1);
  Order order = { .plan = plan,
    .n = n,
    .limit = fv_plan_live_bound (plan),
    .done = done,
    .marks = marks,
    .order = lists,
    .epoch_start = lists + n,
    .epoch_end = lists + 2 * n };

  for (guint i = 0; i < plan->storages->len; i++)
    ((FvStorage *) plan->storages->pdata[i])->index = i;
  for (guint i = 0; i < G_N_ELEMENTS (windows); i++) {
    make_order (&order, windows[i]);
    set_lives (plan, &order);
    if (fv_plan_live_bound (plan) <= order.limit) {
      apply (plan, &order);
      return;
    }
  }
  for (guint i = 0; i < n; i++) {
    order.order[i] = order.epoch_start[i] = i;
    order.epoch_end[i] = i + 1;
  }
  set_lives (plan, &order);
}
