/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX files made in memory, valid or not. */
#pragma once

#include "gst/onnx/model.h"
#include "gst/onnx/onnx.pb-c.h"

G_BEGIN_DECLS

/* Messages may be changed freely between adding and packing; all of it is owned
 * by the builder. */
typedef struct
{
  Onnx__ModelProto model;
  Onnx__GraphProto graph;
  GPtrArray *memory;
} ModelBuilder;

/* A model of opset 17 with an empty graph. */
ModelBuilder *model_builder_new (void);
void model_builder_free (ModelBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ModelBuilder, model_builder_free)

/* Zero-filled memory with the builder's life. */
gpointer model_builder_alloc (ModelBuilder *builder, gsize size);
char *model_builder_text (ModelBuilder *builder, const char *text);
/* Appends to a message's repeated field. */
void model_builder_append (ModelBuilder *builder, gsize *n, gpointer list,
    gpointer item);

/* @inputs and @outputs: names separated by blanks, "-" for an absent one. */
Onnx__NodeProto *model_builder_node (ModelBuilder *builder, const char *op_type,
    const char *name, const char *inputs, const char *outputs);
Onnx__AttributeProto *model_builder_attr (ModelBuilder *builder,
    Onnx__NodeProto *node, const char *name, int type);
/* @type: ONNX's number (1: float, 7: int64); @n: of the sizes that follow, int */
Onnx__TensorProto *model_builder_tensor (ModelBuilder *builder,
    const char *name, int type, guint n, ...);
/* Sets raw_data to a copy. */
void model_builder_raw (ModelBuilder *builder, Onnx__TensorProto *tensor,
    gconstpointer data, gsize size);
Onnx__TensorProto *model_builder_initializer (ModelBuilder *builder,
    const char *name, int type, guint n, ...);
/* A list of int64, and an attribute of one. */
void model_builder_ints (ModelBuilder *builder, const char *name, guint n,
    const gint64 *values);
void model_builder_int (ModelBuilder *builder, Onnx__NodeProto *node,
    const char *name, gint64 value);
Onnx__ValueInfoProto *model_builder_input (ModelBuilder *builder,
    const char *name, int type, guint n, ...);
Onnx__ValueInfoProto *
model_builder_output (ModelBuilder *builder, const char *name);
void model_builder_external (ModelBuilder *builder, Onnx__TensorProto *tensor,
    const char *key, const char *value);

/* A subgraph: what is added until it is closed belongs to it, and it becomes the
 * attribute @name of @node. open() returns what close() takes as @outer. */
Onnx__GraphProto model_builder_open_branch (ModelBuilder *builder);
void model_builder_close_branch (ModelBuilder *builder, Onnx__NodeProto *node,
    const char *name, const Onnx__GraphProto *outer);

GBytes *model_builder_pack (ModelBuilder *builder);
/* Packs and parses, without a folder. */
FvModel *model_builder_parse (ModelBuilder *builder, GError **error);

G_END_DECLS
