/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/element-models.h"
#include "tests/element-test.h"
#include "tests/model-builder.h"

#define FLOAT 1
#define INT64 7
#define SIZE ELEMENT_MODEL_SIZE

static char *
write_model (ModelBuilder *builder, const char *name)
{
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  char *path = element_test_path (name);

  ck_assert (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
      (gssize) g_bytes_get_size (bytes), NULL));
  return path;
}

static ModelBuilder *
image_model (gboolean is_free)
{
  ModelBuilder *builder = model_builder_new ();
  Onnx__ValueInfoProto *input =
      model_builder_input (builder, "image", FLOAT, 4, 1, 3, SIZE, SIZE);
  Onnx__TensorShapeProto *shape = input->type[0]->tensor_type[0]->shape[0];

  if (is_free)
    shape->dim[2]->has_dim_value = shape->dim[3]->has_dim_value = FALSE;
  return builder;
}

/* An output whose type is told and whose shape is not. */
static void
add_typed_output (ModelBuilder *builder, const char *name, gint type)
{
  Onnx__ValueInfoProto *info = model_builder_output (builder, name);
  Onnx__TypeProto *outer = model_builder_alloc (builder, sizeof *outer);
  Onnx__TensorTypeProto *tensor = model_builder_alloc (builder, sizeof *tensor);

  onnx__type_proto__init (outer);
  onnx__tensor_type_proto__init (tensor);
  tensor->has_elem_type = TRUE;
  tensor->elem_type = type;
  model_builder_append (builder, &outer->n_tensor_type, &outer->tensor_type,
      tensor);
  model_builder_append (builder, &info->n_type, &info->type, outer);
}

static void
add_output (ModelBuilder *builder, const char *name)
{
  add_typed_output (builder, name, FLOAT);
}

/* An attribute of @n times @value. */
static void
set_ints (ModelBuilder *builder, Onnx__NodeProto *node, const char *name,
    guint n, gint64 value)
{
  Onnx__AttributeProto *attr =
      model_builder_attr (builder, node, name, 7); /* INTS */

  attr->n_ints = n;
  attr->ints = model_builder_alloc (builder, n * sizeof *attr->ints);
  for (guint i = 0; i < n; i++)
    attr->ints[i] = value;
}

/* The mean of the channels at each pixel: [1, 1, h, w]. */
static void
add_mean (ModelBuilder *builder, const char *output)
{
  set_ints (builder,
      model_builder_node (builder, "ReduceMean", "mean", "image", output),
      "axes", 1, 1);
}

static void
add_floats (ModelBuilder *builder, const char *name, float a, float b)
{
  const float values[] = { a, b };

  model_builder_raw (builder,
      model_builder_initializer (builder, name, FLOAT, 4, 1, 2, 1, 1), values,
      sizeof values);
}

char *
element_model_segment (const char *name, gboolean is_free)
{
  g_autoptr (ModelBuilder) builder = image_model (is_free);

  add_mean (builder, "luma");
  add_floats (builder, "scale", -1.0f, 1.0f);
  add_floats (builder, "shift", 0.5f, -0.5f);
  model_builder_node (builder, "Mul", "mul", "luma scale", "scaled");
  model_builder_node (builder, "Add", "add", "scaled shift", "seg");
  add_output (builder, "seg");
  return write_model (builder, name);
}

char *
element_model_matte (const char *name)
{
  g_autoptr (ModelBuilder) builder = image_model (FALSE);

  add_mean (builder, "seg");
  add_output (builder, "seg");
  return write_model (builder, name);
}

static char *
depth_model (const char *name, gboolean is_free)
{
  g_autoptr (ModelBuilder) builder = image_model (is_free);

  add_mean (builder, "depth");
  add_output (builder, "depth");
  return write_model (builder, name);
}

char *
element_model_depth (const char *name)
{
  return depth_model (name, FALSE);
}

char *
element_model_free_depth (const char *name)
{
  return depth_model (name, TRUE);
}

char *
element_model_raw (const char *name)
{
  static const gint64 sizes[] = { 1, 2, 2, SIZE / 2, SIZE / 2 };
  g_autoptr (ModelBuilder) builder = image_model (FALSE);
  Onnx__TensorProto *shape =
      model_builder_initializer (builder, "shape", INT64, 1, 5);

  add_mean (builder, "plane");
  model_builder_raw (builder, shape, sizes, sizeof sizes);
  model_builder_node (builder, "Reshape", "reshape", "plane shape", "blocks");
  add_output (builder, "blocks");
  return write_model (builder, name);
}

char *
element_model_classify (const char *name)
{
  static const float ten[] = { 10 };
  g_autoptr (ModelBuilder) builder = image_model (FALSE);
  Onnx__TensorProto *scale =
      model_builder_initializer (builder, "scale", FLOAT, 1, 1);

  model_builder_raw (builder, scale, ten, sizeof ten);
  model_builder_node (builder, "GlobalAveragePool", "pool", "image", "mean");
  model_builder_node (builder, "Mul", "mul", "mean scale", "scaled");
  model_builder_node (builder, "Flatten", "flatten", "scaled", "flat");
  model_builder_node (builder, "Softmax", "softmax", "flat", "probabilities");
  add_output (builder, "probabilities");
  return write_model (builder, name);
}

#define CANDIDATES 21 /* of strides 8, 16 and 32 */

static void
add_metadata (ModelBuilder *builder, const char *key, const char *value)
{
  Onnx__StringStringEntryProto *entry =
      model_builder_alloc (builder, sizeof *entry);

  onnx__string_string_entry_proto__init (entry);
  entry->key = model_builder_text (builder, key);
  entry->value = model_builder_text (builder, value);
  model_builder_append (builder, &builder->model.n_metadata_props,
      &builder->model.metadata_props, entry);
}

char *
element_model_detect (const char *name)
{
  static const gint64 sizes[] = { 1, 3, 1 };
  float boxes[4][CANDIDATES] = { { 16, 10 }, { 16, 14 }, { 16, 8 }, { 8, 8 } };
  float share[CANDIDATES] = { 1.f, 0.6f };
  g_autoptr (ModelBuilder) builder = image_model (FALSE);
  Onnx__TensorProto *tensor;
  Onnx__AttributeProto *axis;

  tensor =
      model_builder_initializer (builder, "boxes", FLOAT, 3, 1, 4, CANDIDATES);
  model_builder_raw (builder, tensor, boxes, sizeof boxes);
  tensor =
      model_builder_initializer (builder, "share", FLOAT, 3, 1, 1, CANDIDATES);
  model_builder_raw (builder, tensor, share, sizeof share);
  tensor = model_builder_initializer (builder, "shape", INT64, 1, 3);
  model_builder_raw (builder, tensor, sizes, sizeof sizes);
  model_builder_node (builder, "GlobalAveragePool", "pool", "image", "mean");
  model_builder_node (builder, "Reshape", "reshape", "mean shape", "column");
  model_builder_node (builder, "Mul", "mul", "column share", "scores");
  axis = model_builder_attr (builder,
      model_builder_node (builder, "Concat", "concat", "boxes scores",
          "output0"),
      "axis", 2); /* INT */

  axis->has_i = TRUE;
  axis->i = 1;
  add_output (builder, "output0");
  add_metadata (builder, "task", "detect");
  add_metadata (builder, "stride", "32");
  add_metadata (builder, "names", "{0: 'red', 1: 'green', 2: 'blue'}");
  return write_model (builder, name);
}

char *
element_model_suppress (const char *name)
{
  static const gint64 sizes[] = { 1, 3, 1 }, most[] = { 20 };
  static const float corners[] = { 8, 12, 24, 20, 9, 12, 24, 20 };
  static const float share[] = { 1, 0.6f }, overlap[] = { 0.5f };
  static const float lowest[] = { 0.25f };
  g_autoptr (ModelBuilder) builder = image_model (FALSE);

  model_builder_raw (builder,
      model_builder_initializer (builder, "corners", FLOAT, 3, 1, 2, 4),
      corners, sizeof corners);
  model_builder_raw (builder,
      model_builder_initializer (builder, "share", FLOAT, 3, 1, 1, 2), share,
      sizeof share);
  model_builder_raw (builder,
      model_builder_initializer (builder, "shape", INT64, 1, 3), sizes,
      sizeof sizes);
  model_builder_raw (builder,
      model_builder_initializer (builder, "most", INT64, 1, 1), most,
      sizeof most);
  model_builder_raw (builder,
      model_builder_initializer (builder, "overlap", FLOAT, 1, 1), overlap,
      sizeof overlap);
  model_builder_raw (builder,
      model_builder_initializer (builder, "lowest", FLOAT, 1, 1), lowest,
      sizeof lowest);
  model_builder_node (builder, "GlobalAveragePool", "pool", "image", "mean");
  model_builder_node (builder, "Reshape", "reshape", "mean shape", "column");
  model_builder_node (builder, "Mul", "mul", "column share", "scores");
  model_builder_node (builder, "Identity", "same", "corners", "boxes");
  model_builder_node (builder, "NonMaxSuppression", "nms",
      "boxes scores most overlap lowest", "selected");
  add_output (builder, "boxes");
  add_output (builder, "scores");
  add_typed_output (builder, "selected", INT64);
  return write_model (builder, name);
}

static void
set_axis (ModelBuilder *builder, Onnx__NodeProto *node, gint64 axis)
{
  Onnx__AttributeProto *attr =
      model_builder_attr (builder, node, "axis", 2); /* INT */

  attr->has_i = TRUE;
  attr->i = axis;
}

char *
element_model_numbers (const char *name)
{
  g_autoptr (ModelBuilder) builder = image_model (FALSE);

  add_mean (builder, "luma");
  add_floats (builder, "scale", -1.0f, 1.0f);
  add_floats (builder, "shift", 0.5f, -0.5f);
  model_builder_node (builder, "Mul", "mul", "luma scale", "scaled");
  model_builder_node (builder, "Add", "add", "scaled shift", "logits");
  set_axis (builder,
      model_builder_node (builder, "ArgMax", "argmax", "logits", "seg"), 1);
  model_builder_output (builder, "seg");
  return write_model (builder, name);
}

/* Red, green, blue and their mean, times 20, with 0 at one half: [1, 4, h, w]. */
static void
add_colours (ModelBuilder *builder, const char *output)
{
  static const float values[] = { 20, -10 };

  add_mean (builder, "luma");
  model_builder_raw (builder,
      model_builder_initializer (builder, "gain", FLOAT, 1, 1), &values[0],
      sizeof *values);
  model_builder_raw (builder,
      model_builder_initializer (builder, "middle", FLOAT, 1, 1), &values[1],
      sizeof *values);
  set_axis (builder,
      model_builder_node (builder, "Concat", "all", "image luma", "colours"),
      1);
  model_builder_node (builder, "Mul", "gained", "colours gain", "bright");
  model_builder_node (builder, "Add", "shifted", "bright middle", output);
}

/* What is known already, [1, n, m], as if the frame had a say in it: constants are
 * no outputs of the device. */
static void
add_known (ModelBuilder *builder, const char *known, const char *output)
{
  static const gint64 sizes[] = { 1, 3, 1 };
  static const float little[] = { 1e-6f, 1e-6f, 1e-6f };
  g_autofree char *inputs = NULL;
  Onnx__TensorProto *tensor =
      model_builder_initializer (builder, "column_shape", INT64, 1, 3);

  model_builder_raw (builder, tensor, sizes, sizeof sizes);
  tensor = model_builder_initializer (builder, "little", FLOAT, 3, 1, 1, 3);
  model_builder_raw (builder, tensor, little, sizeof little);
  model_builder_node (builder, "GlobalAveragePool", "pool", "image", "mean");
  model_builder_node (builder, "Reshape", "column", "mean column_shape",
      "means");
  model_builder_node (builder, "MatMul", "sum", "little means", "hardly");
  inputs = g_strconcat (known, " hardly", NULL);
  model_builder_node (builder, "Add", "said", inputs, output);
}

char *
element_model_prototypes (const char *name)
{
  float values[10][CANDIDATES] = { { 0 } };
  g_autoptr (ModelBuilder) builder = image_model (FALSE);
  Onnx__TensorProto *tensor;

  for (guint c = 0; c < 2; c++) {
    values[0][c] = values[1][c] = SIZE / 2;
    values[2][c] = values[3][c] = SIZE;
    values[4 + c][c] = c ? 0.75f : 0.875f; /* score of its class */
    values[6 + c][c] = 1; /* coefficient of its colour */
  }
  tensor =
      model_builder_initializer (builder, "found", FLOAT, 3, 1, 10, CANDIDATES);
  model_builder_raw (builder, tensor, values, sizeof values);
  add_known (builder, "found", "output0");
  add_colours (builder, "output1");
  add_output (builder, "output0");
  add_output (builder, "output1");
  add_metadata (builder, "task", "segment");
  add_metadata (builder, "stride", "32");
  add_metadata (builder, "names", "{0: 'red', 1: 'green'}");
  return write_model (builder, name);
}

char *
element_model_queries (const char *name)
{
  float logits[4][4] = { { 0 } };
  g_autoptr (ModelBuilder) builder = image_model (FALSE);
  Onnx__TensorProto *tensor;

  for (guint q = 0; q < 4; q++)
    logits[q][q] = 6;
  tensor = model_builder_initializer (builder, "known", FLOAT, 3, 1, 4, 4);
  model_builder_raw (builder, tensor, logits, sizeof logits);
  add_known (builder, "known", "class_queries_logits");
  add_colours (builder, "masks_queries_logits");
  add_output (builder, "class_queries_logits");
  add_output (builder, "masks_queries_logits");
  return write_model (builder, name);
}

char *
element_model_clip (const char *name)
{
  g_autoptr (ModelBuilder) builder = model_builder_new ();

  model_builder_input (builder, "clip", FLOAT, 5, 1, 3, 8, SIZE, SIZE);
  model_builder_node (builder, "GlobalAveragePool", "pool", "clip", "mean");
  model_builder_node (builder, "Flatten", "flatten", "mean", "scores");
  add_output (builder, "scores");
  return write_model (builder, name);
}

char *
element_model_unknown (const char *name)
{
  g_autoptr (ModelBuilder) builder = image_model (FALSE);

  model_builder_node (builder, "Frobnicate", "odd_one", "image", "seg");
  add_output (builder, "seg");
  return write_model (builder, name);
}

static void
add_weights (ModelBuilder *builder, const char *name, guint out, guint in,
    guint size)
{
  guint n = out * in * size * size;
  float *values = model_builder_alloc (builder, n * sizeof *values);

  for (guint i = 0; i < n; i++)
    values[i] = (float) ((gint) (i * 37 % 17) - 8) / 8.0f;
  model_builder_raw (builder,
      model_builder_initializer (builder, name, FLOAT, 4, out, in, size, size),
      values, n * sizeof *values);
}

static void
add_conv (ModelBuilder *builder, const char *name, const char *inputs,
    const char *output, guint pad)
{
  set_ints (builder, model_builder_node (builder, "Conv", name, inputs, output),
      "pads", 4, pad);
}

char *
element_model_ten (const char *name)
{
  static const float scales[] = { 1, 1, 2, 2 };
  g_autoptr (ModelBuilder) builder = image_model (FALSE);
  Onnx__NodeProto *node;

  model_builder_raw (builder,
      model_builder_initializer (builder, "scales", FLOAT, 1, 4), scales,
      sizeof scales);
  add_weights (builder, "w1", 4, 3, 3);
  add_weights (builder, "w2", 4, 4, 3);
  add_weights (builder, "w3", 2, 8, 1);
  add_conv (builder, "conv1", "image w1", "c1", 1);
  model_builder_node (builder, "Relu", "relu", "c1", "r1");
  node = model_builder_node (builder, "MaxPool", "pool", "r1", "p1");
  set_ints (builder, node, "kernel_shape", 2, 2);
  set_ints (builder, node, "strides", 2, 2);
  add_conv (builder, "conv2", "p1 w2", "c2", 1);
  model_builder_node (builder, "Sigmoid", "sigmoid", "c2", "s2");
  model_builder_node (builder, "Mul", "mul", "c2 s2", "m2");
  model_builder_node (builder, "Resize", "resize", "m2 - scales", "u2");
  node = model_builder_node (builder, "Concat", "concat", "r1 u2", "both");
  model_builder_int (builder, node, "axis", 1);
  add_conv (builder, "conv3", "both w3", "c3", 0);
  model_builder_node (builder, "Tanh", "tanh", "c3", "seg");
  add_output (builder, "seg");
  return write_model (builder, name);
}
