/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The importer on files that lie: one clear error each, within a second. */
#include "tests/fovea-test.h"
#include "tests/model-builder.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gint64 started;

static void
begin (void)
{
  started = g_get_monotonic_time ();
}

static void
in_time (void)
{
  ck_assert_int_lt (g_get_monotonic_time () - started, G_USEC_PER_SEC);
}

/* conv (x, w) -> y with a weight of four floats */
static ModelBuilder *
small_model (void)
{
  ModelBuilder *builder = model_builder_new ();
  model_builder_input (builder, "x", 1, 4, 1, 1, 8, 8);
  model_builder_node (builder, "Conv", "conv", "x w", "y");
  model_builder_raw (builder,
      model_builder_initializer (builder, "w", 1, 4, 1, 1, 2, 2),
      (float[]){ 1, 2, 3, 4 }, 16);
  model_builder_output (builder, "y");
  return builder;
}

static void
refused (ModelBuilder *builder, FvError code, const char *text)
{
  GError *error = NULL;
  FvModel *model = model_builder_parse (builder, &error);
  ck_assert_ptr_null (model);
  fv_test_error (&error, code, text);
}

static void
refused_file (const char *path, FvError code, const char *text)
{
  GError *error = NULL;
  begin ();
  ck_assert_ptr_null (fv_model_load (path, &error));
  in_time ();
  fv_test_error (&error, code, text);
}

static char *
write_model (ModelBuilder *builder, const char *name)
{
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  return fv_test_write (name, g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes));
}

START_TEST (not_a_model)
{
  refused_file ("/nowhere/model.onnx", FV_ERROR_NOT_FOUND,
      "'/nowhere/model.onnx' cannot be opened: No such file");
  refused_file (fv_test_folder (), FV_ERROR_NOT_FOUND, "is a folder");
  g_autofree char *pipe = fv_test_path ("pipe");
  ck_assert_int_eq (mkfifo (pipe, 0600), 0);
  refused_file (pipe, FV_ERROR_NOT_FOUND, "pipe");
  g_autofree char *empty = fv_test_write ("empty.onnx", "", 0);
  refused_file (empty, FV_ERROR_MALFORMED, "empty");
  static const guint8 png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
  g_autofree char *image = fv_test_write ("png.onnx", png, sizeof png);
  refused_file (image, FV_ERROR_MALFORMED, "a PNG image");
  static const char pointer[] = "version https://git-lfs.github.com/spec/v1\n";
  g_autofree char *lfs = fv_test_write ("lfs.onnx", pointer, sizeof pointer);
  refused_file (lfs, FV_ERROR_MALFORMED, "Git LFS pointer");
  static const char labels[] = "person\nbicycle\ncar\n";
  g_autofree char *text = fv_test_write ("l.onnx", labels, sizeof labels - 1);
  refused_file (text, FV_ERROR_MALFORMED, "damaged, cut short");
}
END_TEST

START_TEST (truncated)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  for (gsize n = 1; n < g_bytes_get_size (bytes); n++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 0, n);
    g_autoptr (GError) error = NULL;
    g_autoptr (FvModel) model = fv_model_parse (part, NULL, "cut.onnx", &error);
    ck_assert_msg (model == NULL, "%" G_GSIZE_FORMAT " bytes are a model", n);
    ck_assert (error != NULL && strstr (error->message, "'cut.onnx': "));
  }
}
END_TEST

START_TEST (random_bytes)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (_i);
  guint8 data[4096];
  for (gsize i = 0; i < sizeof data; i++)
    data[i] = g_rand_int (random);
  g_autofree char *path = fv_test_write ("random.onnx", data, sizeof data);
  begin ();
  g_autoptr (GError) error = NULL;
  ck_assert_ptr_null (fv_model_load (path, &error));
  ck_assert_ptr_nonnull (error);
  g_clear_error (&error);
  ck_assert_ptr_null (fv_array_load_pb (path, NULL, &error));
  ck_assert_ptr_nonnull (error);
  in_time ();
}
END_TEST

/* Whatever a changed file gives, it ends well. */
static void
shake (GBytes *bytes, guint32 seed, guint rounds)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  for (guint i = 0; i < rounds; i++) {
    guint8 *copy = g_memdup2 (data, size);
    guint flips = 1 + g_rand_int_range (random, 0, 8);
    for (guint k = 0; k < flips; k++)
      copy[g_rand_int_range (random, 0, size)] =
          g_rand_int_range (random, 0, 256);
    gsize length =
        i % 4 == 0 ? (gsize) g_rand_int_range (random, 1, size) : size;
    g_autoptr (GBytes) changed = g_bytes_new_take (copy, length);
    g_autoptr (GError) error = NULL;
    g_autoptr (FvModel) model =
        fv_model_parse (changed, fv_test_folder (), "shaken", &error);
    ck_assert ((model == NULL) == (error != NULL));
    ck_assert (error == NULL || g_utf8_validate (error->message, -1, NULL));
  }
}

START_TEST (bit_flips)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  Onnx__NodeProto *node = model_builder_node (builder, "If", "", "x", "z");
  Onnx__AttributeProto *attr = model_builder_attr (builder, node, "g", 5);
  gsize size = onnx__graph_proto__get_packed_size (&builder->graph);
  attr->g = model_builder_alloc (builder, sizeof *attr->g);
  attr->g[0].data = model_builder_alloc (builder, size);
  attr->g[0].len = onnx__graph_proto__pack (&builder->graph, attr->g[0].data);
  attr->n_g = 1;
  model_builder_external (builder,
      model_builder_initializer (builder, "e", 1, 1, 2), "location", "w");
  g_autoptr (GBytes) bytes = model_builder_pack (builder);
  shake (bytes, 1, 20000);
}
END_TEST

START_TEST (bit_flips_in_real_models)
{
  static const char *const names[] = {
    "zoo/resnet18_tv_op11_160x192/model.onnx",
    "zoo/mobilenetv2_tv_op11_160_int8/model.onnx",
    "material/models/mp_selfie_segmentation_landscape/model.onnx"
  };
  g_autofree char *path = fv_test_shared (names[_i]);
  if (path == NULL)
    return;
  char *data;
  gsize size;
  ck_assert (g_file_get_contents (path, &data, &size, NULL));
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, size);
  shake (bytes, 2 + _i, 300);
}
END_TEST

START_TEST (huge_tensor)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  model_builder_initializer (builder, "big", 1, 3, 1024, 1024, 768);
  GError *error = NULL;
  begin ();
  ck_assert_ptr_null (model_builder_parse (builder, &error));
  in_time ();
  fv_test_error (&error, FV_ERROR_MALFORMED,
      "initializer 'big' of shape [1024, 1024, 768] and type f32 needs "
      "805306368 values, the file holds 0");
}
END_TEST

START_TEST (overflowing_tensor)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  model_builder_initializer (builder, "big", 1, 4, 1 << 30, 1 << 30, 1 << 30,
      1 << 30);
  refused (builder, FV_ERROR_TOO_LARGE, "initializer 'big'");
}
END_TEST

START_TEST (bad_sizes)
{
  g_autoptr (ModelBuilder) negative = small_model ();
  negative->graph.initializer[0]->dims[2] = -2;
  refused (negative, FV_ERROR_MALFORMED, "has the size -2 in dimension 2");
  g_autoptr (ModelBuilder) mismatch = small_model ();
  mismatch->graph.initializer[0]->dims[2] = 3;
  refused (mismatch, FV_ERROR_MALFORMED, "needs 24 bytes, the file holds 16");
  g_autoptr (ModelBuilder) rank = small_model ();
  model_builder_initializer (rank, "r", 1, 7, 1, 1, 1, 1, 1, 1, 1);
  refused (rank, FV_ERROR_UNSUPPORTED, "has 7 dimensions, at most 6");
  g_autoptr (ModelBuilder) zero = small_model ();
  model_builder_input (zero, "z", 1, 2, 1, 0);
  refused (zero, FV_ERROR_UNSUPPORTED,
      "input 'z' has the size 0 in dimension 1");
  g_autoptr (ModelBuilder) input = small_model ();
  model_builder_input (input, "z", 1, 1, -5);
  refused (input, FV_ERROR_MALFORMED, "input 'z' has the size -5");
}
END_TEST

START_TEST (types)
{
  static const struct
  {
    int type;
    FvError code;
    const char *text;
  } bad[] = { { 16, FV_ERROR_UNSUPPORTED, "'t' is of type bfloat16" },
    { 8, FV_ERROR_UNSUPPORTED, "'t' is of type string" },
    { 22, FV_ERROR_UNSUPPORTED, "'t' is of type int4" },
    { 0, FV_ERROR_MALFORMED, "'t' has the element type number 0" },
    { -3, FV_ERROR_MALFORMED, "'t' has the element type number -3" },
    { 99, FV_ERROR_MALFORMED, "'t' has the element type number 99" } };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (ModelBuilder) weight = small_model ();
    model_builder_initializer (weight, "t", bad[i].type, 1, 1);
    refused (weight, bad[i].code, bad[i].text);
    g_autoptr (ModelBuilder) input = small_model ();
    model_builder_input (input, "t", bad[i].type, 1, 1);
    refused (input, bad[i].code, bad[i].text);
  }
}
END_TEST

static void
put (GByteArray *reversed, const guint8 *data, gsize size)
{
  for (gsize i = size; i > 0; i--)
    g_byte_array_append (reversed, &data[i - 1], 1);
}

/* Puts the tag of a message field, and its length, before what is there. */
static void
wrap (GByteArray *reversed, guint field)
{
  guint8 head[12];
  gsize n = 0;
  head[n++] = field << 3 | 2;
  for (gsize length = reversed->len; n < sizeof head; length >>= 7) {
    head[n++] = (length & 127) | (length > 127 ? 128 : 0);
    if (length < 128)
      break;
  }
  put (reversed, head, n);
}

START_TEST (deep_subgraphs)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  for (guint i = 0; i < 10000; i++) {
    wrap (file, 6); /* attribute's graph */
    put (file, (const guint8 *) "\x0a\x01g\xa0\x01\x05", 6);
    wrap (file, 5); /* node's attribute */
    put (file, (const guint8 *) "\x12\x01y\x22\x02If", 7);
    wrap (file, 1); /* graph's node */
  }
  wrap (file, 7); /* model's graph */
  put (file, (const guint8 *) "\x42\x02\x10\x11", 4);
  for (gsize i = 0; i < file->len / 2; i++) {
    guint8 byte = file->data[i];
    file->data[i] = file->data[file->len - 1 - i];
    file->data[file->len - 1 - i] = byte;
  }
  g_autofree char *path = fv_test_write ("deep.onnx", file->data, file->len);
  refused_file (path, FV_ERROR_TOO_LARGE, "nested deeper than 16");
}
END_TEST

START_TEST (many_empty_nodes)
{
  const gsize n = 4 << 20;
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_byte_array_set_size (file, 2 * n);
  for (gsize i = 0; i < n; i++) {
    file->data[2 * i] = 1 << 3 | 2;
    file->data[2 * i + 1] = 0;
  }
  static const guint8 head[] = { 7 << 3 | 2, 0x80, 0x80, 0x80, 4 };
  g_byte_array_prepend (file, head, sizeof head);
  g_autofree char *path = fv_test_write ("nodes.onnx", file->data, file->len);
  refused_file (path, FV_ERROR_TOO_LARGE, "takes more memory to unpack");
}
END_TEST

START_TEST (graphs)
{
  g_autoptr (ModelBuilder) cycle = small_model ();
  model_builder_node (cycle, "Add", "one", "x b", "a");
  model_builder_node (cycle, "Relu", "two", "a", "b");
  refused (cycle, FV_ERROR_MALFORMED, "node 'two' (Relu) stands in a cycle");
  g_autoptr (ModelBuilder) self = small_model ();
  model_builder_node (self, "Relu", "self", "s", "s");
  refused (self, FV_ERROR_MALFORMED, "node 'self' (Relu) stands in a cycle");
  g_autoptr (ModelBuilder) twice = small_model ();
  model_builder_node (twice, "Relu", "again", "x", "y");
  refused (twice, FV_ERROR_MALFORMED,
      "node 'again': its output 'y' is already written by conv");
  g_autoptr (ModelBuilder) over = small_model ();
  model_builder_node (over, "Relu", "again", "x", "w");
  refused (over, FV_ERROR_MALFORMED, "already written by an input or init");
  g_autoptr (ModelBuilder) undefined = small_model ();
  model_builder_node (undefined, "Relu", "lost", "q", "r");
  refused (undefined, FV_ERROR_MALFORMED,
      "node 'lost' (Relu): its input 'q' is written by no node");
  g_autoptr (ModelBuilder) output = small_model ();
  model_builder_output (output, "nothing");
  refused (output, FV_ERROR_MALFORMED, "output 'nothing' is written by no");
  g_autoptr (ModelBuilder) none = small_model ();
  none->graph.n_output = 0;
  refused (none, FV_ERROR_MALFORMED, "no output");
  g_autoptr (ModelBuilder) same = small_model ();
  model_builder_append (same, &same->graph.n_initializer,
      &same->graph.initializer, same->graph.initializer[0]);
  refused (same, FV_ERROR_MALFORMED, "'w' stands there twice");
}
END_TEST

/* Names made for one value of djb2, that of g_str_hash(). */
START_TEST (names_of_one_hash)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  const guint n = 1 << 15;
  Onnx__NodeProto **nodes =
      model_builder_alloc (builder, (n + 1) * sizeof *nodes);
  nodes[0] = builder->graph.node[0];
  for (guint i = 0; i < n; i++) {
    char name[2 * 15 + 1] = { 0 };
    for (guint bit = 0; bit < 15; bit++)
      memcpy (name + 2 * bit, i >> bit & 1 ? "Ab" : "BA", 2);
    nodes[i + 1] = model_builder_node (builder, "Relu", "", "x", name);
    builder->graph.n_node = 1; /* appending one by one would be slow */
  }
  builder->graph.node = nodes;
  builder->graph.n_node = n + 1;
  GError *error = NULL;
  begin ();
  g_autoptr (FvModel) model = model_builder_parse (builder, &error);
  in_time ();
  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
}
END_TEST

START_TEST (models)
{
  static const int opsets[] = { -1, 0, 6, 24 };
  for (guint i = 0; i < G_N_ELEMENTS (opsets); i++) {
    g_autoptr (ModelBuilder) opset = small_model ();
    opset->model.opset_import[0]->version = opsets[i];
    g_autofree char *text = g_strdup_printf ("opset %d, 7 to 23", opsets[i]);
    refused (opset, FV_ERROR_UNSUPPORTED, text);
  }
  g_autoptr (ModelBuilder) unknown = small_model ();
  unknown->model.n_opset_import = 0;
  refused (unknown, FV_ERROR_UNSUPPORTED, "does not say which ONNX opset");
  g_autoptr (ModelBuilder) two = small_model ();
  model_builder_append (two, &two->model.n_graph, &two->model.graph,
      &two->graph);
  refused (two, FV_ERROR_MALFORMED, "2 graphs");
  g_autoptr (ModelBuilder) none = small_model ();
  none->model.n_graph = 0;
  refused (none, FV_ERROR_MALFORMED, "holds no graph");
  g_autoptr (ModelBuilder) text = small_model ();
  text->graph.node[0]->name = "caf\xe9";
  refused (text, FV_ERROR_MALFORMED, "is not UTF-8");
  g_autoptr (ModelBuilder) sparse = small_model ();
  ProtobufCBinaryData nothing = { 0 };
  sparse->graph.n_sparse_initializer = 1;
  sparse->graph.sparse_initializer = &nothing;
  refused (sparse, FV_ERROR_UNSUPPORTED, "sparse initializers");
}
END_TEST

START_TEST (attributes)
{
  g_autoptr (ModelBuilder) twice = small_model ();
  model_builder_attr (twice, twice->graph.node[0], "group", 2);
  model_builder_attr (twice, twice->graph.node[0], "group", 2);
  refused (twice, FV_ERROR_MALFORMED,
      "node 'conv' (Conv): attribute 'group' stands there twice");
  g_autoptr (ModelBuilder) kind = small_model ();
  model_builder_attr (kind, kind->graph.node[0], "graphs", 10);
  refused (kind, FV_ERROR_UNSUPPORTED, "'graphs' is a list of graphs");
  g_autoptr (ModelBuilder) number = small_model ();
  model_builder_attr (number, number->graph.node[0], "a", 77);
  refused (number, FV_ERROR_MALFORMED, "'a' has the type number 77");
  g_autoptr (ModelBuilder) missing = small_model ();
  model_builder_attr (missing, missing->graph.node[0], "t", 4);
  refused (missing, FV_ERROR_MALFORMED, "'t' must hold one value, it holds 0");
  g_autoptr (ModelBuilder) nul = small_model ();
  Onnx__AttributeProto *attr =
      model_builder_attr (nul, nul->graph.node[0], "s", 3);
  attr->has_s = TRUE;
  attr->s = (ProtobufCBinaryData){ 3, (guint8 *) "a\0b" };
  refused (nul, FV_ERROR_MALFORMED, "'s' is no text");
}
END_TEST

static void
refused_external (const char *location, const char *offset, const char *length,
    FvError code, const char *text)
{
  g_autoptr (ModelBuilder) builder = small_model ();
  Onnx__TensorProto *tensor = model_builder_initializer (builder, "e", 1, 1, 4);
  if (location != NULL)
    model_builder_external (builder, tensor, "location", location);
  if (offset != NULL)
    model_builder_external (builder, tensor, "offset", offset);
  if (length != NULL)
    model_builder_external (builder, tensor, "length", length);
  tensor->has_data_location = TRUE;
  tensor->data_location = 1;
  g_autofree char *path = write_model (builder, "external.onnx");
  refused_file (path, code, text);
}

START_TEST (external_paths)
{
  static const char *const upwards[] = { "../../etc/passwd", "/etc/passwd",
    "a/../../etc/passwd", "..\\x", "..", "" };
  for (guint i = 0; i < G_N_ELEMENTS (upwards); i++)
    refused_external (upwards[i], NULL, NULL, FV_ERROR_MALFORMED,
        "is not a path inside of the model's folder");
  g_autofree char *file = fv_test_path ("link.bin");
  g_autofree char *folder = fv_test_path ("linked");
  ck_assert_int_eq (symlink ("/etc/passwd", file), 0);
  ck_assert_int_eq (symlink ("/etc", folder), 0);
  refused_external ("link.bin", NULL, NULL, FV_ERROR_MALFORMED,
      "a link that leads out of the model's folder");
  refused_external ("linked/passwd", NULL, NULL, FV_ERROR_MALFORMED,
      "a link that leads out of the model's folder");
  refused_external ("absent.bin", NULL, NULL, FV_ERROR_NOT_FOUND,
      "'absent.bin', which cannot be opened");
  refused_external (NULL, NULL, NULL, FV_ERROR_MALFORMED, "none is named");
  g_autofree char *pipe = fv_test_path ("data.pipe");
  ck_assert_int_eq (mkfifo (pipe, 0600), 0);
  refused_external ("data.pipe", NULL, NULL, FV_ERROR_NOT_FOUND,
      "not a regular file");
}
END_TEST

START_TEST (external_ranges)
{
  guint8 data[20] = { 0 };
  g_autofree char *file = fv_test_write ("e.bin", data, sizeof data);
  refused_external ("e.bin", "5", NULL, FV_ERROR_MALFORMED,
      "needs 16 bytes at offset 5 of the file 'e.bin', which has 20");
  refused_external ("e.bin", "9223372036854775807", NULL, FV_ERROR_MALFORMED,
      "at offset 9223372036854775807");
  refused_external ("e.bin", "-4", NULL, FV_ERROR_MALFORMED,
      "external offset '-4', which is not a number");
  refused_external ("e.bin", "99999999999999999999", NULL, FV_ERROR_MALFORMED,
      "which is not a number");
  refused_external ("e.bin", "0", "12", FV_ERROR_MALFORMED,
      "needs 16 bytes, its external length is 12");
  refused_external ("e.bin", "x", NULL, FV_ERROR_MALFORMED,
      "external offset 'x'");
  g_autoptr (ModelBuilder) builder = small_model ();
  model_builder_external (builder,
      model_builder_initializer (builder, "e", 1, 1, 2), "location", "e.bin");
  refused (builder, FV_ERROR_UNSUPPORTED, "no folder to look in");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("onnx-hostile");
  TCase *tests = tcase_create ("onnx-hostile");
  tcase_add_test (tests, not_a_model);
  tcase_add_test (tests, truncated);
  tcase_add_loop_test (tests, random_bytes, 0, 50);
  tcase_add_test (tests, bit_flips);
  tcase_add_loop_test (tests, bit_flips_in_real_models, 0, 3);
  tcase_add_test (tests, huge_tensor);
  tcase_add_test (tests, overflowing_tensor);
  tcase_add_test (tests, bad_sizes);
  tcase_add_test (tests, types);
  tcase_add_test (tests, deep_subgraphs);
  tcase_add_test (tests, many_empty_nodes);
  tcase_add_test (tests, graphs);
  tcase_add_test (tests, names_of_one_hash);
  tcase_add_test (tests, models);
  tcase_add_test (tests, attributes);
  tcase_add_test (tests, external_paths);
  tcase_add_test (tests, external_ranges);
  suite_add_tcase (suite, tests);
  return fv_test_run (suite);
}
