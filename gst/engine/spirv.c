/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Just enough of SPIR-V to know how much shared memory a kernel takes once its
 * specialization constants are set: a driver does not check it. */
#include "gst/engine/kernel-private.h"
#include "shaders/shared.h"

#include <string.h>

enum
{
  OP_TYPE_BOOL = 20,
  OP_TYPE_INT = 21,
  OP_TYPE_FLOAT = 22,
  OP_TYPE_VECTOR = 23,
  OP_TYPE_MATRIX = 24,
  OP_TYPE_ARRAY = 28,
  OP_TYPE_STRUCT = 30,
  OP_TYPE_POINTER = 32,
  OP_CONSTANT = 43,
  OP_CONSTANT_COMPOSITE = 44,
  OP_SPEC_CONSTANT = 50,
  OP_SPEC_CONSTANT_COMPOSITE = 51,
  OP_SPEC_CONSTANT_OP = 52,
  OP_VARIABLE = 59,
  OP_DECORATE = 71,
  OP_COMPOSITE_EXTRACT = 81,
  DECORATION_SPEC_ID = 1,
  STORAGE_WORKGROUP = 4,
};

typedef struct
{
  const guint32 *words;
  gsize n;
  guint bound;
  guint32 *defined; /* by id: word of its instruction; 0: not of our concern */
  gint64 *spec; /* by id: its SpecId; -1: none */
  const FvDispatch *dispatch;
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
  const guint32 *words = module->words + at;
  guint result = 0;

  switch (op) {
    case OP_TYPE_BOOL:
    case OP_TYPE_INT:
    case OP_TYPE_FLOAT:
    case OP_TYPE_VECTOR:
    case OP_TYPE_MATRIX:
    case OP_TYPE_ARRAY:
    case OP_TYPE_STRUCT:
    case OP_TYPE_POINTER:
      result = 1;
      break;
    case OP_CONSTANT:
    case OP_CONSTANT_COMPOSITE:
    case OP_SPEC_CONSTANT:
    case OP_SPEC_CONSTANT_COMPOSITE:
    case OP_SPEC_CONSTANT_OP:
      result = 2;
      break;
    case OP_DECORATE:
      if (length >= 4 && words[2] == DECORATION_SPEC_ID
          && words[1] < module->bound)
        module->spec[words[1]] = words[3];
      break;
    default:
      break;
  }
  if (result && length > result && words[result] < module->bound)
    module->defined[words[result]] = (guint32) at;
}

static gint64 value_of (const Module *module, guint32 id);

static gint64
operate (const Module *module, const guint32 *words, guint length)
{
  gint64 a = value_of (module, words[4]);
  gint64 b = length > 5 ? value_of (module, words[5]) : 0;

  switch (words[3]) {
    case 124: /* OpBitcast */
      return a;
    case 128:
      return a + b;
    case 130:
      return a - b;
    case 132:
      return a * b;
    case 134:
    case 135:
      return b ? a / b : 0;
    case 137:
    case 138:
    case 139:
      return b ? a % b : 0;
    case 194:
    case 195:
      return b >= 0 && b < 32 ? a >> b : 0;
    case 196:
      return b >= 0 && b < 32 ? a << b : 0;
    case 169: /* OpSelect */
      return length > 6 ? value_of (module, words[a ? 5 : 6]) : 0;
    case 171:
      return a != b;
    case 170:
      return a == b;
    case 172:
    case 173:
      return a > b;
    case 174:
    case 175:
      return a >= b;
    case 176:
    case 177:
      return a < b;
    case 178:
    case 179:
      return a <= b;
    default:
      return 0;
  }
}

/* The member that an OpCompositeExtract among the constants takes out. */
static gint64
extract (const Module *module, const guint32 *words, guint length)
{
  guint n;
  guint32 at = words[4] < module->bound ? module->defined[words[4]] : 0;

  if (!at || length != 6)
    return 0;
  op_at (module, at, &n);
  return 3 + words[5] < n ? value_of (module, module->words[at + 3 + words[5]])
                          : 0;
}

static gint64
value_of (const Module *module, guint32 id)
{
  guint32 at = id < module->bound ? module->defined[id] : 0;
  const guint32 *words = module->words + at;
  guint length, op = at ? op_at (module, at, &length) : 0;

  switch (op) {
    case OP_CONSTANT:
      return (gint32) words[3];
    case OP_SPEC_CONSTANT:
      if (module->spec[id] < 0)
        return (gint32) words[3];
      return (gint32) fv_dispatch_get_spec (module->dispatch,
          (guint) module->spec[id],
          module->spec[id] == FV_SPEC_LOCAL ? FV_DEFAULT_LOCAL : words[3]);
    case OP_SPEC_CONSTANT_OP:
      if (length < 5)
        return 0;
      return words[3] == OP_COMPOSITE_EXTRACT ? extract (module, words, length)
                                              : operate (module, words, length);
    default:
      return 0;
  }
}

static guint64
size_of (const Module *module, guint32 id)
{
  guint32 at = id < module->bound ? module->defined[id] : 0;
  const guint32 *words = module->words + at;
  guint length, op = at ? op_at (module, at, &length) : 0;
  guint64 size = 0;

  switch (op) {
    case OP_TYPE_BOOL:
      return 4;
    case OP_TYPE_INT:
    case OP_TYPE_FLOAT:
      return words[2] / 8;
    case OP_TYPE_VECTOR:
    case OP_TYPE_MATRIX:
      return size_of (module, words[2]) * words[3];
    case OP_TYPE_ARRAY:
      return size_of (module, words[2])
          * (guint64) MAX (value_of (module, words[3]), 0);
    case OP_TYPE_STRUCT:
      for (guint i = 2; i < length; i++)
        size += size_of (module, words[i]);
      return size;
    case OP_TYPE_POINTER:
      return size_of (module, words[3]);
    default:
      return 0;
  }
}

guint64
fv_spirv_shared_bytes (const FvSpirv *spirv, const FvDispatch *dispatch)
{
  Module module = { .words = spirv->code,
    .n = spirv->size / 4,
    .dispatch = dispatch };
  guint64 bytes = 0;
  guint length;

  if (module.n < 5)
    return 0;
  module.bound = module.words[3];
  g_autofree guint32 *defined = g_new0 (guint32, module.bound);
  g_autofree gint64 *spec = g_new (gint64, module.bound);
  module.defined = defined;
  module.spec = memset (spec, 0xff, module.bound * sizeof *spec);
  for (gsize at = 5; at < module.n; at += length) {
    guint op = op_at (&module, at, &length);
    if (!length || length > module.n - at)
      return bytes;
    index_instruction (&module, at, op, length);
    /* types and constants stand in front of the variables that use them */
    if (op == OP_VARIABLE && length >= 4
        && module.words[at + 3] == STORAGE_WORKGROUP)
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
