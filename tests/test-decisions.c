/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results behind a ranking: rows that rank almost the same may change places, and
 * nothing else may differ. */
#include "gst/tools/decisions.h"
#include "gst/tools/match.h"
#include "tests/fovea-test.h"
#include "tests/model-builder.h"

#include <string.h>

#define N 4

static FvArray *
floats (guint rank, const float *values)
{
  FvShape shape = { rank, { N, 2 } };
  FvArray *array = fv_array_new (FV_TYPE_F32, &shape, NULL);

  memcpy (array->f32, values, array->size);
  return array;
}

static FvArray *
integers (const gint64 *values)
{
  FvShape shape = { 1, { N } };
  FvArray *array = fv_array_new (FV_TYPE_I64, &shape, NULL);

  memcpy (array->i64, values, array->size);
  return array;
}

static const float boxes[] = { 1, 2, 10, 20, 30, 40, 5, 6 };
static const float swapped_boxes[] = { 10, 20, 1, 2, 30, 40, 5, 6 };
static const float scores[] = { 0.9f, 0.8999f, 0.5f, 0.1f };
static const float swapped_scores[] = { 0.8999f, 0.9f, 0.5f, 0.1f };
static const gint64 labels[] = { 3, 7, 7, 1 };
static const gint64 swapped_labels[] = { 7, 3, 7, 1 };

/* Detections that were got, compared with those above as `fovea check` does. */
static gboolean
matches (const float *b, const float *s, const gint64 *l)
{
  FvArray *expected[] = { floats (2, boxes), floats (1, scores),
    integers (labels) };
  FvArray *got[] = { floats (2, b), floats (1, s), integers (l) };
  FvArray *matched[3];
  gboolean passed = TRUE;

  ck_assert (match_rows (got, expected, 3, TOLERANCE_F32, matched));
  for (guint i = 0; i < 3; i++) {
    Comparison result;

    compare_arrays (matched[i], expected[i], TOLERANCE_F32, &result);
    passed = passed && result.passed;
    fv_array_unref (matched[i]);
    fv_array_unref (expected[i]);
    fv_array_unref (got[i]);
  }
  return passed;
}

START_TEST (near_ties)
{
  const gint64 wrong_labels[] = { 7, 4, 7, 1 };
  const float wrong_boxes[] = { 10, 20, 1, 2.1f, 30, 40, 5, 6 };
  const float wrong_scores[] = { 0.8999f, 0.95f, 0.5f, 0.1f };
  const float far_boxes[] = { 1, 2, 30, 40, 10, 20, 5, 6 };
  const float far_scores[] = { 0.9f, 0.5f, 0.8999f, 0.1f };

  ck_assert (matches (boxes, scores, labels));
  ck_assert (matches (swapped_boxes, swapped_scores, swapped_labels));
  /* the scores say which row it is, even where they differ by rounding alone */
  ck_assert (matches (swapped_boxes, scores, swapped_labels));
  ck_assert (!matches (swapped_boxes, swapped_scores, wrong_labels));
  ck_assert (!matches (wrong_boxes, swapped_scores, swapped_labels));
  ck_assert (!matches (swapped_boxes, wrong_scores, swapped_labels));
  ck_assert (!matches (swapped_boxes, swapped_scores, labels));
  /* whole rows, but no tie */
  ck_assert (!matches (far_boxes, far_scores, labels));
}
END_TEST

/* x -> Relu -> TopK -> rows of a table: [N, 2], and the values found. */
static FvModel *
make_model (void)
{
  g_autoptr (ModelBuilder) b = model_builder_new ();
  Onnx__TensorProto *table;
  g_autoptr (GError) error = NULL;
  FvModel *model;

  model_builder_input (b, "x", 1, 1, N);
  model_builder_ints (b, "k", 1, (gint64[]){ N });
  table = model_builder_initializer (b, "table", 1, 2, N, 2);
  model_builder_raw (b, table, boxes, sizeof boxes);
  model_builder_node (b, "Relu", "act", "x", "a");
  model_builder_node (b, "TopK", "rank", "a k", "scores which");
  model_builder_node (b, "Gather", "take", "table which", "boxes");
  model_builder_output (b, "boxes");
  model_builder_output (b, "scores");
  model = model_builder_parse (b, &error);
  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
  return model;
}

typedef struct
{
  FvModel *model;
  Decisions *decisions;
  FvShape shape;
  FvGraphOptions options;
  DataSet set;
  FvArray *in, *out[2];
  FvArray **got; /* boxes, scores, and behind them a, scores, which */
} Fixture;

/* In f16 the first two are the same, so that they stay in order. */
static void
begin (Fixture *f)
{
  const float x[] = { 0.8999f, 0.9f, 0.1f, 0.5f };
  const float taken[] = { 10, 20, 1, 2, 5, 6, 30, 40 };
  const float sorted[] = { 0.9f, 0.8999f, 0.5f, 0.1f };
  GError *error = NULL;

  *f = (Fixture){ .model = make_model (), .shape = { 1, { N } } };
  f->in = floats (1, x);
  f->out[0] = floats (2, taken);
  f->out[1] = floats (1, sorted);
  f->set = (DataSet){ .n_inputs = 1,
    .n_outputs = 2,
    .inputs = &f->in,
    .outputs = f->out };
  f->decisions = decisions_new (f->model);
  ck_assert (decisions_lead_to (f->decisions, 0));
  f->options = (FvGraphOptions){ .precision = FV_TYPE_F16,
    .shapes = &f->shape,
    .n_shapes = 1 };
  f->got = decisions_run (f->decisions, NULL, &f->options, f->model, &f->set,
      &error);
  ck_assert_msg (f->got != NULL, "%s", error ? error->message : "");
  ck_assert (f->got[0]->f32[0] == 1); /* the other way round than stored */
}

static void
end (Fixture *f)
{
  free_arrays (f->got, decisions_n_values (f->decisions));
  decisions_free (f->decisions);
  fv_model_unref (f->model);
  fv_array_unref (f->in);
  fv_array_unref (f->out[0]);
  fv_array_unref (f->out[1]);
}

/* NULL: passed */
static const char *
judge (Fixture *f)
{
  static Comparison results[2];
  GError *error = NULL;

  ck_assert_msg (decisions_judge (f->decisions, f->got, &f->options, f->model,
                     &f->set, results, &error),
      "%s", error ? error->message : "");
  for (guint i = 0; i < 2; i++)
    if (!results[i].passed)
      return results[i].problem;
  return NULL;
}

START_TEST (rounded_ties)
{
  Fixture f;
  const char *problem;

  begin (&f);
  problem = judge (&f);
  ck_assert_msg (problem == NULL, "%s", problem);
  end (&f);
}
END_TEST

/* Each value that the device could have wrong. */
START_TEST (what_is_wrong)
{
  static const char *const expected[] = { "", "", "'a'", "'rank'", "'rank'" };
  Fixture f;
  const char *problem;

  begin (&f);
  ck_assert_uint_eq (decisions_n_values (f.decisions), G_N_ELEMENTS (expected));
  if (f.got[_i]->type == FV_TYPE_I64) {
    gint64 first = f.got[_i]->i64[0];

    f.got[_i]->i64[0] = f.got[_i]->i64[2];
    f.got[_i]->i64[2] = first;
  } else {
    f.got[_i]->f32[2] *= 1.2f;
  }
  problem = judge (&f);
  ck_assert (problem != NULL);
  ck_assert_msg (strstr (problem, expected[_i]) != NULL, "%s", problem);
  end (&f);
}
END_TEST

/* What is stored is never out of sight. */
START_TEST (wrong_file)
{
  Fixture f;
  const char *problem;

  begin (&f);
  f.out[0]->f32[5] += 1;
  problem = judge (&f);
  ck_assert (problem != NULL && strstr (problem, "references alone"));
  end (&f);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("decisions");
  TCase *tcase = tcase_create ("rows");

  tcase_add_test (tcase, near_ties);
  tcase_add_test (tcase, rounded_ties);
  tcase_add_loop_test (tcase, what_is_wrong, 0, 5);
  tcase_add_test (tcase, wrong_file);
  suite_add_tcase (suite, tcase);
  return fv_test_run (suite);
}
