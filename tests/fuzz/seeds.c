/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small models to start from: each operator's cases, graphs that the passes know,
 * and what only files have (If, functions, host tails). */
#include "tests/fuzz/fuzz.h"
#include "tests/ir-text.h"
#include "tests/model-builder.h"

#include <string.h>

#define MAX_SIZE 6000
#define FLOAT 1
#define INT64 7
#define BOOLEAN 9

static const char *const graphs[] = {
  /* GELU, SiLU, HardSwish, Mish, LayerNormalization, attention */
  "x f32[2,5,8]; s =f32(1.41421356); h =f32(0.5); o =f32(1); d Div x s; "
  "e Erf d; a Add e o; m Mul x a; y Mul m h",
  "x f32[1,6,4,4]; g Sigmoid x; m Mul x g; w =f32[5,6,1,1]; y Conv m w",
  "x f32[1,6,4,4]; t =f32(3); z =f32(0); s =f32(6); a Add x t; c Clip a z s; "
  "m Mul x c; y Div m s",
  "x f32[1,6,4,4]; p Softplus x; t Tanh p; y Mul x t",
  "x f32[2,5,12]; two =f32(2); eps =f32(0.00001); g =f32[12]; b =f32[12]; "
  "m ReduceMean x axes=[-1]; d Sub x m; p Pow d two; v ReduceMean p "
  "axes=[-1]; a Add v eps; r Sqrt a; n Div d r; w Mul n g; y Add w b",
  "x f32[1,7,8]; wq =f32[8,8]; wk =f32[8,8]; wv =f32[8,8]; c =f32(0.35); "
  "s =i64{1,7,2,4}; e =i64{1,7,8}; q MatMul x wq; k MatMul x wk; "
  "v MatMul x wv; qr Reshape q s; kr Reshape k s; vr Reshape v s; "
  "qt Transpose qr perm=[0,2,1,3]; kt Transpose kr perm=[0,2,3,1]; "
  "vt Transpose vr perm=[0,2,1,3]; sc MatMul qt kt; w Mul sc c; "
  "p Softmax w axis=-1; o MatMul p vt; ot Transpose o perm=[0,2,1,3]; "
  "y Reshape ot e",
  /* a small net: convolutions, their scales, residuals, pools, a classifier */
  "x f32[1,3,16,16]; w =f32[8,3,3,3]; b =f32[8]; s =f32[8]; t =f32[8]; "
  "m =f32[8]; v =f32{1,2,3,4,5,6,7,8}; c Conv x w b pads=[1,1,1,1] "
  "strides=[2,2]; n BatchNormalization c s t m v; r Relu n; "
  "d =f32[8,1,3,3]; k Conv r d group=8 pads=[1,1,1,1]; a Add k r; "
  "p MaxPool a kernel_shape=[2,2] strides=[2,2]; g GlobalAveragePool p; "
  "f Flatten g; u =f32[8,5]; z =f32[5]; y Gemm f u z",
  "x f32[1,4,6,6]; w =f32[4,4,1,1]; a Conv x w; b Relu a; c Concat a b x "
  "axis=1; s,t,u Split c axis=1; y Add s u",
  "x f32[1,8,4,4]; g GlobalAveragePool x; w =f32[2,8,1,1]; v =f32[8,2,1,1]; "
  "a Conv g w; r Relu a; b Conv r v; h HardSigmoid b; y Mul x h",
  "x f32[1,4,4,4]; s =f32{1,1,2,2}; r Resize x - s mode=linear "
  "coordinate_transformation_mode=half_pixel; w =f32[2,4,3,3]; y Conv r w "
  "pads=[1,1,1,1]",
  "x f32[1,4,3,3]; w =f32[4,4,2,2]; a ConvTranspose x w strides=[2,2]; "
  "y Sigmoid a",
  /* shuffled channels: dealt out in turn, or halves of what was */
  "x f32[1,3,2,3]; w =f32[8,3,1,1]; v =f32[8,3,1,1]; a Conv x w; c Conv x v; "
  "r Relu c; s Concat a r axis=1; i =i64{8,2,6}; j =i64{2,-1,8,2,3}; "
  "z =i64(0); o =i64(1); p Reshape s i; q Transpose p perm=[1,0,2]; "
  "t Reshape q j; e Gather t z; f Gather t o; k =f32[8,8,1,1]; m Conv f k; "
  "u Concat e m axis=1; l =i64{1,2,8,2,3}; h =i64{1,16,2,3}; g Reshape u l; "
  "n Transpose g perm=[0,2,1,3,4]; b Reshape n h; aa,bb Split b axis=1; "
  "cc Conv bb k; y Concat aa cc axis=1",
  "x f32[1,6,3,2]; w =f32[6,6,1,1]; a Conv x w; b Concat a x axis=1; "
  "l =i64{1,2,6,3,2}; h =i64{1,12,3,2}; g Reshape b l; "
  "n Transpose g perm=[0,2,1,3,4]; r Reshape n h; t,u Split r axis=1; "
  "c Conv u w; y Concat t c axis=1",
  /* windows, as Swin has them */
  "x f32[1,8,8,4]; s =i64{1,2,4,2,4,4}; t =i64{4,16,4}; a Reshape x s; "
  "b Transpose a perm=[0,1,3,2,4,5]; c Reshape b t; w =f32[4,12]; "
  "d MatMul c w; q,k,v Split d axis=2; e Transpose k perm=[0,2,1]; "
  "f MatMul q e; p Softmax f; y MatMul p v",
  "x f32[1,2,8,8]; o =f32[4,2,2,2]; y Conv x o dilations=[2,2] group=1 "
  "auto_pad=SAME_UPPER",
  "x f32[2,3,4]; y f32[2,4,5]; e Einsum x y equation=bij,bjk->bik; z Relu e",
  "x f32[1,3,4,5]; w =f32[4,6]; e Einsum x w equation=bhwc,wk->bhck; y Neg e",
  "x f32[1,3,5,5]; s =i64{0,1,1}; e =i64{3,5,-1}; a =i64{1,2,3}; "
  "t Slice x s e a; p =i64{0,0,1,1,0,0,0,2}; q Pad t p; y Abs q",
  "x f32[3,5]; k =i64{2}; v,i TopK x k; y Add v v",
  "x f32[1,4,8]; n =f32[4,8]; a Add x n; b Mul a n; c Sub b x; "
  "m Max a b c; y Sum m a x",
  "x f32[2,3]; b Cast x to=9; n Not b; z =f32(0); y Where n x z",
  "x f32[1,4,6,6]; g f32[1,3,3,2]; y GridSample x g align_corners=1",
  /* the QDQ form */
  "x f32[1,3,4,4]; s =f32(0.02); z =u8(128); q QuantizeLinear x s z; "
  "d DequantizeLinear q s z; w =i8[4,3,3,3]; ws =f32(0.01); wz =i8(0); "
  "wd DequantizeLinear w ws wz; c Conv d wd; o =f32(0.05); "
  "cq QuantizeLinear c o z; y DequantizeLinear cq o z",
};

/* What has no kernel is folded or runs on the host. */
static void
make_constant (FvIr *ir, GPtrArray *arrays)
{
  for (guint i = 0; i < ir->inputs->len; i++) {
    FvValue *value = ir->inputs->pdata[i];

    value->is_input = FALSE;
    value->constant = fv_array_ref (arrays->pdata[i]);
  }
}

static void
each_case (FuzzSeed each, gpointer data)
{
  for (guint t = 0; fv_op_tables[t]; t++)
    for (const FvOp *op = fv_op_tables[t]; op->name; op++) {
      guint n = 0;

      for (const FvCase *item = op->cases; item && item->inputs; item++, n++) {
        g_autoptr (GPtrArray) arrays =
            g_ptr_array_new_with_free_func ((GDestroyNotify) fv_array_unref);
        g_autoptr (FvIr) ir = ir_text_case (op, item, arrays, 1);
        g_autoptr (GBytes) bytes = NULL;
        g_autofree char *name =
            g_strdup_printf ("%s-%u-%u.onnx", op->name, op->since, n);

        if (!op->lower)
          make_constant (ir, arrays);
        bytes = ir_text_pack (ir);
        if (bytes && g_bytes_get_size (bytes) <= MAX_SIZE)
          each (name, bytes, data);
      }
    }
}

static void
add_int (ModelBuilder *b, Onnx__NodeProto *node, const char *name, gint64 i)
{
  Onnx__AttributeProto *attr = model_builder_attr (b, node, name, 2);

  attr->has_i = TRUE;
  attr->i = i;
}

/* If on a constant (@computed: on data, which makes a host tail). */
static ModelBuilder *
make_if (gboolean computed)
{
  ModelBuilder *b = model_builder_new ();
  Onnx__GraphProto outer;
  Onnx__NodeProto *node;

  model_builder_input (b, "x", FLOAT, 2, 2, 3);
  model_builder_raw (b, model_builder_initializer (b, "yes", BOOLEAN, 0), "\1",
      1);
  model_builder_raw (b, model_builder_initializer (b, "zero", FLOAT, 0),
      "\0\0\0", 4);
  model_builder_node (b, "ReduceMax", "max", "x", "m");
  add_int (b, b->graph.node[0], "keepdims", 0);
  model_builder_node (b, "Greater", "ask", "m zero", "g");
  node = model_builder_node (b, "If", "if", computed ? "g" : "yes", "y");
  outer = model_builder_open_branch (b);
  model_builder_node (b, "Relu", "then", "x", "t");
  model_builder_output (b, "t");
  model_builder_close_branch (b, node, "then_branch", &outer);
  outer = model_builder_open_branch (b);
  model_builder_node (b, "Neg", "else", "x", "t");
  model_builder_node (b, "Abs", "else", "t", "u");
  model_builder_output (b, "u");
  model_builder_close_branch (b, node, "else_branch", &outer);
  model_builder_node (b, "Tanh", "last", "y", "z");
  model_builder_output (b, "z");
  return b;
}

static ModelBuilder *
make_nonzero (void)
{
  ModelBuilder *b = model_builder_new ();

  model_builder_input (b, "x", FLOAT, 2, 3, 4);
  model_builder_node (b, "Relu", "first", "x", "h");
  model_builder_node (b, "NonZero", "find", "h", "i");
  model_builder_node (b, "Transpose", "turn", "i", "t");
  model_builder_node (b, "GatherND", "take", "h t", "y");
  model_builder_output (b, "y");
  return b;
}

/* Shape arithmetic, as exporters leave it. */
static ModelBuilder *
make_shapes (void)
{
  ModelBuilder *b = model_builder_new ();
  static const gint64 two[] = { 2 };

  model_builder_input (b, "x", FLOAT, 4, 1, 4, 4, 4);
  model_builder_raw (b, model_builder_initializer (b, "i", INT64, 1, 1), two,
      sizeof two);
  model_builder_node (b, "Shape", "", "x", "s");
  model_builder_node (b, "Gather", "", "s i", "g");
  model_builder_node (b, "Mul", "", "g i", "m");
  add_int (b, model_builder_node (b, "Concat", "", "i g m", "c"), "axis", 0);
  model_builder_node (b, "ConstantOfShape", "", "c", "z");
  model_builder_node (b, "Reshape", "", "x c", "r");
  model_builder_node (b, "Expand", "", "z c", "e");
  model_builder_output (b, "e");
  model_builder_output (b, "r");
  return b;
}

/* What detectors end in. */
static ModelBuilder *
make_nms (void)
{
  ModelBuilder *b = model_builder_new ();
  static const gint64 most[] = { 3 }, last[] = { 2 };
  static const float thresholds[] = { 0.5f, 0.1f };
  Onnx__NodeProto *node;

  model_builder_input (b, "boxes", FLOAT, 3, 1, 6, 4);
  model_builder_input (b, "scores", FLOAT, 3, 1, 2, 6);
  model_builder_raw (b, model_builder_initializer (b, "most", INT64, 1, 1),
      most, sizeof most);
  model_builder_raw (b, model_builder_initializer (b, "last", INT64, 1, 1),
      last, sizeof last);
  model_builder_raw (b, model_builder_initializer (b, "iou", FLOAT, 1, 1),
      thresholds, 4);
  model_builder_raw (b, model_builder_initializer (b, "score", FLOAT, 1, 1),
      thresholds + 1, 4);
  model_builder_node (b, "Sigmoid", "", "scores", "s");
  model_builder_node (b, "NonMaxSuppression", "nms", "boxes s most iou score",
      "picked");
  node = model_builder_node (b, "Gather", "", "picked last", "index");
  add_int (b, node, "axis", 1);
  node = model_builder_node (b, "Squeeze", "", "index", "flat");
  node = model_builder_node (b, "Gather", "", "boxes flat", "y");
  add_int (b, node, "axis", 1);
  model_builder_output (b, "y");
  return b;
}

/* A function that calls another, with an attribute handed down. */
static ModelBuilder *
make_functions (void)
{
  ModelBuilder *b = model_builder_new ();
  Onnx__FunctionProto *functions[2];
  Onnx__NodeProto *node;
  Onnx__AttributeProto *attr;

  for (guint i = 0; i < 2; i++) {
    Onnx__OperatorSetIdProto *import = model_builder_alloc (b, sizeof *import);

    functions[i] = model_builder_alloc (b, sizeof **functions);
    onnx__function_proto__init (functions[i]);
    onnx__operator_set_id_proto__init (import);
    import->has_version = TRUE;
    import->version = 17;
    functions[i]->domain = (char *) "local";
    functions[i]->name = (char *) (i ? "Outer" : "Inner");
    model_builder_append (b, &functions[i]->n_opset_import,
        &functions[i]->opset_import, import);
    model_builder_append (b, &functions[i]->n_input, &functions[i]->input,
        (gpointer) "a");
    model_builder_append (b, &functions[i]->n_output, &functions[i]->output,
        (gpointer) "b");
    model_builder_append (b, &functions[i]->n_attribute,
        &functions[i]->attribute, (gpointer) "slope");
    node = model_builder_node (b, i ? "Inner" : "LeakyRelu", "", "a", "h");
    node->domain = (char *) (i ? "local" : "");
    attr = model_builder_attr (b, node, i ? "slope" : "alpha", 1);
    attr->ref_attr_name = (char *) "slope";
    model_builder_node (b, "Add", "", "h a", "b");
    functions[i]->node = b->graph.node;
    functions[i]->n_node = b->graph.n_node;
    b->graph.node = NULL;
    b->graph.n_node = 0;
    model_builder_append (b, &b->model.n_functions, &b->model.functions,
        functions[i]);
  }
  model_builder_input (b, "x", FLOAT, 2, 2, 3);
  node = model_builder_node (b, "Outer", "call", "x", "y");
  node->domain = (char *) "local";
  attr = model_builder_attr (b, node, "slope", 1);
  attr->has_f = TRUE;
  attr->f = 0.25f;
  model_builder_output (b, "y");
  return b;
}

/* What ONNX Runtime's optimizers leave. */
static ModelBuilder *
make_foreign (void)
{
  ModelBuilder *b = model_builder_new ();
  static const char *const nodes[][3] = { { "FusedMatMul", "x x", "m" },
    { "BiasGelu", "m scale", "g" },
    { "SkipLayerNormalization", "g x scale", "n" }, { "QuickGelu", "n", "y" } };
  Onnx__OperatorSetIdProto *import = model_builder_alloc (b, sizeof *import);

  onnx__operator_set_id_proto__init (import);
  import->domain = (char *) "com.microsoft";
  import->has_version = TRUE;
  import->version = 1;
  model_builder_append (b, &b->model.n_opset_import, &b->model.opset_import,
      import);
  model_builder_input (b, "x", FLOAT, 3, 1, 4, 4);
  model_builder_raw (b, model_builder_initializer (b, "scale", FLOAT, 1, 4),
      model_builder_alloc (b, 16), 16);
  for (guint i = 0; i < G_N_ELEMENTS (nodes); i++) {
    Onnx__NodeProto *node =
        model_builder_node (b, nodes[i][0], "", nodes[i][1], nodes[i][2]);

    node->domain = (char *) "com.microsoft";
    if (i == 0)
      add_int (b, node, "transB", 1);
  }
  model_builder_output (b, "y");
  return b;
}

static void
each_built (const char *name, ModelBuilder *builder, FuzzSeed each,
    gpointer data)
{
  g_autoptr (GBytes) bytes = model_builder_pack (builder);

  each (name, bytes, data);
  model_builder_free (builder);
}

void
fuzz_seeds (FuzzSeed each, gpointer data)
{
  each_case (each, data);
  for (guint i = 0; i < G_N_ELEMENTS (graphs); i++) {
    g_autoptr (FvIr) ir = ir_text_graph (graphs[i]);
    g_autoptr (GBytes) bytes = ir_text_pack (ir);
    g_autofree char *name = g_strdup_printf ("graph-%u.onnx", i);

    each (name, bytes, data);
  }
  each_built ("if.onnx", make_if (FALSE), each, data);
  each_built ("if-computed.onnx", make_if (TRUE), each, data);
  each_built ("nonzero.onnx", make_nonzero (), each, data);
  each_built ("shapes.onnx", make_shapes (), each, data);
  each_built ("nms.onnx", make_nms (), each, data);
  each_built ("foreign.onnx", make_foreign (), each, data);
  each_built ("functions.onnx", make_functions (), each, data);
}
