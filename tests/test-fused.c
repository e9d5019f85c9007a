/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small graphs on the device, in one tier (FOVEA_TIER), in f32 and f16, against
 * the references: what single nodes do not reach, which is steps fused behind
 * kernels, inputs that are views, and outputs that are slices of a Concat. */
#include "gst/engine/graph.h"
#include "gst/engine/plan.h"
#include "tests/deform-graphs.h"
#include "tests/device-test.h"
#include "tests/ir-text.h"

#include <math.h>
#include <string.h>

#define STEPS(first) \
  first "; c =f32[1,7,1,1]; a Mul m c; r Relu a; z f32[1,7,5,6]; y Add r z"

/* the same behind an operator with weights @w */
#define WEIGHTED(x, op, w, attrs) \
  STEPS ("x f32" x "; w =f32" w "; b =f32[7]; m " op " x w b" attrs)
/* a convolution over three axes, two maps at once */
#define DEPTHS(w, pads) \
  "x f32[2,5,4,5,6]; w =f32" w "; m Conv x w pads=" pads \
  "; c =f32[1,7,1,1,1]; a Mul m c; r Relu a; z f32[2,7,4,5,6]; y Add r z"
#define SLICE(x, from, to, axis) \
  "x f32" x "; i =i64{" from "}; j =i64{" to "}; k =i64{" axis "}; " \
  "s Slice x i j k; "

static const char *const graphs[] = {
  /* rows gathered: rolled windows there and back, patches merged */
  "x f32[1,3,6,8]; p =i64{0,0,0,0,0,1,0,0}; g Pad x p; z =i64{0}; o =i64{1}; "
  "h =i64{99}; r Slice g o h o; q Slice g z o o; s Concat r q axis=1; "
  "w1 =i64{1,2,2,3,2,8}; w2 =i64{-1,4,8}; a Reshape s w1; "
  "b Transpose a perm=[0,1,3,2,4,5]; t Reshape b w2; k =f32[8,36]; "
  "m MatMul t k; i =f32[36]; n Add m i; l =f32[36,12]; j MatMul n l; "
  "u1 =i64{1,2,3,2,2,12}; u2 =i64{1,4,6,12}; d Reshape j u1; "
  "e Transpose d perm=[0,1,3,2,4,5]; f Reshape e u2; v f32[1,4,6,12]; "
  "y Add v f",
  "x f32[1,5,6,8]; p =i64{0,0,0,0,0,1,0,0}; g Pad x p; w1 =i64{1,3,2,3,2,8}; "
  "w2 =i64{1,3,3,32}; a Reshape g w1; b Transpose a perm=[0,1,3,2,4,5]; "
  "t Reshape b w2; s =f32[32]; c =f32[32]; n LayerNormalization t s c; "
  "y Relu n",
  "x f32[1,6,6,8]; w1 =i64{1,3,2,3,2,8}; w2 =i64{1,3,3,32}; a Reshape x w1; "
  "b Transpose a perm=[0,1,3,2,4,5]; t Reshape b w2; k =f32[32,20]; "
  "m MatMul t k; y Relu m",
  /* deformable attention that reads parts of one tensor of maps, and one of points */
  LEVELS ("") SHARES STACKED SUMMED ("{2,8,3}"),
  LEVELS ("") SHARES STACKED SUMMED ("{1,16,3}"),
  /* convolutions and products: every kernel with steps behind it */
  WEIGHTED ("[1,8,5,6]", "Conv", "[7,8,3,3]", " pads=[1,1,1,1]"),
  WEIGHTED ("[1,8,5,6]", "Conv", "[7,8,1,1]", ""),
  WEIGHTED ("[1,3,10,12]", "Conv", "[7,3,2,2]", " strides=[2,2]"),
  WEIGHTED ("[1,7,5,6]", "Conv", "[7,1,3,3]", " pads=[1,1,1,1] group=7"),
  WEIGHTED ("[1,7,5,6]", "Conv", "[7,1,9,9]", " pads=[4,4,4,4] group=7"),
  WEIGHTED ("[1,14,5,6]", "Conv", "[7,2,3,3]", " pads=[1,1,1,1] group=7"),
  WEIGHTED ("[1,5,3,3]", "ConvTranspose", "[5,7,3,3]",
      " strides=[2,2] pads=[1,1,1,0]"),
  "x f32[1,5,3,4]; w =f32[5,7,2,2]; m ConvTranspose x w strides=[2,2]; "
  "c =f32[1,7,1,1]; a Mul m c; y Relu a",
  "x f32[2,24,5,6]; w =f32[16,12,3,3]; m Conv x w group=2 pads=[1,1,1,1]; "
  "c =f32[1,16,1,1]; a Mul m c; r Relu a; z f32[2,16,5,6]; y Add r z",
  "x f32[3,9,7,5]; w =f32[6,9,7,5]; m Conv x w; z f32[3,6,1,1]; y Add m z",
  /* Winograd's tiles of 4 x 4 and 2 x 2 into slices of a Concat */
  "x f32[1,99,25,23]; w =f32[100,99,3,3]; b =f32[100]; m Conv x w b "
  "pads=[1,1,1,1]; z f32[1,100,25,23]; a Add m z; r Relu a; v f32[1,5,25,23]; "
  "y Concat r v axis=1",
  "x f32[1,192,7,7]; w =f32[258,192,3,3]; m Conv x w pads=[1,1,1,1]; "
  "c =f32[1,258,1,1]; a Mul m c; z f32[1,258,7,7]; s Sigmoid a; y Add s z",
  STEPS ("x f32[1,7,8,9]; g f32[1,5,6,2]; m GridSample x g"),
  DEPTHS ("[7,5,3,3,3]", "[1,1,1,1,1,1]"),
  DEPTHS ("[7,5,1,3,3]", "[0,1,1,0,1,1]"),
  DEPTHS ("[7,5,3,1,1]", "[1,0,0,1,0,0]"),
  "x f32[2,5,4,5,6]; w =f32[8,5,3,3,3]; a Conv x w pads=[1,1,1,1,1,1]; "
  "v =f32[8,5,1,1,1]; b Conv x v; c Concat a b axis=2; y Concat c c axis=1",
  "x f32[1,9,14]; w =f32[14,7]; m MatMul x w; c =f32[7]; a Mul m c; "
  "r Relu a; z f32[1,9,7]; y Add r z",
  "x f32[2,130]; w =f32[130,37]; m MatMul x w; c =f32[37]; a Mul m c; "
  "r Relu a; z f32[2,37]; y Add r z",
  "x f32[2,3,9,8]; k f32[2,3,8,6]; m MatMul x k; z f32[2,3,9,6]; y Add m z",
  "x f32[2,1,2,4,5]; k f32[2,3,1,5,6]; m MatMul x k; z f32[2,3,2,4,6]; "
  "y Add m z",
  /* ... into a Concat, along channels, rows and columns */
  "x f32[2,8,6,6]; w =f32[8,8,3,3]; a Conv x w pads=[1,1,1,1]; "
  "v =f32[5,8,1,1]; b Conv x v; y Concat a b axis=1",
  "x f32[2,8,6,6]; w =f32[8,8,1,1]; a Conv x w; v =f32[8,8,3,3]; "
  "b Conv a v pads=[1,1,1,1]; c Conv x w strides=[2,1]; "
  "y Concat a b c axis=2",
  "x f32[2,9,6,6]; w =f32[9,1,3,3]; a Conv x w pads=[1,1,1,1] group=9; "
  "v =f32[9,9,1,1]; b Conv x v; y Concat a b axis=3",
  "x f32[2,5,3,3]; w =f32[5,6,2,2]; a ConvTranspose x w strides=[2,2]; "
  "z f32[2,6,6,2]; y Concat a z axis=3",
  "x f32[2,5,8]; w =f32[8,6]; a MatMul x w; z f32[2,3,6]; y Concat z a axis=1",
  /* ... from slices, whose last vec4 ends in their neighbours */
  SLICE ("[1,12,6,6]", "4", "10", "1") "w =f32[7,6,3,3]; y Conv s w",
  SLICE ("[1,12,6,6]", "4", "10", "1") "w =f32[6,1,3,3]; y Conv s w group=6",
  SLICE ("[1,12,6,6]", "4", "9",
      "1") "w =f32[5,4,2,2]; y ConvTranspose s w strides=[2,2]",
  SLICE ("[1,12,6,7]", "1", "6", "3") "w =f32[7,12,1,1]; y Conv s w",
  SLICE ("[2,9,12]", "4", "10", "2") "t Transpose s perm=[0,2,1]; y MatMul s t",
  SLICE ("[2,9,12]", "4", "10", "2") "w =f32[6,5]; y MatMul s w",
  /* steps with a vector and a tensor as operands */
  STEPS ("x f32[1,7,10,12]; m MaxPool x kernel_shape=[2,2] strides=[2,2]"),
  STEPS ("x f32[1,7,5,6]; m MaxPool x kernel_shape=[7,7] pads=[3,3,3,3]"),
  STEPS ("x f32[1,7,7,8]; m AveragePool x kernel_shape=[3,3]"),
  STEPS ("x f32[1,7,5,6]; g =f32[7]; b =f32[7]; m InstanceNormalization x g b"),
  STEPS ("x f32[1,7,10,4]; s =i64{1,7,5,6}; "
         "m Resize x - - s mode=linear"),
  STEPS ("x f32[1,7,2,3]; s =i64{1,7,5,6}; m Resize x - - s mode=linear"),
  STEPS ("x f32[1,7,2,3]; s =i64{1,7,5,6}; m Resize x - - s mode=nearest"),
  "x f32[2,7,5,6]; m GlobalAveragePool x; c =f32[1,7,1,1]; a Add m c; "
  "y HardSigmoid a",
  "x f32[2,9,14]; g =f32[14]; b =f32[14]; m LayerNormalization x g b; "
  "c =f32[14]; a Mul m c; z f32[2,9,14]; y Add a z",
  /* rows of several axes, padded and not */
  "x f32[2,3,7]; g =f32[3,7]; m LayerNormalization x g axis=1; c =f32[7]; "
  "a Mul m c; z f32[2,3,7]; y Add a z",
  "x f32[2,3,8]; g =f32[3,8]; m LayerNormalization x g axis=1; c =f32[8]; "
  "a Mul m c; z f32[2,3,8]; y Add a z",
  /* tokens from a map and back */
  "x f32[1,12,5,6]; s =i64{1,12,30}; r Reshape x s; "
  "t Transpose r perm=[0,2,1]; g =f32[12]; m LayerNormalization t g; "
  "u Transpose m perm=[0,2,1]; v =i64{1,12,5,6}; w Reshape u v; "
  "y MaxPool w kernel_shape=[3,3]",
  "x f32[1,6,5,7]; y Softmax x axis=1",
  "x f32[1,6,5,7]; t Transpose x perm=[0,2,3,1]; y Softmax t axis=1",
  /* channels of a slice, which are not padded */
  "x f32[1,12,6,6]; i =i64{4}; j =i64{10}; k =i64{1}; s Slice x i j k; "
  "y MaxPool s kernel_shape=[3,3]",
  "x f32[1,6,12]; i =i64{4}; j =i64{10}; k =i64{2}; s Slice x i j k; "
  "g =f32[6]; y LayerNormalization s g",
  "x f32[1,6,12]; i =i64{4}; j =i64{9}; k =i64{2}; s Slice x i j k; y Softmax s",
  "x f32[2,12,6,6]; i =i64{4}; j =i64{10}; k =i64{1}; s Slice x i j k; "
  "y GlobalAveragePool s",
  /* into a Concat */
  "x f32[1,8,6,6]; a MaxPool x kernel_shape=[5,5] pads=[2,2,2,2]; "
  "b MaxPool x kernel_shape=[3,3] pads=[1,1,1,1]; y Concat x a b axis=1",
  "x f32[2,8,3,3]; z f32[2,4,6,6]; s =i64{2,8,6,6}; "
  "a Resize x - - s mode=linear; y Concat z a axis=1",
  "x f32[2,8,3,3]; z f32[2,8,2,6]; s =i64{2,8,6,6}; "
  "a Resize x - - s mode=linear; y Concat z a axis=2",
  "x f32[2,5,8]; z f32[2,3,8]; g =f32[8]; a LayerNormalization x g; "
  "y Concat z a axis=1",
  "x f32[2,5,8]; z f32[2,3,8]; a Softmax x; y Concat z a axis=1",
  "x f32[2,6,4,4]; z f32[2,6,2,4]; g =f32[6]; b =f32[6]; "
  "a InstanceNormalization x g b; y Concat a z axis=2",
  /* attention over heads of one product, and what follows it */
  "x f32[1,21,48]; w =f32[48,144]; p MatMul x w; s =i64{1,21,3,4,12}; "
  "r Reshape p s; t Transpose r perm=[2,0,3,1,4]; i =i64(0); j =i64(1); "
  "k =i64(2); a Gather t i axis=0; b Gather t j axis=0; c Gather t k axis=0; "
  "d Transpose b perm=[0,1,3,2]; e MatMul a d; f =f32(0.29); g Mul e f; "
  "h Softmax g; l MatMul h c; m Transpose l perm=[0,2,1,3]; n =i64{1,21,48}; "
  "y Reshape m n",
  /* heads of seven channels, and values of six, by the weights around them */
  "x f32[1,21,28]; w =f32[28,56]; p MatMul x w; z =i64{28,28}; "
  "d,b Split p z axis=2; s =i64{1,21,4,7}; r Reshape d s; o Reshape b s; "
  "q Transpose r perm=[0,2,1,3]; k Transpose o perm=[0,2,3,1]; "
  "u =f32[28,24]; i MatMul x u; j =i64{1,21,4,6}; a Reshape i j; "
  "v Transpose a perm=[0,2,1,3]; e MatMul q k; h Softmax e; l MatMul h v; "
  "m Transpose l perm=[0,2,1,3]; n =i64{1,21,24}; f Reshape m n; "
  "g =f32[24,10]; y MatMul f g",
  "x f32[2,12,5,3]; w =f32[42,12,1,1]; b =f32[42]; c Conv x w b; "
  "h =i64{4,7,15}; q,k,v Split c axis=1; d Reshape q h; e Reshape k h; "
  "f Reshape v h; t Transpose d perm=[0,2,1]; s MatMul t e; "
  "p Softmax s axis=-1; u Transpose f perm=[0,2,1]; y MatMul p u",
  /* clips: channels before the frames, and a batch of frames */
  "x f32[2,3,4,6,7]; w =f32[5,3,3,3,3]; c Conv x w pads=[1,1,1,1,1,1]; "
  "v =f32[5,3,1,1,1]; e Conv x v; y Mul c e",
  "x f32[2,3,5,8,7]; s =i64{6,5,8,7}; r Reshape x s; w =f32[6,5,4,4]; "
  "c Conv r w strides=[2,2]; m ReduceMean x axes=[0,1,2,3,4]; y Add c m",
  /* relative positions, repeated along either axis, as bias of attention: of heads
   * that are channels of a map */
  "x f32[1,24,4,5]; c =f32[24,24,1,1]; q0 Conv x c; hs =i64{3,8,20}; "
  "q1 Reshape q0 hs; q Transpose q1 perm=[0,2,1]; k Reshape x hs; "
  "s MatMul q k; qs =i64{3,4,5,8}; qm Reshape q qs; w =f32[8,9]; m MatMul qm w; "
  "m0 =i64{12,5,9}; ma Reshape m m0; p =i64{0,0,0,0,0,1}; a Pad ma p; "
  "f =i64{12,50}; b Reshape a f; pb =i64{0,0,0,4}; d Pad b pb; "
  "g =i64{12,6,9}; h Reshape d g; i =i64{0}; j =i64{5}; i1 =i64{1}; "
  "r Slice h i j i1; n =i64{4}; o =i64{99}; u =i64{2}; e Slice r n o u; "
  "v =i64{3,4,5,1,5}; l Reshape e v; t =i64{1,1,1,4,1}; la Tile l t; "
  "lb =f32[3,4,5,4,1]; lc Add la lb; bs =i64{3,20,20}; ld Reshape lc bs; "
  "sa Add s ld; sb Softmax sa axis=-1; kt Transpose k perm=[0,2,1]; "
  "sc MatMul sb kt; sd Transpose sc perm=[0,2,1]; xs =i64{1,24,4,5}; "
  "se Reshape sd xs; y Conv se c",
  /* heads of seven channels: no view, no whole vec4 */
  "x f32[2,9,14]; s =i64{2,9,2,7}; r Reshape x s; "
  "q Transpose r perm=[0,2,1,3]; k Transpose r perm=[0,2,3,1]; e MatMul q k; "
  "b f32[1,2,9,9]; f Add e b; h Softmax f; l MatMul h q; "
  "m Transpose l perm=[0,2,1,3]; n =i64{2,9,14}; y Reshape m n",
};

/* Largest difference as a share of the largest magnitude. */
static double
difference (const FvArray *got, const FvArray *want)
{
  double largest = 1e-3, worst = 0;

  for (gint64 i = 0; i < want->count; i++)
    largest = fmax (largest, fabs (fv_array_get_float (want, i)));
  for (gint64 i = 0; i < want->count; i++) {
    double error =
        fabs (fv_array_get_float (got, i) - fv_array_get_float (want, i));

    worst = error <= worst ? worst : error; /* a NaN stays */
  }
  return worst / largest;
}

static void
run (FvDevice *device, const char *text, FvType type, double limit)
{
  FvIr *ir = ir_text_graph (text);
  FvGraphOptions options = { .precision = type, .poison = TRUE, .slots = 1 };
  guint n = ir->inputs->len;
  FvArray *inputs[4], *want = NULL, *got = NULL;
  g_autoptr (FvGraph) graph = NULL;
  GError *error = NULL;
  double worst;

  for (guint i = 0; i < n; i++) {
    FvValue *value = ir->inputs->pdata[i];
    g_autofree char *shape = fv_shape_to_string (&value->shape);
    g_autofree char *word = g_strconcat ("f32", shape, NULL);

    inputs[i] = ir_text_array (word, -1, 1);
  }
  ck_assert (fv_ir_run_reference (ir, inputs, &want, type == FV_TYPE_F16, NULL,
      NULL, &error));
  if (!fv_ir_rewrite (ir, &error)
      || !(graph = fv_graph_new_ir (device, ir, &options, &error))
      || !fv_graph_run (graph, inputs, &got, &error))
    ck_abort_msg ("'%s': %s", text, error->message);
  worst = difference (got, want);
  ck_assert_msg (worst <= limit, "'%s' in %s is %g off, allowed %g", text,
      fv_type_name (type), worst, limit);
  for (guint i = 0; i < n; i++)
    fv_array_unref (inputs[i]);
  fv_array_unref (want);
  fv_array_unref (got);
}

START_TEST (test_graph)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);

  ck_assert (device);
  run (device, graphs[_i], FV_TYPE_F32, 1e-4);
  run (device, graphs[_i], FV_TYPE_F16, 8e-3);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("fused");
  TCase *tcase = tcase_create ("graphs");

  tcase_set_timeout (tcase, 0);
  tcase_add_loop_test (tcase, test_graph, 0, G_N_ELEMENTS (graphs));
  suite_add_tcase (suite, tcase);
  return device_test_run (suite);
}
