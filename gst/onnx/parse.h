/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From protobuf to FvModel. Private to gst/onnx. */
#pragma once

#include "gst/onnx/model.h"
#include "gst/onnx/names.h"
#include "gst/onnx/onnx.pb-c.h"

G_BEGIN_DECLS

/* What a file may ask for; far above every vision model known. */
#define FV_MAX_FILE_BYTES (G_GINT64_CONSTANT (1) << 31) /* protobuf's own */
#define FV_MAX_WEIGHT_BYTES (G_GINT64_CONSTANT (1) << 32)
#define FV_MAX_SUBGRAPH_DEPTH 16
#define FV_MIN_OPSET 7
#define FV_MAX_OPSET 23

/* One import: what is read, and what is left of its allowances. */
typedef struct
{
  const char *name; /* of the file, for messages */
  const char *folder; /* (nullable) where external data may lie */
  GHashTable *opsets; /* domain -> version */
  GHashTable *functions; /* (nullable) the file's own operators: functions.c */
  gboolean in_function; /* attributes may refer to those of the call */
  gint64 n_parameters; /* elements of initializers so far */
  ProtobufCAllocator allocator; /* counts: see fv_parser_init() */
  gint64 bytes_left; /* that unpacking may still allocate */
  gint64 weights_left; /* that tensors may still hold */
  gboolean over; /* bytes_left was not enough */
  char *external_name; /* the external file open now */
  int external_fd;
  gint64 external_size;
} FvParser;

/* Unpacking may allocate four times @size and some: the file's weights are
 * copied once, the rest is small. */
void fv_parser_init (FvParser *parser, const char *name, const char *folder,
    gsize size);
void fv_parser_clear (FvParser *parser);
/* Sets an error that names the file; returns FALSE. */
gboolean fv_parser_fail (const FvParser *parser, GError **error, FvError code,
    const char *format, ...) G_GNUC_PRINTF (4, 5);
/* One level of protobuf. @what is for the message. */
ProtobufCMessage *fv_parser_unpack (FvParser *parser,
    const ProtobufCMessageDescriptor *descriptor, const guint8 *data,
    gsize size, const char *what, GError **error);
/* (nullable) Takes a string out of a message; "" for an absent one. */
char *fv_parser_string (FvParser *parser, char **string, GError **error);
/* Zero-filled; sizes come from the file, so it may fail. Never NULL else. */
gpointer fv_parser_list (const FvParser *parser, gsize n, gsize item_size,
    GError **error);

/* What is imported is put into parser->opsets. */
gboolean fv_parse_opsets (FvParser *parser,
    Onnx__OperatorSetIdProto *const *imports, gsize n, GError **error);

/* Keeps the model's functions in mind; their bodies are read when called. */
gboolean
fv_parse_functions (FvParser *parser, Onnx__ModelProto *proto, GError **error);
/* Every call of one becomes the nodes of its body, at any depth. */
gboolean
fv_inline_functions (FvParser *parser, FvModelGraph *graph, GError **error);

#define FV_CONTRIB_DOMAIN "com.microsoft"
/* The row of the table of foreign operators that serves @call; -1: none. Fails
 * where the operator stands there, but not in the form called. */
gboolean fv_contrib_find (FvParser *parser, const FvModelNode *call, gint *row,
    GError **error);
/* That row as a function of the file. (transfer full): of g_malloc() */
Onnx__FunctionProto *fv_contrib_function (guint row);
/* (nullable) The operator of a row, in the table's order; NULL behind the last.
 * @condition: (out): what a call's attributes have to be */
const char *fv_contrib_describe (guint row, const char **condition);

/* A tensor with its data, taken out of @proto where that saves a copy.
 * @owner: what the tensor is, for messages: "initializer 'w'" */
FvArray *fv_parse_tensor (FvParser *parser, Onnx__TensorProto *proto,
    const char *owner, GError **error);
/* The element type of ONNX's number; fails naming @owner. */
gboolean fv_parse_type (FvParser *parser, gint32 number, const char *owner,
    FvType *type, GError **error);
/* The tensor of @size bytes that lies in the file @proto names. */
FvArray *fv_parse_external (FvParser *parser, const Onnx__TensorProto *proto,
    const char *owner, FvType type, const FvShape *shape, gint64 size,
    GError **error);

/* @depth: 0 for the model's own graph. @outer: (nullable): the set to which names
 * are added that the graph uses and does not define; NULL: those are errors. */
FvModelGraph *fv_parse_graph (FvParser *parser, Onnx__GraphProto *proto,
    guint depth, GHashTable *outer, GError **error);
void fv_model_graph_free (FvModelGraph *graph); /* %NULL is fine */
void fv_model_node_clear (FvModelNode *node);
/* The attributes of @proto; @uses: made where one is a subgraph. */
gboolean fv_parse_attrs (FvParser *parser, Onnx__NodeProto *proto, guint depth,
    GHashTable **uses, FvModelNode *node, GError **error);
/* Takes @size bytes out of what may still be allocated. */
gboolean fv_parser_charge (FvParser *parser, gsize size, const char *what,
    GError **error);

/* Sorts nodes so that producers come first, keeping the file's order where it
 * does. @outer_uses: one set (or NULL) a node: the names its subgraphs take
 * from around them; sorted along. Names not found go to @outer. */
gboolean fv_sort_graph (FvParser *parser, FvModelGraph *graph,
    GHashTable **outer_uses, GHashTable *outer, GError **error);

G_END_DECLS
