/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chains of operators whose views, slices and layouts meet: the kernels of one
 * tier (FOVEA_TIER), in f32 and f16, against the plain C references. */
#include "gst/engine/plan.h"
#include "tests/device-test.h"
#include "tests/ir-text.h"

#include <math.h>

#define TOLERANCE_F32 2e-5 /* of the largest |value|: sums in another order */
#define TOLERANCE_F16 4e-3

/* f32[1,3,h,w] with w > 3 arrives channels-last, all others as they are. */
static const char *const chains[] = {
  /* a transposed operand is read in place */
  "x f32[1,3,5,7]; z f32[1,7,5,3]; t Transpose x perm=[0,3,2,1]; y Add t z",
  "x f32[2,9,5]; z f32[5,9]; t Transpose z perm=[1,0]; y Mul x t",
  "x f32[2,9,5]; z f32[5,9,2]; t Transpose z perm=[2,1,0]; u Sub x t; "
  "y Abs u",
  /* reshapes that strides cannot express, from both layouts */
  "x f32[1,3,5,7]; s =i64{1,5,21}; r Reshape x s; y Neg r",
  "x f32[1,3,5,7]; s =i64{105}; r Reshape x s; y Neg r",
  "x f32[4,6]; s =i64{3,8}; r Reshape x s; y Neg r",
  "x f32[1,3,8,7]; s =i64{7,4,6}; r Reshape x s; t Transpose r perm=[2,0,1]; "
  "u =i64{12,14}; y Reshape t u",
  /* channel shuffle */
  "x f32[1,12,5,7]; s =i64{1,3,4,5,7}; u =i64{1,12,5,7}; a Relu x; "
  "r Reshape a s; t Transpose r perm=[0,2,1,3,4]; v Reshape t u; y Neg v",
  /* windows and back */
  "x f32[2,8,12,5]; s =i64{2,2,4,3,4,5}; u =i64{12,16,5}; r Reshape x s; "
  "t Transpose r perm=[0,1,3,2,4,5]; w Reshape t u; n Neg w; "
  "v =i64{2,2,3,4,4,5}; q Reshape n v; z Transpose q perm=[0,1,3,2,4,5]; "
  "p =i64{2,8,12,5}; y Reshape z p",
  /* space to channels by strided slices */
  "x f32[1,3,6,8]; o =i64{0,0}; i =i64{0,1}; j =i64{1,0}; k =i64{1,1}; "
  "e =i64{6,8}; h =i64{2,3}; s =i64{2,2}; a Slice x o e h s; "
  "b Slice x j e h s; c Slice x i e h s; d Slice x k e h s; "
  "z Concat a b c d axis=1; y Neg z",
  /* a roll */
  "x f32[1,6,8,5]; o =i64{0}; m =i64{2}; e =i64{99}; h =i64{1}; "
  "a Slice x m e h; b Slice x o m h; z Concat a b axis=1; y Neg z",
  /* slices of one row that start anywhere */
  "x f32[3,23]; s =i64{4,5,3,11}; a,b,c,d Split x s axis=1; y Neg d",
  "x f32[3,23]; s =i64{4,5,3,11}; a,b,c,d Split x s axis=1; p Abs b; q Neg d; "
  "z Concat q p c a axis=1; y Neg z",
  "x f32[1,3,5,7]; u f32[1,2,5,7]; v f32[1,4,5,7]; a Neg x; b Abs u; "
  "c Relu v; z Concat a b c axis=1; n Neg z; y Concat n z axis=1",
  /* parts made in their places beside parts that are copied */
  "x f32[1,8,5,7]; u f32[1,3,5,7]; a Neg x; b Sigmoid x; "
  "z Concat a u b x axis=1; y Relu z",
  /* both axes of a slice, then a splat along the row */
  "x f32[1,3,9,8]; s =i64{1,2}; e =i64{8,7}; h =i64{2,3}; a Slice x s e h; "
  "m ReduceMax a axes=[3]; y Sub a m",
  /* repeated rows, and rows run backwards */
  "x f32[1,1,7]; s =i64{4,5,7}; z f32[4,5,7]; e Expand x s; y Add z e",
  "x f32[5,1]; s =i64{3,5,6}; e Expand x s; y Neg e",
  "x f32[2,9,5]; s =i64{-1,-1}; e =i64{-99,-99}; h =i64{1,2}; t =i64{-1,-2}; "
  "a Slice x s e h t; y Neg a",
  "x f32[1,3,5,7]; i =i64{6,0,3,3}; g Gather x i axis=3; j =i64{2,0}; "
  "k Gather g j axis=1; y Neg k",
  "x f32[1,3,5,7]; i =i64{1,3,5}; g Gather x i axis=3; y Neg g",
  "x f32[3,2,5,9]; i =i64(1); q Gather x i axis=0; y Neg q",
  /* pads around a view, tiles of a view */
  "x f32[1,3,5,7]; p =i64{0,1,0,2,0,0,1,1}; t Transpose x perm=[0,2,3,1]; "
  "a Pad t p mode=edge; y Neg a",
  "x f32[5,3]; r =i64{2,3}; t Transpose x perm=[1,0]; a Tile t r; y Neg a",
  "x f32[1,3,4,5]; a =f32(0.25); p =i64{0,1,0,0,0,1,0,0}; z Pad x p a; y Neg z",
  /* more operands and steps than one dispatch takes */
  "a f32[2,3,5]; b f32[3,5]; c f32[5]; d f32[2,1,5]; e f32[2,3,1]; "
  "y Sum a b c d e",
  "a f32[2,3,5]; b f32[3,5]; c f32[5]; d f32[2,1,5]; e f32[2,3,1]; "
  "y Mean a b c d e",
  "a f32[2,3,5]; b f32[3,5]; c f32[5]; d f32[2,1,5]; y Max a b c d",
  "x f32[2,3,5]; b f32[3,5]; c f32[5]; d f32[2,3,1]; p Add x b; q Mul p c; "
  "r Sub d q; s Tanh r; t Abs s; u Sqrt t; v Add u x; w Sin v; z Cos w; "
  "k =f32(3); y Div k z",
  /* both inputs broadcast, and five axes that do not merge */
  "a f32[3,1,5,1]; b f32[1,4,1,6]; p Add a b; y Relu p",
  "a f32[2,3,4,3,5]; b f32[2,1,4,1,5]; c f32[3,1,3,1]; p Mul a b; y Add p c",
  "a f32[2,3,2,3,2,5]; b f32[5,2,3,2,3,2]; t Transpose b perm=[5,4,3,2,1,0]; "
  "y Sub a t",
  "a f32[2,3,2,3,2,5]; b f32[3,2,3,2,5,2]; t Transpose b perm=[5,2,1,0,3,4]; "
  "p Mul a t; y Add p t",
  "r f32[1,19,1,3,1,2]; f f32[1,19,4,3,5,2]; d f32[1,1,1,3,1,2]; "
  "w f32[1,19,4,1,1,1]; q Div f d; a Add r q; m Mul a w; k =f32(2); n Mul m k; "
  "o =f32(1); y Sub n o",
  "a f32[3,2,2,3,2,5]; b f32[3,1,2,1,2,1]; c f32[1,2,1,3,1,5]; "
  "d f32[2,1,1,2,1]; p Add a b; q Mul p c; y Sub q d",
  "a f32[3,1,2,1,2,5]; b f32[1,2,1,3,1,5]; c f32[3,2,1,1,2,1]; k =f32(0.1); "
  "g Greater c k; y Where g a b",
  /* bools between kernels */
  "x f32[1,3,5,7]; z f32[3,1,7]; g Greater x z; h LessOrEqual x z; "
  "e Equal x x; n Not h; o Xor g n; p Or g h; q And p e; a Xor o q; "
  "y Where a x z",
  "x f32[2,3,5]; z f32[5]; k =f32(0.25); l Less x k; m GreaterOrEqual z k; "
  "a And l m; y Where a z x",
  "x f32[2,9,5]; k =f32(0); g Greater x k; f Cast g to=1; y Add f x",
  "x f32[2,9,5]; c f32[5,9]; k =f32(0); t Transpose c perm=[1,0]; "
  "l Less t k; m Neg x; y Where l x m",
  /* reductions of what lies transposed */
  "x f32[1,3,5,7]; m ReduceMean x axes=[2,3]; d Sub x m; y Mul d d",
  "x f32[1,3,5,7]; m ReduceMax x axes=[1]; d Sub x m; y Exp d",
  "x f32[2,40,30]; a =i64{1}; t Transpose x perm=[0,2,1]; "
  "y ReduceSum t a keepdims=0",
  "x f32[2,40,30]; t Transpose x perm=[0,2,1]; y ReduceL2 t axes=[0,2]",
  "x f32[2,5,6,7]; y ReduceMean x axes=[0,2]",
  "x f32[2,5,6,7]; y ReduceLogSumExp x axes=[1,3] keepdims=0",
  "x f32[1,600,4]; y ReduceMean x axes=[1]",
  "x f32[1,3,33,31]; y ReduceMin x keepdims=0",
};

/* What f16 has no numbers for stays f32: no input is far from 1. */
static const char *const narrow_chains[] = {
  "x f32[2,5,8]; z =f32(0); e =f32(1e-12); p Mul x z; n ReduceL2 p axes=[2]; "
  "m Max n e; y Div p m",
  "x f32[2,5,8]; z =f32(0); e =f32(1e-12); s =i64{2,5,8}; p Mul x z; "
  "n ReduceSumSquare p axes=[2]; a Add n e; r Sqrt a; u Expand r s; y Div p u",
  "x f32[2,5,8]; k =f32(300); p Mul x k; q Mul p p; n ReduceSum q; "
  "r Sqrt n; y Div p r",
};

static double
worst_error (const FvArray *got, const FvArray *want)
{
  double largest = 1e-3, worst = 0;

  for (gint64 i = 0; i < want->count; i++)
    largest = fmax (largest, fabs (want->f32[i]));
  for (gint64 i = 0; i < want->count; i++) {
    double apart = fabs (got->f32[i] - want->f32[i]);

    worst = isnan (apart) ? INFINITY : fmax (worst, apart);
  }
  return worst / largest;
}

static void
run_chain (const char *chain, FvDevice *device, FvType type, gboolean rounded)
{
  FvGraphOptions options = { .precision = type, .poison = TRUE, .slots = 1 };
  FvArray *inputs[8] = { NULL }, *want = NULL, *got = NULL;
  double limit = type == FV_TYPE_F16 ? TOLERANCE_F16 : TOLERANCE_F32;
  g_autoptr (FvGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  FvIr *ir = ir_text_graph (chain);
  guint n = ir->inputs->len;

  for (guint i = 0; i < n; i++) {
    FvValue *value = ir->inputs->pdata[i];
    g_autofree char *shape = fv_shape_to_string (&value->shape);
    g_autofree char *word = g_strconcat ("f32", shape, NULL);

    inputs[i] = ir_text_array (word, -2, 2);
  }
  ck_assert_msg (
      fv_ir_run_reference (ir, inputs, &want, rounded, NULL, NULL, &error),
      "'%s': %s", chain, error ? error->message : "");
  graph = fv_graph_new_ir (device, ir, &options, &error);
  ck_assert_msg (graph != NULL, "'%s': %s", chain, error ? error->message : "");
  ck_assert_msg (fv_graph_run (graph, inputs, &got, &error), "'%s': %s", chain,
      error ? error->message : "");
  ck_assert_msg (worst_error (got, want) <= limit, "'%s' in %s is %g off",
      chain, fv_type_name (type), worst_error (got, want));
  for (guint i = 0; i < n; i++)
    fv_array_unref (inputs[i]);
  fv_array_unref (want);
  fv_array_unref (got);
}

START_TEST (test_chain)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);

  ck_assert (device);
  run_chain (chains[_i], device, FV_TYPE_F32, FALSE);
  run_chain (chains[_i], device, FV_TYPE_F16, TRUE);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

START_TEST (test_narrow_chain)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);

  ck_assert (device);
  run_chain (narrow_chains[_i], device, FV_TYPE_F16, FALSE);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("chains");
  TCase *tcase = tcase_create ("chains");

  tcase_set_timeout (tcase, 0);
  tcase_add_loop_test (tcase, test_chain, 0, G_N_ELEMENTS (chains));
  tcase_add_loop_test (tcase, test_narrow_chain, 0,
      G_N_ELEMENTS (narrow_chains));
  suite_add_tcase (suite, tcase);
  return device_test_run (suite);
}
