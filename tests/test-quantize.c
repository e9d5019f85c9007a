/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quantised nets: ONNX's own examples through the references, what the passes
 * make of them, and the kernels of one tier (FOVEA_TIER) against both. */
#include "gst/engine/plan.h"
#include "tests/device-test.h"
#include "tests/ir-text.h"

#include <math.h>
#include <string.h>

/* Graphs of constants: what they give, as ONNX's operator tests have it. */
static const struct
{
  const char *graph;
  guint n;
  double values[6];
} examples[] = {
  { "x =f32{0,2,3,1000,-254,-1000}; s =f32(2); z =u8(128); "
    "y QuantizeLinear x s z",
      6, { 128, 129, 130, 255, 1, 0 } },
  { "x =f32{0.5,1.5,-0.5,-2.5,200,-200}; s =f32(1); z =i8(1); "
    "y QuantizeLinear x s z",
      6, { 1, 3, 1, -1, 127, -128 } },
  { "x =f32{0.5,1.5}; s =f32(1); y QuantizeLinear x s", 2, { 0, 2 } },
  { "x =f32{1,2,3,4}; r =i64{2,2}; m Reshape x r; s =f32{1,0.5}; z =u8{0,10}; "
    "y QuantizeLinear m s z axis=-1",
      4, { 1, 14, 3, 18 } },
  { "x =u8{0,3,128,255}; s =f32(2); z =u8(128); y DequantizeLinear x s z", 4,
      { -256, -250, 0, 254 } },
  { "x =i32{-70000,3}; s =f32(0.5); y DequantizeLinear x s", 2,
      { -35000, 1.5 } },
  { "x =f32{0,2,-3,-2.5,1.34,0.5}; y,s,z DynamicQuantizeLinear x", 6,
      { 153, 255, 0, 26, 221, 179 } },
  { "x =u8{2,3,4,5,6,7,8,9,10}; r =i64{1,1,3,3}; m Reshape x r; "
    "v =u8{1,1,1,1}; t =i64{1,1,2,2}; w Reshape v t; z =u8(1); "
    "y ConvInteger m w z",
      4, { 12, 16, 24, 28 } },
  { "x =u8{208,236,0,238,3,214,255,29}; r =i64{2,4}; a Reshape x r; "
    "v =u8{152,51,244,60,26,255,0,127,246,127,254,247}; t =i64{4,3}; "
    "b Reshape v t; as =f32(0.0066); az =u8(113); bs =f32(0.00705); "
    "bz =u8(114); ys =f32(0.0107); yz =u8(118); "
    "y QLinearMatMul a as az b bs bz ys yz",
      6, { 168, 115, 255, 1, 66, 151 } },
  { "x =u8{11,7,3,10,6,2,9,5,1,8,4,0}; r =i64{4,3}; a Reshape x r; "
    "v =u8{1,4,2,5,3,6}; t =i64{3,2}; b Reshape v t; az =u8(12); "
    "y MatMulInteger a b az",
      6, { -38, -83, -44, -98, -50, -113 } },
};

START_TEST (test_example)
{
  FvIr *ir = ir_text_graph (examples[_i].graph);
  FvArray *out = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert_msg (
      fv_ir_run_reference (ir, NULL, &out, FALSE, NULL, NULL, &error), "%s",
      error ? error->message : "");
  ck_assert_uint_le (examples[_i].n, out->count);
  for (guint i = 0; i < examples[_i].n; i++)
    ck_assert_msg (fv_array_get_float (out, i) == examples[_i].values[i],
        "'%s': element %u is %g instead of %g", examples[_i].graph, i,
        fv_array_get_float (out, i), examples[_i].values[i]);
  fv_array_unref (out);
  fv_ir_free (ir);
}
END_TEST

#define INPUT(type) \
  "x f32[1,6,9,8]; s =f32(0.0157); z =" type "; q QuantizeLinear x s z; "
#define PRODUCT \
  "x f32[7,12]; s =f32(0.01); z =u8(99); q QuantizeLinear x s z; " \
  "w =i8[12,5]; "

/* From random floats to floats: within @step of the reference, and mostly
 * equal. */
static const struct
{
  const char *graph;
  const char *nodes; /* after the passes; "+n" for steps */
  double step;
} nets[] = {
  { INPUT ("u8(100)") "y DequantizeLinear q s z", "fovea.FakeQuantize",
      0.0157 },
  { INPUT ("i8(-7)") "y DequantizeLinear q s z", "fovea.FakeQuantize", 0.0157 },
  /* the integers themselves */
  { "x f32[1,6,9,8]; s =f32(0.0157); z =u8(100); y QuantizeLinear x s z",
      "fovea.FakeQuantize+3", 1 },
  /* integers for two, one of which moves them */
  { INPUT ("u8(100)") "d DequantizeLinear q s z; t Transpose q "
                      "perm=[0,1,3,2]; e DequantizeLinear t s z; "
                      "f Transpose e perm=[0,1,3,2]; y Add d f",
      NULL, 0.0314 },
  /* another scale behind */
  { INPUT ("u8(100)") "t =f32(0.02); y DequantizeLinear q t z",
      "fovea.FakeQuantize+5", 0.02 },
  /* one scale for each channel */
  { "x f32[1,3,9,8]; s =f32{0.01,0.02,0.03}; z =u8{100,0,255}; "
    "q QuantizeLinear x s z; y DequantizeLinear q s z",
      NULL, 0.03 },
  { "x f32[3,5]; s =f32{0.01,0.02,0.03}; q QuantizeLinear x s axis=0; "
    "y DequantizeLinear q s axis=0",
      NULL, 0.03 },
  /* a convolution in between */
  { INPUT ("u8(100)") "d DequantizeLinear q s z; w =i8[10,6,3,3]; "
                      "v =f32(0.004); u =i8(0); k DequantizeLinear w v u; "
                      "c Conv d k pads=[1,1,1,1]; r Relu c; o =f32(0.06); "
                      "m =u8(0); p QuantizeLinear r o m; "
                      "y DequantizeLinear p o m",
      "fovea.FakeQuantize Conv+2", 0.06 },
  { INPUT ("u8(100)") "d DequantizeLinear q s z; w =i8[4,6,1,1]; "
                      "v =f32{0.004,0.002,0.001,0.009}; u =i8{0,1,2,3}; "
                      "k DequantizeLinear w v u axis=0; c Conv d k; "
                      "o =f32(0.03); m =i8(5); p QuantizeLinear c o m; "
                      "y DequantizeLinear p o m",
      "fovea.FakeQuantize Conv+1", 0.03 },
  /* not a SiLU: what is multiplied was rounded */
  { INPUT ("u8(100)") "d DequantizeLinear q s z; g Sigmoid d; "
                      "o =f32(0.004); m =u8(0); p QuantizeLinear g o m; "
                      "e DequantizeLinear p o m; y Mul d e",
      "fovea.FakeQuantize Sigmoid+2", 0.0157 },
  /* integers in and out */
  { INPUT ("u8(100)") "w =i8[5,6,3,2]; v =f32(0.004); u =i8(3); "
                      "o =f32(0.05); m =i8(-2); b =i32{100,-300,5,7,0}; "
                      "c QLinearConv q s z w v u o m b pads=[1,0,1,1] "
                      "strides=[2,1]; y DequantizeLinear c o m",
      "fovea.FakeQuantize Conv+1", 0.05 },
  { INPUT ("u8(100)") "w =u8[6,1,3,3]; v =f32{0.004,0.01,0.001,0.02,0.004,"
                      "0.003}; u =u8{128,128,120,0,5,255}; o =f32(0.05); "
                      "m =u8(127); c QLinearConv q s z w v u o m group=6; "
                      "y DequantizeLinear c o m",
      "fovea.FakeQuantize Conv+1", 0.05 },
  { PRODUCT "v =f32(0.02); u =i8(4); o =f32(0.1); m =u8(128); "
            "c QLinearMatMul q s z w v u o m; y DequantizeLinear c o m",
      "fovea.FakeQuantize fovea.Linear+1", 0.1 },
  { PRODUCT "v =f32{0.02,0.01,0.03,0.001,0.015}; u =i8{0,1,2,3,4}; "
            "o =f32(0.1); m =u8(128); c QLinearMatMul q s z w v u o m; "
            "y DequantizeLinear c o m",
      "fovea.FakeQuantize fovea.Linear+1", 0.1 },
  { PRODUCT "c MatMulInteger q w z; y Cast c to=1", NULL, 1 },
  { PRODUCT "u =i8{0,1,2,3,4}; c MatMulInteger q w z u; y Cast c to=1", NULL,
      1 },
  { INPUT ("u8(100)") "w =i8[5,6,3,3]; c ConvInteger q w z; e Cast c to=1; "
                      "f =f32(0.0001); y Mul e f",
      NULL, 0.0001 },
  /* scales that only the run knows */
  { "x f32[3,17]; q,t,m DynamicQuantizeLinear x; y DequantizeLinear q t m",
      NULL, 0.008 },
  { "x f32[7,12]; w =i8[12,5]; q,t,m DynamicQuantizeLinear x; "
    "c MatMulInteger q w m; f Cast c to=1; y Mul f t",
      NULL, 0.5 },
};

static char *
nodes_text (FvIr *ir)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];

    g_string_append_printf (text, "%s%s", i ? " " : "", node->op->name);
    if (node->n_steps)
      g_string_append_printf (text, "+%u", node->n_steps);
  }
  return g_string_free (text, FALSE);
}

/* A sum in another order turns a rounding now and then. */
static void
compare (FvArray *got, FvArray *want, guint steps, const char *what)
{
  double step = nets[0].step, largest = 0, limit;
  gint64 n_other = 0;

  for (guint i = 0; i < G_N_ELEMENTS (nets); i++)
    if (nets[i].graph == what)
      step = nets[i].step;
  ck_assert (fv_shape_equal (&got->shape, &want->shape));
  for (gint64 i = 0; i < want->count; i++)
    largest = fmax (largest, fabs (fv_array_get_float (want, i)));
  /* with several, the input was rounded: one of its steps moves a whole sum */
  limit = step * steps * 1.001 + (steps > 1 ? largest / 32 : 0);
  for (gint64 i = 0; i < want->count; i++) {
    double off =
        fabs (fv_array_get_float (got, i) - fv_array_get_float (want, i));

    ck_assert_msg (off <= limit, "'%s': %g is %g off", what,
        fv_array_get_float (want, i), off);
    n_other += off > step * 0.01;
  }
  ck_assert_msg (n_other <= (steps > 1 ? want->count : want->count / 20),
      "'%s': %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " are other steps",
      what, n_other, want->count);
}

static void
run_net (FvDevice *device, guint i, FvType type, FvArray *input, FvArray *want)
{
  FvGraphOptions options = { .precision = type, .poison = TRUE, .slots = 1 };
  FvIr *ir = ir_text_graph (nets[i].graph);
  g_autoptr (GError) error = NULL;
  g_autoptr (FvGraph) graph = fv_graph_new_ir (device, ir, &options, &error);
  FvArray *got = NULL;

  ck_assert_msg (graph && fv_graph_run (graph, &input, &got, &error),
      "'%s': %s", nets[i].graph, error ? error->message : "");
  /* rounding the input to f16 may turn what a step is worth of it */
  compare (got, want, type == FV_TYPE_F16 ? 2 : 1, nets[i].graph);
  fv_array_unref (got);
}

START_TEST (test_net)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);
  FvIr *ir = ir_text_graph (nets[_i].graph);
  FvArray *want = NULL, *got = NULL;
  g_autoptr (GError) error = NULL;
  FvValue *value = ir->inputs->pdata[0];
  g_autofree char *shape = fv_shape_to_string (&value->shape);
  g_autofree char *word = g_strconcat ("f32", shape, NULL);
  g_autofree char *nodes = NULL;
  FvArray *input = ir_text_array (word, -2, 2);

  ck_assert (device);
  ck_assert_msg (
      fv_ir_run_reference (ir, &input, &want, FALSE, NULL, NULL, &error), "%s",
      error ? error->message : "");
  ck_assert_msg (fv_ir_rewrite (ir, &error), "'%s': %s", nets[_i].graph,
      error ? error->message : "");
  nodes = nodes_text (ir);
  if (nets[_i].nodes)
    ck_assert_str_eq (nodes, nets[_i].nodes);
  ck_assert (!strstr (nodes, "QuantizeLinear"));
  ck_assert_msg (
      fv_ir_run_reference (ir, &input, &got, FALSE, NULL, NULL, &error), "%s",
      error ? error->message : "");
  compare (got, want, 1, nets[_i].graph);
  run_net (device, _i, FV_TYPE_F32, input, want);
  run_net (device, _i, FV_TYPE_F16, input, want);
  ck_assert_uint_eq (fv_validation_messages (), 0);
  fv_array_unref (input);
  fv_array_unref (want);
  fv_array_unref (got);
  fv_ir_free (ir);
}
END_TEST

/* Scales that are powers of two: sums are exact in floats, too. */
#define BYTES(shape, zero) \
  "x f32" shape "; s =f32(0.015625); z =" zero "; q QuantizeLinear x s z; " \
  "d DequantizeLinear q s z; "
#define WEIGHTS(shape, zero) \
  "w =" shape "; v =f32(0.0078125); u =" zero "; k DequantizeLinear w v u; "
#define BACK(scale, zero) \
  "; o =f32(" scale "); m =" zero "; p QuantizeLinear c o m; " \
  "y DequantizeLinear p o m"

/* Products that igemm8.comp takes where FOVEA_INT8=on: equal to the references to
 * the last bit. */
static const struct
{
  const char *graph;
  guint n; /* its dispatches */
} products[] = {
  /* zero points at the ends, sizes that are odd */
  { BYTES ("[1,6,9,8]", "u8(128)")
          WEIGHTS ("i8[10,6,1,1]", "i8(0)") "y Conv d k",
      1 },
  { BYTES ("[1,5,9,8]", "u8(0)") WEIGHTS ("i8[7,5,3,3]",
        "i8(127)") "b =f32{1,-2,0.5,0,0,3,-1}; y Conv d k b pads=[1,0,1,2] strides=[2,1]",
      1 },
  { BYTES ("[1,7,6,11]",
        "u8(255)") "w =u8[3,7,3,2]; v =f32{0.0078125,0.5,2}; "
                   "u =u8{0,255,3}; k DequantizeLinear w v u axis=0; y Conv d k",
      1 },
  { BYTES ("[1,7,6,11]", "i8(-128)")
          WEIGHTS ("u8[3,7,1,1]", "u8(0)") "y Conv d k",
      1 },
  { BYTES ("[2,16,7,5]",
        "i8(127)") "w =u8[24,8,3,3]; v =f32(0.25); u =u8(255); "
                   "k DequantizeLinear w v u; y Conv d k group=2 dilations=[2,1] "
                   "pads=[2,1,2,1]",
      1 },
  /* by the ends of bytes alone */
  { BYTES ("[1,9,4,4]",
        "i8(5)") "w =i8[2,9,1,1]{-128,127,-128,127,-128,127,-128,"
                 "127,-128,1,0,0,0,0,0,0,0,0}; v =f32(1); k DequantizeLinear w v; "
                 "y Conv d k",
      1 },
  { BYTES ("[1,4,4,4]", "i8(5)") "w =i8[2,4,1,1]{0,0,0,0,6,-3,9,0}; v =f32(1); "
                                 "k DequantizeLinear w v; y Conv d k",
      1 },
  /* long sums, wide tiles, stems, kernels that cover the map */
  { BYTES ("[1,70,6,7]", "u8(100)")
          WEIGHTS ("u8[33,70,5,5]", "u8(130)") "y Conv d k pads=[2,2,2,2]",
      1 },
  { BYTES ("[1,32,16,16]", "u8(0)")
          WEIGHTS ("i8[70,32,3,3]", "i8(0)") "y Conv d k pads=[1,1,1,1]",
      1 },
  { BYTES ("[1,3,21,18]", "u8(114)") WEIGHTS ("i8[9,3,7,7]",
        "i8(0)") "y Conv d k strides=[2,2] pads=[3,3,3,3]",
      1 },
  { BYTES ("[1,3,16,24]", "u8(114)")
          WEIGHTS ("i8[9,3,8,8]", "i8(0)") "y Conv d k strides=[8,8]",
      1 },
  { BYTES ("[5,6,3,3]", "u8(7)") WEIGHTS ("u8[4,6,3,3]", "u8(1)") "y Conv d k",
      1 },
  { BYTES ("[1,5,4,6,5]", "u8(99)")
          WEIGHTS ("u8[8,5,2,3,3]", "u8(0)") "y Conv d k pads=[1,1,0,0,1,0]",
      1 },
  { BYTES ("[1,6,5,4]", "u8(99)")
          WEIGHTS ("u8[6,5,3,3]", "u8(11)") "y ConvTranspose d k strides=[2,1]",
      2 },
  /* moved about in between */
  { BYTES ("[1,6,9,8]", "u8(30)") WEIGHTS ("i8[5,6,3,3]",
        "i8(0)") "t MaxPool d kernel_shape=[3,3] pads=[1,1,1,1] strides=[2,2]; "
                 "g Transpose t perm=[0,1,3,2]; y Conv g k",
      1 },
  /* products of matrices */
  { BYTES ("[7,37]", "i8(-3)") WEIGHTS ("i8[37,13]", "i8(-128)") "y MatMul d k",
      1 },
  { BYTES ("[2,3,9,21]", "u8(200)") WEIGHTS ("i8[21,6]",
        "i8(0)") "b =f32{1,2,3,4,-1,-2}; e MatMul d k; y Add e b",
      1 },
  { BYTES ("[9,70]", "u8(200)") WEIGHTS ("u8[5,70]",
        "u8(254)") "b =f32{1,2,3,4,-1}; y Gemm d k b transB=1 alpha=0.5 beta=2",
      1 },
  /* back to bytes: halves to even, and saturation */
  { BYTES ("[1,6,9,8]", "u8(128)") WEIGHTS ("i8[10,6,3,3]",
        "i8(0)") "c Conv d k" BACK ("0.03125", "i8(-3)"),
      1 },
  { BYTES ("[1,6,9,8]", "u8(128)") WEIGHTS ("u8[10,6,3,3]",
        "u8(10)") "e Conv d k; c Relu e" BACK ("0.00390625", "u8(0)"),
      1 },
  { BYTES ("[1,6,9,8]",
        "i8(1)") "w =i8[5,6,3,2]; v =f32(0.0078125); u =i8(3); "
                 "o =f32(0.0625); m =i8(-2); b =i32{100,-300,5,7,0}; "
                 "c QLinearConv q s z w v u o m b; y DequantizeLinear c o m",
      1 },
  { BYTES ("[7,12]",
        "i8(1)") "w =i8[12,5]; v =f32{0.25,0.5,1,2,4}; "
                 "u =i8{0,1,2,3,4}; o =f32(0.5); m =u8(127); "
                 "c QLinearMatMul q s z w v u o m; y DequantizeLinear c o m",
      1 },
  /* not these: few rows, which another kernel reads weights faster for; what is no
     byte any more; weights that are no bytes */
  { BYTES ("[4,37]", "i8(-3)") WEIGHTS ("i8[37,13]", "i8(0)") "y MatMul d k",
      0 },
  { BYTES ("[1,6,9,8]", "u8(100)")
          WEIGHTS ("i8[4,6,1,1]", "i8(0)") "e Add d d; y Conv e k",
      0 },
  { BYTES ("[1,6,9,8]", "u8(100)") "k =f32[1,6,1,1]{1,2,3,4,5,256}; y Conv d k",
      0 },
};

static FvArray *
run_product (FvDevice *device, const FvGraphOptions *options, guint i,
    FvArray *input)
{
  gboolean takes_bytes = fv_device_tier (device) == FV_TIER_WORKGROUP;
  FvIr *ir = ir_text_graph (products[i].graph);
  g_autoptr (GError) error = NULL;
  g_autoptr (FvGraph) graph = fv_graph_new_ir (device, ir, options, &error);
  g_autofree char *dump = graph ? fv_graph_dump (graph) : NULL;
  FvArray *got = NULL;
  guint n = 0;

  ck_assert_msg (graph && fv_graph_run (graph, &input, &got, &error),
      "'%s': %s", products[i].graph, error ? error->message : "");
  for (const char *at = dump; (at = strstr (at, "igemm8")); at++)
    n++;
  ck_assert_msg (n == (takes_bytes ? products[i].n : 0),
      "'%s': %u products of bytes in\n%s", products[i].graph, n, dump);
  return got;
}

/* f16 is what the result is kept in. */
static void
compare_products (FvArray *got, FvArray *want, FvType type, const char *what)
{
  ck_assert (fv_shape_equal (&got->shape, &want->shape));
  for (gint64 i = 0; i < want->count; i++) {
    float a = fv_array_get_float (got, i), b = fv_array_get_float (want, i);
    float off = type == FV_TYPE_F16 ? fabsf (b) / 2048 : 0;

    ck_assert_msg (fabsf (a - b) <= off,
        "'%s' in %s: element %" G_GINT64_FORMAT " is %g instead of %g", what,
        fv_type_name (type), i, a, b);
  }
}

START_TEST (test_product)
{
  FvIr *ir = ir_text_graph (products[_i].graph);
  FvValue *value = ir->inputs->pdata[0];
  g_autofree char *shape = fv_shape_to_string (&value->shape);
  g_autofree char *word = g_strconcat ("f32", shape, NULL);
  FvArray *input = ir_text_array (word, -2, 2), *want = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = NULL;

  /* f16 has all of them, and halves of steps are among them */
  for (gint64 i = 0; i < input->count; i++)
    input->f32[i] = rintf (input->f32[i] * 128) / 128;
  g_setenv ("FOVEA_INT8", "on", TRUE);
  device = fv_device_open (NULL, &error);
  g_unsetenv ("FOVEA_INT8");
  ck_assert_msg (device != NULL, "%s", error ? error->message : "");
  ck_assert_msg (
      fv_ir_run_reference (ir, &input, &want, FALSE, NULL, NULL, &error), "%s",
      error ? error->message : "");
  for (guint run = 0; run < 2; run++) {
    FvGraphOptions options = { .precision = run ? FV_TYPE_F16 : FV_TYPE_F32,
      .poison = TRUE,
      .slots = 1,
      .tile = run ? 1 + _i % 4 : 0 };
    FvArray *got = run_product (device, &options, _i, input);

    compare_products (got, want, options.precision, products[_i].graph);
    fv_array_unref (got);
  }
  ck_assert_uint_eq (fv_validation_messages (), 0);
  fv_array_unref (input);
  fv_array_unref (want);
  fv_ir_free (ir);
}
END_TEST

/* Whether the device can be made to: Mesa's software driver can. */
static gboolean
has_dot4 (void)
{
  g_autoptr (FvDevice) device = fv_device_open (NULL, NULL);

  if (device && fv_device_info (device)->has_dot4)
    return TRUE;
  g_printerr ("no dot products of packed bytes: their kernel is not tested\n");
  return FALSE;
}

/* What is refused, and a word of why. */
static const struct
{
  const char *op, *x, *scale, *zero, *word;
  guint opset;
  gint64 block;
} refusals[] = {
  { "QuantizeLinear", "f32[2,8]", "f32[2,2]", "u8[2,2]", "not fit blocks of 3",
      21, 3 },
  { "DequantizeLinear", "u8[2,8]", "f32[2,2]", "u8[2,2]", "not fit blocks of 3",
      21, 3 },
  { "DequantizeLinear", "u8[2,8]", "f32[2,2]", "u8[2,2]", "4 scales do not fit",
      17, 0 },
  { "QuantizeLinear", "f32[2,8]", "f32(1)", "i32(0)", "expected 8 or 16 bits",
      21, 0 },
  { "DequantizeLinear", "i64[2,8]", "f32(1)", "i64(0)", "expected 8 or 16 bits",
      17, 0 },
  { "DequantizeLinear", "u8[2,8]", "f32(1)", "i8(0)", "zero point", 13, 0 },
  { "QuantizeLinear", "f32[2,8]", "f32[3]", "u8[3]", "do not fit", 13, 0 },
  { "QuantizeLinear", "f32[2,8]", "f32[8]", "u8(0)", "as many zero", 13, 0 },
  { "QuantizeLinear", "f32[2,8]", "f32[8]", "u8[8]", "opset 13", 10, 0 },
};

START_TEST (test_refusal)
{
  const char *words[] = { refusals[_i].x, refusals[_i].scale,
    refusals[_i].zero };
  g_autoptr (FvIr) ir = fv_ir_new ("refusal");
  FvValue *inputs[3], *out = fv_ir_add_value (ir, "y", FV_TYPE_NONE, NULL);
  g_autoptr (GError) error = NULL;
  FvNode *node;

  for (guint i = 0; i < 3; i++) {
    g_autoptr (FvArray) array = ir_text_array (words[i], 0, 2);

    inputs[i] = fv_ir_add_constant (ir, NULL, array);
  }
  node = fv_ir_add_node (ir,
      fv_op_find (refusals[_i].op, refusals[_i].opset, NULL), "the node",
      inputs, 3, &out, 1);
  node->opset = refusals[_i].opset;
  if (refusals[_i].block)
    fv_node_set_int (node, "block_size", refusals[_i].block);
  ck_assert (!fv_node_infer (node, &error));
  ck_assert_msg (strstr (error->message, refusals[_i].word) != NULL
          && strstr (error->message, "the node") != NULL,
      "'%s' does not say '%s'", error->message, refusals[_i].word);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("quantize");
  TCase *tcase = tcase_create ("quantize");

  tcase_set_timeout (tcase, 0);
  tcase_add_loop_test (tcase, test_example, 0, G_N_ELEMENTS (examples));
  tcase_add_loop_test (tcase, test_net, 0, G_N_ELEMENTS (nets));
  if (has_dot4 ())
    tcase_add_loop_test (tcase, test_product, 0, G_N_ELEMENTS (products));
  tcase_add_loop_test (tcase, test_refusal, 0, G_N_ELEMENTS (refusals));
  suite_add_tcase (suite, tcase);
  return device_test_run (suite);
}
