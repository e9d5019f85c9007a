/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Branches of a plan share epochs, and take no more memory for it. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/plan-private.h"
#include "tests/device-test.h"
#include "tests/ir-text.h"

#include <string.h>

/* Two branches, one written behind the other. What is made before them, and dead by
 * then, is larger than all of them. */
#define TWO_BRANCHES \
  "x f32[1,64,8]; big Concat x x x x x x x x axis=1; " \
  "m ReduceMax big axes=[1]; " \
  "a Sub x m; b Transpose a perm=[0,2,1]; c Softmax b; d Neg c; " \
  "e Add x m; f Transpose e perm=[0,2,1]; g Softmax f; h Neg g; y Add d h"
/* Nothing larger: side by side they would need more than one by one. */
#define TIGHT \
  "x f32[1,64,8]; a Neg x; b Softmax a; c Softmax b; d Softmax c; " \
  "e Abs x; f Softmax e; g Softmax f; h Softmax g; y Add d h"

static FvPlan *
make_plan (FvTier tier, FvIr *ir, gboolean keeps_order)
{
  const FvPlanOptions options = { .type = FV_TYPE_F32,
    .keeps_order = keeps_order };
  g_autoptr (GError) error = NULL;
  FvPlan *plan =
      fv_plan_new (tier, fv_device_info (device_test_get (FV_TIER_WORKGROUP)),
          ir, &options, &error);

  ck_assert_msg (plan != NULL, "%s", error ? error->message : "");
  return plan;
}

static gboolean
needs (const FvDispatch *later, const FvDispatch *earlier)
{
  for (guint i = 0; i < later->n_bindings; i++)
    for (guint k = 0; k < earlier->n_bindings; k++)
      if (later->bindings[i].buffer == earlier->bindings[k].buffer
          && (fv_bind_is_write (later->bindings[i].kind)
              || fv_bind_is_write (earlier->bindings[k].kind)))
        return TRUE;
  return FALSE;
}

/* Sequences of dispatches that need nothing of each other. */
static guint
count_epochs (const FvPlan *plan)
{
  guint n = 1, start = 0;

  for (guint i = 1; i < plan->dispatches->len; i++)
    for (guint k = start; k < i; k++)
      if (needs (&g_array_index (plan->dispatches, FvDispatch, i),
              &g_array_index (plan->dispatches, FvDispatch, k))) {
        n++;
        start = i;
      }
  return n;
}

static void
check_order (const FvPlan *kept, const FvPlan *plan)
{
  guint n = kept->dispatches->len;

  ck_assert_uint_eq (n, plan->dispatches->len);
  for (guint i = 0; i < n; i++) {
    const FvDispatch *d = &g_array_index (kept->dispatches, FvDispatch, i);
    guint at = plan->positions ? plan->positions[i] : i;
    const FvDispatch *moved = &g_array_index (plan->dispatches, FvDispatch, at);

    ck_assert_str_eq (moved->kernel, d->kernel);
    ck_assert_uint_eq (moved->n_spec, d->n_spec);
    for (guint k = 0; k < i; k++) {
      guint before = plan->positions ? plan->positions[k] : k;

      ck_assert_uint_ne (at, before);
      ck_assert (at > before
          || !needs (d, &g_array_index (kept->dispatches, FvDispatch, k)));
    }
  }
}

START_TEST (test_branches_share)
{
  g_autoptr (FvIr) ir = ir_text_graph (TWO_BRANCHES);
  g_autoptr (FvIr) same = ir_text_graph (TWO_BRANCHES);
  g_autoptr (FvPlan) kept = make_plan (FV_TIER_WORKGROUP, ir, TRUE);
  g_autoptr (FvPlan) plan = make_plan (FV_TIER_WORKGROUP, same, FALSE);

  check_order (kept, plan);
  ck_assert_ptr_null (kept->positions);
  ck_assert_ptr_nonnull (plan->positions);
  /* of three epochs of a branch (transposes are none) the file's order shares one */
  ck_assert_uint_eq (count_epochs (kept), count_epochs (plan) + 2);
  ck_assert_uint_eq (plan->arena_bound, kept->arena_bound);
}
END_TEST

START_TEST (test_memory_first)
{
  g_autoptr (FvIr) ir = ir_text_graph (TIGHT);
  g_autoptr (FvIr) same = ir_text_graph (TIGHT);
  g_autoptr (FvPlan) kept = make_plan (FV_TIER_WORKGROUP, ir, TRUE);
  g_autoptr (FvPlan) plan = make_plan (FV_TIER_WORKGROUP, same, FALSE);

  check_order (kept, plan);
  ck_assert_uint_le (plan->arena_bound, kept->arena_bound);
}
END_TEST

/* Lavapipe runs one dispatch at a time. */
START_TEST (test_not_on_processors)
{
  g_autoptr (FvIr) ir = ir_text_graph (TWO_BRANCHES);
  g_autoptr (FvPlan) plan = make_plan (FV_TIER_SUBGROUP, ir, FALSE);

  ck_assert_ptr_null (plan->positions);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("order");
  TCase *tcase = tcase_create ("order");

  tcase_add_test (tcase, test_branches_share);
  tcase_add_test (tcase, test_memory_first);
  tcase_add_test (tcase, test_not_on_processors);
  suite_add_tcase (suite, tcase);
  return device_test_run (suite);
}
