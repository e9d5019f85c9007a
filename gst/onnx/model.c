/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/onnx/model.h"
#include "gst/onnx/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_BOXED_TYPE (FvModel, fv_model, fv_model_ref, fv_model_unref)

static void
free_values (FvValueInfo *values, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_free (values[i].name);
    for (guint k = 0; k < FV_MAX_RANK; k++)
      g_free (values[i].symbols[k]);
  }
  g_free (values);
}

static void
free_strings (char **strings, guint n)
{
  for (guint i = 0; strings != NULL && i < n; i++)
    g_free (strings[i]);
  g_free (strings);
}

static void
clear_attr (FvAttr *attr)
{
  g_free (attr->name);
  g_free (attr->ref);
  g_free (attr->s);
  g_free (attr->ints);
  g_free (attr->floats);
  free_strings (attr->strings, attr->n);
  fv_array_unref (attr->tensor);
  fv_model_graph_free (attr->graph);
}

void
fv_model_node_clear (FvModelNode *node)
{
  g_free (node->name);
  g_free (node->op_type);
  g_free (node->domain);
  g_free (node->overload);
  free_strings (node->inputs, node->n_inputs);
  free_strings (node->outputs, node->n_outputs);
  for (guint i = 0; i < node->n_attrs; i++)
    clear_attr (&node->attrs[i]);
  g_free (node->attrs);
}

void
fv_model_graph_free (FvModelGraph *graph)
{
  if (graph == NULL)
    return;
  for (guint i = 0; i < graph->n_nodes; i++)
    fv_model_node_clear (&graph->nodes[i]);
  for (guint i = 0; i < graph->n_initializers; i++) {
    g_free (graph->initializers[i].name);
    fv_array_unref (graph->initializers[i].array);
  }
  free_values (graph->inputs, graph->n_inputs);
  free_values (graph->outputs, graph->n_outputs);
  g_free (graph->nodes);
  g_free (graph->initializers);
  g_free (graph->name);
  g_free (graph);
}

FvModel *
fv_model_ref (FvModel *model)
{
  g_atomic_ref_count_inc (&model->ref);
  return model;
}

void
fv_model_unref (FvModel *model)
{
  if (model == NULL || !g_atomic_ref_count_dec (&model->ref))
    return;
  fv_model_graph_free (model->graph);
  g_clear_pointer (&model->metadata, g_hash_table_unref);
  g_free (model->producer);
  g_free (model->folder);
  g_free (model->path);
  g_free (model);
}

void
fv_model_drop_weights (FvModel *model)
{
  for (guint i = 0; i < model->graph->n_initializers; i++)
    g_clear_pointer (&model->graph->initializers[i].array, fv_array_unref);
  model->is_spent = TRUE;
}

const FvAttr *
fv_model_node_attr (const FvModelNode *node, const char *name)
{
  for (guint i = 0; i < node->n_attrs; i++)
    if (strcmp (node->attrs[i].name, name) == 0)
      return &node->attrs[i];
  return NULL;
}

/* The whole of a regular file. Not mapped: a mapped file that someone cuts short
 * kills the reader. */
static GBytes *
read_file (const char *path, GError **error)
{
  /* O_NONBLOCK: opening a pipe would wait for a writer */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status;
  if (fd < 0 || fstat (fd, &status) != 0) {
    int saved = errno;
    if (fd >= 0)
      close (fd);
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
        "'%s' cannot be opened: %s", path, g_strerror (saved));
    return NULL;
  }
  guint8 *data = NULL;
  gssize n = 0, have = 0;
  if (!S_ISREG (status.st_mode)) {
    g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND, "'%s' is %s, not a file",
        path, S_ISDIR (status.st_mode) ? "a folder" : "a pipe or device");
  } else if (status.st_size > FV_MAX_FILE_BYTES
      || (data = g_try_malloc (MAX (status.st_size, 1))) == NULL) {
    g_set_error (error, FV_ERROR, FV_ERROR_TOO_LARGE,
        "'%s' has %" G_GINT64_FORMAT " bytes, more than the %" G_GINT64_FORMAT
        " MiB that protobuf allows or than there is memory",
        path, (gint64) status.st_size, FV_MAX_FILE_BYTES >> 20);
  } else {
    while (have < status.st_size) {
      n = read (fd, data + have, MIN (status.st_size - have, 1 << 30));
      if (n == 0 || (n < 0 && errno != EINTR))
        break;
      have += MAX (n, 0);
    }
    if (n < 0) {
      g_set_error (error, FV_ERROR, FV_ERROR_NOT_FOUND,
          "'%s' cannot be read: %s", path, g_strerror (errno));
      g_clear_pointer (&data, g_free);
    }
  }
  close (fd);
  return data != NULL ? g_bytes_new_take (data, have) : NULL;
}

/* (nullable) What a file that is no ONNX probably is. */
static const char *
guess_content (const guint8 *data, gsize size)
{
  static const struct
  {
    const char *magic, *name;
  } known[] = {
    { "\x89PNG", "a PNG image" },
    { "\xff\xd8\xff", "a JPEG image" },
    { "GIF8", "a GIF image" },
    { "RIFF", "a RIFF file (WebP, AVI, WAV)" },
    { "PK\x03\x04", "a ZIP archive (or a PyTorch checkpoint)" },
    { "\x1f\x8b", "a gzip archive" },
    { "\x93NUMPY", "a NumPy array" },
    { "version https://git-lfs", "a Git LFS pointer, not the file itself" },
    { "<!DOCTYPE", "a web page" },
    { "<html", "a web page" },
    { "<?xml", "an XML file" },
    { "\x7f"
      "ELF",
        "an ELF program" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    gsize n = strlen (known[i].magic);
    if (size >= n && memcmp (data, known[i].magic, n) == 0)
      return known[i].name;
  }
  if (size >= 8 && memcmp (data + 4, "TFL3", 4) == 0)
    return "a TensorFlow Lite model";
  return NULL;
}

gboolean
fv_parse_opsets (FvParser *parser, Onnx__OperatorSetIdProto *const *imports,
    gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++) {
    const Onnx__OperatorSetIdProto *import = imports[i];
    const char *domain = import->domain != NULL ? import->domain : "";
    gint64 version = import->version;
    if (strcmp (domain, "ai.onnx") == 0)
      domain = "";
    gpointer other = g_hash_table_lookup (parser->opsets, domain);
    if (other != NULL && GPOINTER_TO_UINT (other) != version)
      return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "the operators of domain '%s' are imported at two opsets", domain);
    if (domain[0] == '\0' && (version < FV_MIN_OPSET || version > FV_MAX_OPSET))
      return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
          "the model is of opset %" G_GINT64_FORMAT ", %d to %d are supported",
          version, FV_MIN_OPSET, FV_MAX_OPSET);
    if (version <= 0 || version > G_MAXINT)
      return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
          "domain '%s' is imported at opset %" G_GINT64_FORMAT, domain,
          version);
    g_hash_table_replace (parser->opsets, g_strdup (domain),
        GUINT_TO_POINTER (version));
  }
  if (!g_hash_table_contains (parser->opsets, ""))
    return fv_parser_fail (parser, error, FV_ERROR_UNSUPPORTED,
        "the file does not say which ONNX opset it uses");
  return TRUE;
}

static gboolean
parse_properties (FvParser *parser, Onnx__ModelProto *proto, FvModel *model,
    GError **error)
{
  model->metadata =
      g_hash_table_new_full (fv_name_hash, g_str_equal, g_free, g_free);
  for (gsize i = 0; i < proto->n_metadata_props; i++) {
    Onnx__StringStringEntryProto *entry = proto->metadata_props[i];
    char *key = fv_parser_string (parser, &entry->key, error);
    char *value =
        key != NULL ? fv_parser_string (parser, &entry->value, error) : NULL;
    if (value == NULL) {
      g_free (key);
      return FALSE;
    }
    g_hash_table_replace (model->metadata, key, value);
  }
  g_autofree char *name =
      fv_parser_string (parser, &proto->producer_name, error);
  if (name == NULL)
    return FALSE;
  g_autofree char *version =
      fv_parser_string (parser, &proto->producer_version, error);
  if (version == NULL)
    return FALSE;
  model->producer =
      g_strjoin (version[0] != '\0' ? " " : "", name, version, NULL);
  model->ir_version = proto->ir_version;
  return TRUE;
}

static gboolean
parse_model (FvParser *parser, Onnx__ModelProto *proto, FvModel *model,
    GError **error)
{
  if (proto->n_graph == 0)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "this is no ONNX model: it holds no graph");
  if (proto->n_graph > 1)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "the file holds %" G_GSIZE_FORMAT " graphs instead of one",
        proto->n_graph);
  if (!fv_parse_opsets (parser, proto->opset_import, proto->n_opset_import,
          error)
      || !parse_properties (parser, proto, model, error)
      || !fv_parse_functions (parser, proto, error))
    return FALSE;
  model->opset = GPOINTER_TO_UINT (g_hash_table_lookup (parser->opsets, ""));
  model->graph = fv_parse_graph (parser, proto->graph[0], 0, NULL, error);
  if (model->graph == NULL
      || !fv_inline_functions (parser, model->graph, error))
    return FALSE;
  if (model->graph->n_outputs == 0)
    return fv_parser_fail (parser, error, FV_ERROR_MALFORMED,
        "the graph has no output");
  model->n_parameters = parser->n_parameters;
  return TRUE;
}

FvModel *
fv_model_parse (GBytes *bytes, const char *folder, const char *name,
    GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  const char *content = guess_content (data, size);
  FvParser parser;
  fv_parser_init (&parser, name, folder, size);
  g_autoptr (FvModel) model = g_new0 (FvModel, 1);
  g_atomic_ref_count_init (&model->ref);
  model->folder = g_strdup (folder);
  model->file_size = size;
  Onnx__ModelProto *proto = NULL;
  gboolean done = FALSE;
  if (content != NULL)
    fv_parser_fail (&parser, error, FV_ERROR_MALFORMED,
        "this is no ONNX model: it looks like %s", content);
  else if (size == 0)
    fv_parser_fail (&parser, error, FV_ERROR_MALFORMED,
        "this is no ONNX model: the file is empty");
  else
    proto = (Onnx__ModelProto *) fv_parser_unpack (&parser,
        &onnx__model_proto__descriptor, data, size, "the model", error);
  if (proto != NULL) {
    done = parse_model (&parser, proto, model, error);
    onnx__model_proto__free_unpacked (proto, &parser.allocator);
  }
  fv_parser_clear (&parser);
  return done ? g_steal_pointer (&model) : NULL;
}

FvModel *
fv_model_load (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = read_file (path, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *folder = g_path_get_dirname (path);
  FvModel *model = fv_model_parse (bytes, folder, path, error);
  if (model != NULL)
    model->path = g_strdup (path);
  return model;
}

FvArray *
fv_array_load_pb (const char *path, char **name, GError **error)
{
  g_autoptr (GBytes) bytes = read_file (path, error);
  if (bytes == NULL)
    return NULL;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autofree char *folder = g_path_get_dirname (path);
  FvParser parser;
  fv_parser_init (&parser, path, folder, size);
  FvArray *array = NULL;
  g_autofree char *own_name = NULL;
  Onnx__TensorProto *proto = (Onnx__TensorProto *) fv_parser_unpack (&parser,
      &onnx__tensor_proto__descriptor, data, size, "the tensor", error);
  if (proto != NULL) {
    own_name = fv_parser_string (&parser, &proto->name, error);
    if (own_name != NULL)
      array = fv_parse_tensor (&parser, proto, "the tensor", error);
    onnx__tensor_proto__free_unpacked (proto, &parser.allocator);
  }
  fv_parser_clear (&parser);
  if (array != NULL && name != NULL)
    *name = g_steal_pointer (&own_name);
  return array;
}
