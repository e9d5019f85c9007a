/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every case of every operator: the kernels of one tier (FOVEA_TIER), in f32 and
 * f16, against the plain C reference. FV_OP=Conv runs one operator alone. */
#include "gst/engine/choice.h"
#include "gst/engine/plan.h"
#include "tests/device-test.h"
#include "tests/ir-text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE_F32 1e-4 /* of the largest |value| */
#define TOLERANCE_F16 4e-3

typedef struct
{
  const FvOp *op;
  const FvCase *item;
} Entry;

static GArray *entries;

static gboolean
on_device (FvIr *ir)
{
  FvNode *node = ir->nodes->pdata[0];

  return node->op->lower != NULL && ir->inputs->len > 0;
}

static double
worst_error (const FvArray *got, const FvArray *want)
{
  double largest = 1e-3, worst = 0;

  for (gint64 i = 0; i < want->count; i++)
    if (isfinite (want->f32[i]))
      largest = fmax (largest, fabs (want->f32[i]));
  for (gint64 i = 0; i < want->count; i++) {
    float a = got->f32[i], b = want->f32[i];

    if (a == b || (isnan (a) && isnan (b)))
      continue;
    if (!isfinite (a) || !isfinite (b))
      return INFINITY;
    worst = fmax (worst, fabs (a - b) / largest);
  }
  return worst;
}

/* Elements of a dense output's storage that its shape does not reach are zero. */
static void
check_padding (FvGraph *graph, const char *what)
{
  const FvPort *port = fv_graph_output (graph, 0, 0);
  gsize size = fv_type_size (port->type), total;
  const guint8 *data = port->buffer ? fv_buffer_map (port->buffer) : NULL;
  g_autofree guint8 *seen = NULL;
  gint64 count = fv_shape_count (&port->shape), last = 0;

  if (!data || port->offset)
    return;
  total = port->buffer_size / size;
  if ((gint64) total > count * 4 + 16)
    return; /* a view of something larger */
  seen = g_malloc0 (total);
  for (gint64 i = 0; i < count; i++) {
    gint64 at = 0, left = i;

    for (int d = (int) port->shape.rank - 1; d >= 0; d--) {
      at += left % port->shape.dims[d] * port->strides[d];
      left /= port->shape.dims[d];
    }
    seen[at] = 1;
    last = MAX (last, at);
  }
  /* the storage may be larger than its last row */
  total = MIN (total, ((gsize) last & ~(gsize) 3) + 4);
  for (gsize i = 0; i < total; i++)
    for (gsize b = 0; !seen[i] && b < size; b++)
      ck_assert_msg (!data[port->buffer_offset + i * size + b],
          "%s: pad element %" G_GSIZE_FORMAT " is not zero", what, i);
}

static void
compare (const Entry *entry, FvType type, FvArray **got, FvArray **again,
    FvArray **want, guint n, const char *what)
{
  double limit = type == FV_TYPE_F16 ? TOLERANCE_F16 : TOLERANCE_F32;

  if (entry->item->tolerance > 0)
    limit = type == FV_TYPE_F16 ? MAX (limit, 10 * entry->item->tolerance)
                                : entry->item->tolerance;
  for (guint i = 0; i < n; i++) {
    g_autoptr (FvArray) a = fv_array_convert (got[i], FV_TYPE_F32, NULL);
    g_autoptr (FvArray) b = fv_array_convert (want[i], FV_TYPE_F32, NULL);
    double error = worst_error (a, b);

    /* integers and bools are exact in either type */
    if (!fv_type_is_float (want[i]->type))
      limit = 0;
    ck_assert_msg (error <= limit, "%s: output %u is %g off, allowed %g", what,
        i, error, limit);
    ck_assert_msg (!memcmp (got[i]->data, again[i]->data, got[i]->size),
        "%s: two runs differ", what);
  }
}

/* @choices: (out): how many candidates there are at most, of ways and of tiles
 * @want: (nullable) elements: made where they are %NULL */
static void
run_graph (const Entry *entry, FvDevice *device, FvGraphOptions *options,
    FvArray **want, guint choices[2])
{
  g_autoptr (GPtrArray) arrays =
      g_ptr_array_new_with_free_func ((GDestroyNotify) fv_array_unref);
  FvIr *ir = ir_text_case (entry->op, entry->item, arrays, 7);
  g_autofree char *what = g_strdup_printf ("%s '%s' '%s' %s (%s, %u %u)",
      entry->op->name, entry->item->inputs,
      entry->item->attrs ? entry->item->attrs : "",
      fv_type_name (options->precision),
      fv_device_tier (device) == FV_TIER_SUBGROUP ? "subgroup" : "workgroup",
      options->way, options->tile);
  FvArray *got[8] = { NULL }, *again[8] = { NULL };
  guint n = ir->outputs->len, n_choices;
  g_autoptr (FvGraph) graph = NULL;
  GError *error = NULL;
  gboolean ok;

  ok = want[0]
      || fv_ir_run_reference (ir, (FvArray **) arrays->pdata, want,
          options->precision == FV_TYPE_F16, NULL, NULL, &error);
  ck_assert_msg (ok, "%s: reference: %s", what, ok ? "" : error->message);
  if (!on_device (ir)) {
    fv_ir_free (ir);
    return;
  }
  graph = fv_graph_new_ir (device, ir, options, &error);
  ck_assert_msg (graph != NULL, "%s: %s", what, graph ? "" : error->message);
  ok = fv_graph_run (graph, (FvArray **) arrays->pdata, got, &error)
      && fv_graph_run (graph, (FvArray **) arrays->pdata, again, &error);
  ck_assert_msg (ok, "%s: run: %s", what, ok ? "" : error->message);
  compare (entry, options->precision, got, again, want, n, what);
  check_padding (graph, what);
  const FvChoice *made = fv_graph_choices (graph, &n_choices);
  for (guint i = 0; i < n_choices; i++)
    choices[!made[i].offer.is_way] =
        MAX (choices[!made[i].offer.is_way], made[i].offer.n);
  for (guint i = 0; i < n; i++) {
    fv_array_unref (got[i]);
    fv_array_unref (again[i]);
  }
}

/* As guessed, and where there is something to choose, one other way and tile more:
 * the cases take turns. */
static void
run_case (const Entry *entry, FvDevice *device, FvType type, guint turn)
{
  FvGraphOptions options = { .precision = type,
    .poison = TRUE,
    .slots = 1,
    .tune = FV_TUNE_OFF };
  FvArray *want[8] = { NULL };
  guint choices[2] = { 0 };

  run_graph (entry, device, &options, want, choices);
  for (guint i = 0; i < choices[0]; i++) {
    options.way = i + 1;
    run_graph (entry, device, &options, want, choices);
  }
  options.way = choices[0] ? 1 + turn % choices[0] : 0;
  options.tile = choices[1] ? 1 + turn % choices[1] : 0;
  if (choices[1] > 1)
    run_graph (entry, device, &options, want, choices);
  for (guint i = 0; i < G_N_ELEMENTS (want); i++)
    fv_array_unref (want[i]);
}

START_TEST (test_case)
{
  const Entry *entry = &g_array_index (entries, Entry, _i);
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);

  ck_assert (device);
  run_case (entry, device, FV_TYPE_F32, _i);
  run_case (entry, device, FV_TYPE_F16, _i + 3);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("ops");
  TCase *tcase = tcase_create ("cases");
  const char *only = g_getenv ("FV_OP");
  int result;

  entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  for (guint t = 0; fv_op_tables[t]; t++)
    for (const FvOp *op = fv_op_tables[t]; op->name; op++)
      for (const FvCase *item = op->cases; item && item->inputs; item++) {
        Entry entry = { op, item };

        if (!only || !strcmp (only, op->name))
          g_array_append_val (entries, entry);
      }
  tcase_set_timeout (tcase, 0);
  tcase_add_loop_test (tcase, test_case, 0, entries->len);
  suite_add_tcase (suite, tcase);
  result = device_test_run (suite);
  g_array_unref (entries);
  return result;
}
