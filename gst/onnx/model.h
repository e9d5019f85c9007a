/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/onnx/array.h"

G_BEGIN_DECLS

typedef enum
{
  FV_ATTR_NONE,
  FV_ATTR_INT,
  FV_ATTR_FLOAT,
  FV_ATTR_STRING,
  FV_ATTR_INTS,
  FV_ATTR_FLOATS,
  FV_ATTR_STRINGS,
  FV_ATTR_TENSOR,
  FV_ATTR_GRAPH,
} FvAttrKind;

typedef struct _FvModelGraph FvModelGraph;

/* One attribute of a node, owned by the model. */
typedef struct
{
  char *name;
  FvAttrKind kind;
  gint64 i;
  float f;
  char *s; /* NUL-terminated; refused if the file has a NUL inside */
  guint n; /* of the lists */
  gint64 *ints;
  float *floats;
  char **strings; /* NULL-terminated */
  FvArray *tensor;
  FvModelGraph *graph;
  char *ref; /* (nullable) in a function's body: the call's attribute that gives
                the value; never in a model */
} FvAttr;

/* A node as the file has it; absent optional inputs and outputs are "". */
typedef struct
{
  char *name; /* unique; made up ("Conv_12") where the file has none */
  char *op_type;
  char *domain; /* "" for ai.onnx */
  char *overload; /* of the file's function that it called; "" for operators */
  guint opset; /* that the model imports for the domain */
  guint n_inputs, n_outputs, n_attrs;
  char **inputs;
  char **outputs;
  FvAttr *attrs;
} FvModelNode;

/* An input or output: size -1 is free, and symbols[i] may name it ("batch"). */
typedef struct
{
  char *name;
  FvType type;
  gboolean has_shape; /* FALSE: rank unknown */
  FvShape shape;
  char *symbols[FV_MAX_RANK]; /* (nullable) each */
} FvValueInfo;

typedef struct
{
  char *name;
  FvArray *array;
} FvInitializer;

/* Nodes stand in topological order; calls of the file's functions have become the
 * functions' nodes, named "call/node". Inputs exclude initializers. */
struct _FvModelGraph
{
  char *name;
  guint n_nodes, n_initializers, n_inputs, n_outputs;
  FvModelNode *nodes;
  FvInitializer *initializers;
  FvValueInfo *inputs;
  FvValueInfo *outputs;
};

/**
 * FvModel:
 *
 * An ONNX file in memory, checked for form and not for meaning.
 *
 * Life:    fv_model_load() or fv_model_parse(), then ref and unref; immutable.
 * Memory:  owns all it points to; initializers are FvArrays that share the
 *          file's bytes where alignment allows.
 * Threads: any, once loaded.
 * Errors:  FV_ERROR_NOT_FOUND, FV_ERROR_MALFORMED, FV_ERROR_TOO_LARGE,
 *          FV_ERROR_UNSUPPORTED (types such as string or bfloat16, opset 0).
 *          The file is hostile input: nothing in it makes this crash, recurse
 *          without limit, read outside of its folder, or take more memory than
 *          four times the file plus 64 MiB (tensors: 4 GiB).
 */
typedef struct
{
  gatomicrefcount ref;
  char *path; /* (nullable) as given */
  char *folder; /* (nullable) where external data may lie */
  gint64 ir_version;
  char *producer; /* name and version; "" when absent */
  guint opset; /* of ai.onnx */
  GHashTable *metadata; /* metadata_props: char * -> char * */
  FvModelGraph *graph;
  gsize file_size;
  gint64 n_parameters; /* elements of all initializers */
  gboolean is_spent; /* the initializers have no arrays any more */
} FvModel;

#define FV_TYPE_MODEL (fv_model_get_type ())
FV_API GType fv_model_get_type (void);

FV_API FvModel *fv_model_load (const char *path, GError **error);
/* @folder: (nullable): where external data may lie; NULL: refused. @name is
 * for messages. */
FV_API FvModel *fv_model_parse (GBytes *bytes, const char *folder,
    const char *name, GError **error);
FV_API FvModel *fv_model_ref (FvModel *model);
FV_API void fv_model_unref (FvModel *model); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvModel, fv_model_unref)

/* Drops the arrays of the graph's initializers. For the only user of a model, who
 * has made of it whatever will be made. */
FV_API void fv_model_drop_weights (FvModel *model);

/* (nullable) the attribute of that name */
FV_API const FvAttr *
fv_model_node_attr (const FvModelNode *node, const char *name);

/* The shapes of all inputs, with the sizes that the model leaves free: as @given says
 * (nullable; one per input, -1: the model decides); else as the size of the same
 * name (dim_param) in any input; else 1 for the first axis. Fails naming the input
 * where neither helps, and where sizes of one name would differ.
 * @bound: (out): as many as there are inputs */
FV_API gboolean fv_model_bind_shapes (FvModel *model, const FvShape *given,
    FvShape *bound, GError **error);

/* A serialized TensorProto (ONNX's test_data_set_N/input_0.pb).
 * @name: (out) (optional) (transfer full): the name inside the file */
FV_API FvArray *
fv_array_load_pb (const char *path, char **name, GError **error);

G_END_DECLS
