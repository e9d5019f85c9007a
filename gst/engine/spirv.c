/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Just enough of SPIR-V to know how much shared memory a kernel takes: a driver
 * does not check it. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/spirv-private.h"

typedef struct
{
  const guint32 *words;
  guint32 bound;
  guint32 *defined; /* by id: word of its instruction; 0: not of our concern */
} Module;

static guint
op_at (const Module *module, gsize at, guint *length)
{
  *length = module->words[at] >> 16;
  return module->words[at] & 0xffff;
}

static void
index_instruction (Module *module, gsize at, guint op, guint length)
{
  guint result = op == FV_SPV_CONSTANT ? 2 : 1;

  switch (op) {
    case FV_SPV_TYPE_BOOL:
    case FV_SPV_TYPE_INT:
    case FV_SPV_TYPE_FLOAT:
    case FV_SPV_TYPE_VECTOR:
    case FV_SPV_TYPE_MATRIX:
    case FV_SPV_TYPE_ARRAY:
    case FV_SPV_TYPE_STRUCT:
    case FV_SPV_TYPE_POINTER:
    case FV_SPV_CONSTANT:
      if (length > result && module->words[at + result] < module->bound)
        module->defined[module->words[at + result]] = (guint32) at;
      break;
    default:
      break;
  }
}

static guint64
size_of (const Module *module, guint32 id)
{
  guint32 at = id < module->bound ? module->defined[id] : 0;
  const guint32 *words = module->words + at;
  guint length, op = at ? op_at (module, at, &length) : 0;
  guint64 size = 0;
  guint32 n;

  switch (op) {
    case FV_SPV_TYPE_BOOL:
      return 4;
    case FV_SPV_TYPE_INT:
    case FV_SPV_TYPE_FLOAT:
      return words[2] / 8;
    case FV_SPV_TYPE_VECTOR:
    case FV_SPV_TYPE_MATRIX:
      return size_of (module, words[2]) * words[3];
    case FV_SPV_TYPE_ARRAY:
      n = words[3] < module->bound ? module->defined[words[3]] : 0;
      return n ? size_of (module, words[2]) * module->words[n + 3] : 0;
    case FV_SPV_TYPE_STRUCT:
      for (guint i = 2; i < length; i++)
        size += size_of (module, words[i]);
      return size;
    case FV_SPV_TYPE_POINTER:
      return size_of (module, words[3]);
    default:
      return 0;
  }
}

guint64
fv_spirv_shared_bytes (const GArray *code)
{
  Module module = { .words = (const guint32 *) (gpointer) code->data };
  guint64 bytes = 0;
  guint length;

  if (code->len < FV_SPV_HEADER)
    return 0;
  module.bound = module.words[3];
  g_autofree guint32 *defined = g_new0 (guint32, module.bound);
  module.defined = defined;
  for (gsize at = FV_SPV_HEADER; at < code->len; at += length) {
    guint op = op_at (&module, at, &length);
    if (!length || length > code->len - at)
      return bytes;
    index_instruction (&module, at, op, length);
    /* types and constants stand in front of the variables that use them */
    if (op == FV_SPV_VARIABLE && length >= 4
        && module.words[at + 3] == FV_SPV_STORAGE_WORKGROUP)
      bytes += size_of (&module, module.words[at + 1]);
  }
  return bytes;
}

/* FNV-1a, by words: quick, and nobody is to be fooled by it. */
guint64
fv_spirv_digest (void)
{
  guint64 digest = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (const FvSpirv *row = fv_spirv_table; row->name; row++)
    for (gsize i = 0; i < row->size / sizeof *row->code; i++)
      digest = (digest ^ row->code[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return digest;
}
