/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays, attributes and small graphs from text, for tests. */
#pragma once

#include "gst/engine/op.h"

void ir_text_seed (guint32 seed);
/* "f32[1,3]" (random in @low..@high, both 0: -1..1), "i64{1,2}", "f32(0.5)",
 * "i64[1,2]{3,4}".
 * (transfer full) */
FvArray *ir_text_array (const char *word, double low, double high);
void ir_text_attr (FvNode *node, const char *name, const char *text);
/* Statements separated by "; ", the last one's value is the output:
 *   "x f32[1,5]; c =f32(2); y Mul x c; z Relu y"
 * Operators are those of opset 17, younger ones of 23, Softmax@11 that of 11.
 * (transfer full) */
FvIr *ir_text_graph (const char *text);
/* The node of a case alone. Its run-time inputs are added to @arrays, in order.
 * (transfer full) */
FvIr *ir_text_case (const FvOp *op, const FvCase *item, GPtrArray *arrays,
    guint32 seed);
/* Whether the operator takes @to in place of all inputs of type @from. */
gboolean
ir_text_accepts (const FvOp *op, const FvCase *item, FvType from, FvType to);
/* The graph as an ONNX file, under the newest opset of its nodes; NULL where an
 * operator is one of ours. (transfer full) (nullable) */
GBytes *ir_text_pack (FvIr *ir);
