/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The references that fold shape arithmetic, against values worked out by hand or
 * taken from the operators' specification. */
#include "tests/ir-text.h"

#include <check.h>
#include <math.h>

typedef struct
{
  const char *graph;
  const char *values; /* flat; NULL: the reference must fail */
} Reference;

#define GRID "g =f32{1,2,3,4,5,6}; s =i64{2,3}; x Reshape g s; "
#define CUBE "g =i64{0,1,2,3,4,5,6,7,8,9,10,11}; s =i64{2,3,2}; x Reshape g s; "
#define ROW4 "g =f32{1,2,3,4}; s =i64{1,1,4}; x Reshape g s; "

static const Reference references[] = {
  { "a =i64{12,-1}; b =i64{10,3}; y BitwiseAnd a b", "i64{8,3}" },
  { "a =i64{12,-8}; b =i64{10,3}; y BitwiseOr a b", "i64{14,-5}" },
  { "a =i64{12,-1}; b =i64{10,3}; y BitwiseXor a b", "i64{6,-4}" },
  { "a =i64{12,-1}; y BitwiseNot a", "i64{-13,0}" },
  { "a =i64{1,3}; b =i64{64,2}; y BitShift a b direction=LEFT", "i64{0,12}" },
  /* integers divide towards zero, and wrap */
  { "a =i64{7,-7,7,-7}; b =i64{2,2,-2,-2}; y Div a b", "i64{3,-3,-3,3}" },
  { "a =i64{7,-7,7,-7}; b =i64{3,3,-3,-3}; y Mod a b", "i64{1,2,-2,-1}" },
  { "a =i64{7,-7,7,-7}; b =i64{3,3,-3,-3}; y Mod a b fmod=1",
      "i64{1,-1,1,-1}" },
  { "a =f32{5.5,-5.5}; b =f32{2,2}; y Mod a b fmod=1", "f32{1.5,-1.5}" },
  { "a =i64{1}; b =i64{0}; y Div a b", NULL },
  { "a =i64{1}; b =i64{0}; y Mod a b", NULL },
  { "a =i64{2,-3,5}; b =i64{10,3,0}; y Pow a b", "i64{1024,-27,1}" },
  { "a =i64{4,9}; b =f32{0.5,0.5}; y Pow a b", "i64{2,3}" },
  { "a =i64{3,-4}; b =i64{1,2}; c =i64{2,9}; y Max a b c", "i64{3,9}" },
  { "a =i64{-3,0,3}; b Neg a; c Abs b; d Sign a; y Mul c d", "i64{-3,0,3}" },
  { "a =f32{-2.5,-0.5,0.5,1.5,2.5}; y Round a", "f32{-2,0,0,2,2}" },
  { "a =f32{1,2}; b =f32{3,4}; c =f32{8,0}; y Mean a b c", "f32{4,2}" },
  /* shapes */
  { "x f32[2,3,5,7]; y Shape x start=1 end=-1", "i64{3,5}" },
  { "x f32[2,3,5,7]; y Shape x start=-9 end=9", "i64{2,3,5,7}" },
  { "x f32[2,3,5]; y Size x", "i64(30)" },
  { "x f32[2,3,4]; s =i64{0,-1}; r Reshape x s; y Shape r", "i64{2,12}" },
  { "x f32[2,3,4]; r Flatten x axis=-1; y Shape r", "i64{6,4}" },
  { "x f32[2,3,4]; r Flatten x axis=0; y Shape r", "i64{1,24}" },
  { "x f32[1,3,1]; a =i64{-1}; r Squeeze x a; y Shape r", "i64{1,3}" },
  { "x f32[3,4]; a =i64{0,-1}; r Unsqueeze x a; y Shape r", "i64{1,3,4,1}" },
  { "x f32[2,1,4]; s =i64{3,1}; r Expand x s; y Shape r", "i64{2,3,4}" },
  /* parts */
  { GRID "b =i64{1,-1}; e =i64{-9,-9}; a =i64{0,1}; t =i64{-1,-2}; "
         "y Slice x b e a t",
      "f32{6,4,3,1}" },
  { GRID "b =i64{-2}; e =i64{9223372036854775807}; a =i64{1}; y Slice x b e a",
      "f32{2,3,5,6}" },
  { GRID "b =i64{5}; e =i64{9}; y Slice x b e", "f32{}" },
  { "x =i64{1,2,3,4,5}; s =i64{2,3}; a,b Split x s; y Concat b a axis=0",
      "i64{3,4,5,1,2}" },
  { CUBE "y Transpose x perm=[2,0,1]", "i64{0,2,4,6,8,10,1,3,5,7,9,11}" },
  { GRID "i =i64{-1,0}; y Gather x i axis=1", "f32{3,1,6,4}" },
  { GRID "i =i64{3}; y Gather x i axis=1", NULL },
  { GRID "j =i64{0,-1}; t =i64{2,1}; i Reshape j t; "
         "y GatherElements x i axis=1",
      "f32{1,6}" },
  { CUBE "j =i64{0,1,1,0}; t =i64{2,2}; i Reshape j t; y GatherND x i",
      "i64{2,3,6,7}" },
  { CUBE "j =i64{1,0}; t =i64{2,1}; i Reshape j t; "
         "y GatherND x i batch_dims=1",
      "i64{2,3,6,7}" },
  { "x =f32{1,2,3,4}; j =i64{1,3}; t =i64{2,1}; i Reshape j t; u =f32{9,8}; "
    "y ScatterND x i u",
      "f32{1,9,3,8}" },
  { "x =i64{1,2,3,4}; j =i64{1,1}; t =i64{2,1}; i Reshape j t; u =i64{9,8}; "
    "y ScatterND x i u reduction=add",
      "i64{1,19,3,4}" },
  { "x =f32{1,2,3}; i =i64{-1,0}; u =f32{9,8}; y ScatterElements x i u",
      "f32{8,2,9}" },
  { GRID "p =i64{0,1,0,-1}; y Pad x p", "f32{0,1,2,0,4,5}" },
  { GRID "p =i64{0,2,0,1}; y Pad x p mode=reflect",
      "f32{3,2,1,2,3,2,6,5,4,5,6,5}" },
  { GRID "r =i64{1,2}; y Tile x r", "f32{1,2,3,1,2,3,4,5,6,4,5,6}" },
  { "g =f32{0,1,2,3,4,5,6,7}; s =i64{1,8,1,1}; x Reshape g s; "
    "y DepthToSpace x blocksize=2",
      "f32{0,2,4,6,1,3,5,7}" },
  { "g =f32{0,1,2,3,4,5,6,7}; s =i64{1,8,1,1}; x Reshape g s; "
    "y DepthToSpace x blocksize=2 mode=CRD",
      "f32{0,1,2,3,4,5,6,7}" },
  /* what makes masks and positions */
  { "s =i64{2,2}; c ConstantOfShape s; y Equal c c", "bool{1,1,1,1}" },
  { "a =i64(5); b =i64(-2); c =i64(-3); y Range a b c", "i64{5,2,-1}" },
  { "a =f32(0); b =f32(1); c =f32(0.4); y Range a b c", "f32{0,0.4,0.8}" },
  { "x =i64{1,2,3}; a =i64(0); y CumSum x a exclusive=1 reverse=1",
      "i64{5,3,0}" },
  { GRID "k =i64(1); y Trilu x k", "f32{0,2,3,0,0,6}" },
  { GRID "y Trilu x upper=0", "f32{1,0,0,4,5,0}" },
  { "i =i64{1,-1}; d =i64(3); v =f32{0.5,2}; y OneHot i d v",
      "f32{0.5,2,0.5,0.5,0.5,2}" },
  { "x =f32{0,1,0,1}; y NonZero x", "i64{1,3}" },
  { "c =bool{1,0,1}; a =i64{1,2,3}; b =i64(9); y Where c a b", "i64{1,9,3}" },
  { "a =i64{1,2,3}; b =i64(2); l LessOrEqual a b; g Greater a b; o Xor l g; "
    "n Not g; y And o n",
      "bool{1,1,0}" },
  { "a =f32{-1.5,0,300.7}; y Cast a to=7", "i64{-1,0,300}" },
  { "a =f32{-1.5,0,0.1}; y Cast a to=9", "bool{1,0,1}" },
  { "a =i64{300,-1}; b Cast a to=2; y Cast b to=7", "i64{44,255}" },
  /* choices */
  { "x =f32{3,1,3,2}; y ArgMax x", "i64{0}" },
  { "x =f32{3,1,3,2}; y ArgMax x select_last_index=1 keepdims=0", "i64(2)" },
  { GRID "y ArgMin x axis=0 keepdims=0", "i64{0,0,0}" },
  { "x =f32{3,1,3,2}; k =i64{3}; v,y TopK x k; z Identity y", "i64{0,2,3}" },
  { "x =f32{3,1,3,2}; k =i64{2}; y TopK x k largest=0", "f32{1,2}" },
  { CUBE "a =i64{0,2}; y ReduceSum x a keepdims=0", "i64{14,22,30}" },
  { CUBE "y ReduceProd x axes=[1]", "i64{0,15,480,693}" },
  { "x =i64{3,-4}; y ReduceL1 x", "i64{7}" },
  /* bytes that a product leaves saturate, and halves go to even ones */
  { "a =i8{100,-100,1,3}; t =i64{2,2}; q Reshape a t; b =i8{2,-2,0,0}; "
    "w Reshape b t; s =f32(0.5); v =f32(2); z =i8(0); n =i8(-10); "
    "y QLinearMatMul q s z w s z v n",
      "i8{15,-35,-10,-10}" },
  { "a =i8{100,-100,1,3}; t =i64{2,2}; q Reshape a t; b =i8{2,-2,0,0}; "
    "w Reshape b t; s =f32(1.25); v =f32(1); z =i8(0); n =i8(-10); "
    "y QLinearMatMul q s z w v z v n",
      "i8{127,-128,-8,-12}" },
  /* ceil_mode: what lies behind the padding does not count, and windows that
   * would begin in the last padding are none */
  { ROW4 "y AveragePool x kernel_shape=[3] strides=[2] ceil_mode=1 "
         "count_include_pad=1",
      "f32{2,3.5}" },
  { ROW4 "y AveragePool x kernel_shape=[3] strides=[2] ceil_mode=1 "
         "count_include_pad=1 pads=[0,1]",
      "f32{2,2.3333333}" },
  { ROW4 "y AveragePool x kernel_shape=[3] strides=[2] ceil_mode=1 "
         "count_include_pad=1 pads=[1,1]",
      "f32{1,3,2}" },
  { ROW4 "y AveragePool x kernel_shape=[3] strides=[5] ceil_mode=1 "
         "count_include_pad=1 pads=[1,1]",
      "f32{1}" },
  { "x =f32{3,-4}; y ReduceL2 x keepdims=0", "f32(5)" },
  { "x =f32{1000,1000}; y ReduceLogSumExp x keepdims=0", "f32(1000.6931)" },
};

START_TEST (test_reference)
{
  const Reference *item = &references[_i];
  g_autoptr (FvIr) ir = ir_text_graph (item->graph);
  g_autoptr (FvArray) want = NULL, got = NULL, input = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (ir->inputs->len) {
    FvValue *value = ir->inputs->pdata[0];

    input = fv_array_new (FV_TYPE_F32, &value->shape, NULL);
  }
  ok = fv_ir_run_reference (ir, &input, &got, FALSE, NULL, NULL, &error);
  if (!item->values) {
    ck_assert_msg (!ok && error, "'%s' did not fail", item->graph);
    return;
  }
  ck_assert_msg (ok, "'%s': %s", item->graph, error ? error->message : "");
  want = ir_text_array (item->values, 0, 0);
  ck_assert_msg (got->type == want->type && got->count == want->count,
      "'%s' gave %s of %d elements, not %s", item->graph,
      fv_type_name (got->type), (int) got->count, item->values);
  for (gint64 i = 0; i < want->count; i++) {
    double a = fv_array_get_float (got, i), b = fv_array_get_float (want, i);

    ck_assert_msg (fabs (a - b) <= 1e-6 * fabs (b),
        "'%s': element %d is %g, not %g", item->graph, (int) i, a, b);
  }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("references");
  TCase *tcase = tcase_create ("values");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_add_loop_test (tcase, test_reference, 0, G_N_ELEMENTS (references));
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
