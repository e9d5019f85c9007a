/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets a kernel's specialization constants and takes away the branches that they
 * rule out, before the driver sees it. Kernels hold every variant of themselves,
 * and drivers work through all of it before they find out which is meant: for
 * lavapipe that was nine tenths of making a pipeline.
 *
 * Instructions are as in the SPIR-V specification, 2.16 and 3.49; the structure of
 * control flow as in 2.11. What is not understood stays as it is. */
#include "gst/engine/kernel-private.h"
#include "gst/engine/spirv-private.h"

#include <string.h>

/* Folding a branch can show that another one had better stay. */
#define MAX_ROUNDS 8

/* What is known of an id. */
typedef enum
{
  ID_UNKNOWN,
  ID_INT_TYPE, /* 32 bits */
  ID_BOOL_TYPE,
  ID_VALUE, /* of those types: in value */
  ID_COMPOSITE, /* constant: the word where it is made in value */
} Kind;

typedef struct
{
  gsize start, last, end; /* words: its label, its branch, behind that */
  gsize merge; /* its merge instruction; 0: none */
  guint32 label, only; /* only: where it goes, if that is known; else 0 */
  gboolean is_entry, is_reached;
  gboolean is_plain; /* goes on without its merge instruction */
  gboolean is_kept; /* its branch is not to be folded */
} Block;

typedef struct
{
  const guint32 *words;
  gsize n, functions; /* words; where the first function begins */
  guint32 bound;
  const FvConstants *constants;
  guint8 *kind; /* Kind, by id */
  guint8 *global; /* the same, as it is in front of the functions */
  guint32 *value; /* by id */
  guint32 *spec; /* by id: 1 + its SpecId */
  guint32 *block; /* by label: 1 + its index */
  guint8 *is_gone; /* by id: in a block that is not kept */
  GArray *blocks; /* Block */
} Module;

static guint
op_at (const Module *module, gsize at)
{
  return module->words[at] & 0xffff;
}

static guint
length_at (const Module *module, gsize at)
{
  return module->words[at] >> 16;
}

static Block *
block_at (const Module *module, guint32 label)
{
  guint32 i = label < module->bound ? module->block[label] : 0;

  return i ? &g_array_index (module->blocks, Block, i - 1) : NULL;
}

static gboolean
is_known (const Module *module, guint32 id, guint32 *value)
{
  if (id >= module->bound || module->kind[id] != ID_VALUE)
    return FALSE;
  *value = module->value[id];
  return TRUE;
}

static void
set_value (Module *module, guint32 id, guint32 value)
{
  module->kind[id] = ID_VALUE;
  module->value[id] = value;
}

/* What two known 32-bit integers or bools make. */
static gboolean
fold_pair (guint op, guint32 a, guint32 b, guint32 *result)
{
  gint32 x = (gint32) a, y = (gint32) b;
  gboolean may_divide = b != 0 && !(x == G_MININT32 && y == -1);

  switch (op) {
#define ROW(name, condition, what) \
  case name: \
    *result = (guint32) (what); \
    return condition;
    ROW (FV_SPV_I_ADD, TRUE, a + b)
    ROW (FV_SPV_I_SUB, TRUE, a - b)
    ROW (FV_SPV_I_MUL, TRUE, a * b)
    ROW (FV_SPV_U_DIV, may_divide, may_divide ? a / b : 0)
    ROW (FV_SPV_S_DIV, may_divide, may_divide ? x / y : 0)
    ROW (FV_SPV_U_MOD, may_divide, may_divide ? a % b : 0)
    ROW (FV_SPV_S_REM, may_divide, may_divide ? x % y : 0)
    ROW (FV_SPV_S_MOD, may_divide && x >= 0 && y > 0, may_divide ? x % y : 0)
    ROW (FV_SPV_SHIFT_RIGHT_LOGICAL, b < 32, a >> (b & 31))
    ROW (FV_SPV_SHIFT_RIGHT_ARITHMETIC, b < 32, x >> (b & 31))
    ROW (FV_SPV_SHIFT_LEFT_LOGICAL, b < 32, a << (b & 31))
    ROW (FV_SPV_BITWISE_OR, TRUE, a | b)
    ROW (FV_SPV_BITWISE_XOR, TRUE, a ^ b)
    ROW (FV_SPV_BITWISE_AND, TRUE, a & b)
    ROW (FV_SPV_LOGICAL_EQUAL, TRUE, a == b)
    ROW (FV_SPV_LOGICAL_NOT_EQUAL, TRUE, a != b)
    ROW (FV_SPV_LOGICAL_OR, TRUE, a | b)
    ROW (FV_SPV_LOGICAL_AND, TRUE, a & b)
    ROW (FV_SPV_I_EQUAL, TRUE, a == b)
    ROW (FV_SPV_I_NOT_EQUAL, TRUE, a != b)
    ROW (FV_SPV_U_GREATER_THAN, TRUE, a > b)
    ROW (FV_SPV_S_GREATER_THAN, TRUE, x > y)
    ROW (FV_SPV_U_GREATER_THAN_EQUAL, TRUE, a >= b)
    ROW (FV_SPV_S_GREATER_THAN_EQUAL, TRUE, x >= y)
    ROW (FV_SPV_U_LESS_THAN, TRUE, a < b)
    ROW (FV_SPV_S_LESS_THAN, TRUE, x < y)
    ROW (FV_SPV_U_LESS_THAN_EQUAL, TRUE, a <= b)
    ROW (FV_SPV_S_LESS_THAN_EQUAL, TRUE, x <= y)
#undef ROW
    default:
      return FALSE;
  }
}

/* One of two that decides alone. */
static gboolean
fold_half (const Module *module, guint op, const guint32 *operands,
    guint32 *result)
{
  for (guint i = 0; i < 2; i++)
    if (is_known (module, operands[i], result)
        && ((op == FV_SPV_LOGICAL_AND && *result == 0)
            || (op == FV_SPV_LOGICAL_OR && *result == 1)))
      return TRUE;
  return FALSE;
}

static gboolean
fold_one (guint op, guint32 a, guint32 *result)
{
  switch (op) {
    case FV_SPV_BITCAST: /* between integers, as both are known ones */
    case FV_SPV_COPY_OBJECT:
      *result = a;
      return TRUE;
    case FV_SPV_S_NEGATE:
      *result = 0 - a;
      return TRUE;
    case FV_SPV_NOT:
      *result = ~a;
      return TRUE;
    case FV_SPV_LOGICAL_NOT:
      *result = !a;
      return TRUE;
    default:
      return FALSE;
  }
}

/* The member that an OpCompositeExtract takes out of a constant. */
static gboolean
extract (const Module *module, const guint32 *operands, guint n,
    guint32 *result)
{
  guint32 id = operands[0];

  if (n != 2 || id >= module->bound || module->kind[id] != ID_COMPOSITE)
    return FALSE;
  gsize at = module->value[id];
  return 3 + (gsize) operands[1] < length_at (module, at)
      && is_known (module, module->words[at + 3 + operands[1]], result);
}

/* The result of @op, if its operands are known. */
static gboolean
fold (const Module *module, guint op, const guint32 *operands, guint n,
    guint32 *result)
{
  guint32 a, b;

  if (op == FV_SPV_COMPOSITE_EXTRACT)
    return extract (module, operands, n, result);
  if (op == FV_SPV_SELECT && n == 3)
    return is_known (module, operands[0], &a)
        && is_known (module, operands[a ? 1 : 2], result);
  if (n == 1)
    return is_known (module, operands[0], &a) && fold_one (op, a, result);
  if (n != 2)
    return FALSE;
  return (is_known (module, operands[0], &a)
             && is_known (module, operands[1], &b)
             && fold_pair (op, a, b, result))
      || fold_half (module, op, operands, result);
}

static gboolean
is_foldable_type (const Module *module, guint32 id)
{
  return id < module->bound
      && (module->kind[id] == ID_INT_TYPE || module->kind[id] == ID_BOOL_TYPE);
}

/* The value that a constant gets, or keeps. */
static guint32
constant_value (const Module *module, guint32 id, guint32 otherwise)
{
  guint32 spec = id < module->bound ? module->spec[id] : 0;

  for (guint i = 0; spec && i < module->constants->n; i++)
    if (module->constants->id[i] == spec - 1)
      return module->constants->value[i];
  return otherwise;
}

/* Decorations, types and constants, in front of the functions. */
static void
read_global (Module *module, gsize at)
{
  const guint32 *words = module->words + at;
  guint op = op_at (module, at), length = length_at (module, at);
  guint32 result;

  if (op == FV_SPV_DECORATE && length == 4
      && words[2] == FV_SPV_DECORATION_SPEC_ID && words[1] < module->bound)
    module->spec[words[1]] = 1 + words[3];
  else if (op == FV_SPV_TYPE_BOOL && words[1] < module->bound)
    module->kind[words[1]] = ID_BOOL_TYPE;
  else if (op == FV_SPV_TYPE_INT && words[1] < module->bound && words[2] == 32)
    module->kind[words[1]] = ID_INT_TYPE;
  if (length < 3 || words[2] >= module->bound)
    return;
  if (op == FV_SPV_SPEC_CONSTANT_TRUE || op == FV_SPV_SPEC_CONSTANT_FALSE)
    set_value (module, words[2],
        constant_value (module, words[2], op == FV_SPV_SPEC_CONSTANT_TRUE)
            != 0);
  else if (op == FV_SPV_CONSTANT_TRUE || op == FV_SPV_CONSTANT_FALSE)
    set_value (module, words[2], op == FV_SPV_CONSTANT_TRUE);
  else if (op == FV_SPV_CONSTANT_COMPOSITE
      || op == FV_SPV_SPEC_CONSTANT_COMPOSITE) {
    module->kind[words[2]] = ID_COMPOSITE;
    module->value[words[2]] = (guint32) at;
  } else if (!is_foldable_type (module, words[1]) || length < 4)
    return;
  else if (op == FV_SPV_CONSTANT || op == FV_SPV_SPEC_CONSTANT)
    set_value (module, words[2], constant_value (module, words[2], words[3]));
  else if (op == FV_SPV_SPEC_CONSTANT_OP
      && fold (module, words[3], words + 4, length - 4, &result))
    set_value (module, words[2], result);
}

static gboolean
is_terminator (guint op)
{
  return op >= FV_SPV_BRANCH && op <= FV_SPV_UNREACHABLE;
}

/* Fails where instructions do not make up blocks. */
static gboolean
read_blocks (Module *module)
{
  Block block = { 0 };
  gboolean is_entry = FALSE;

  for (gsize at = module->functions; at < module->n;
       at += length_at (module, at)) {
    guint op = op_at (module, at), length = length_at (module, at);

    if (op == FV_SPV_FUNCTION)
      is_entry = TRUE;
    if (op == FV_SPV_LABEL) {
      if (block.label || length != 2 || module->words[at + 1] >= module->bound
          || !module->words[at + 1])
        return FALSE;
      block = (Block){ .start = at,
        .label = module->words[at + 1],
        .is_entry = is_entry };
      is_entry = FALSE;
    } else if (op == FV_SPV_SELECTION_MERGE || op == FV_SPV_LOOP_MERGE)
      block.merge = at;
    else if (is_terminator (op)) {
      if (!block.label)
        return FALSE;
      block.last = at;
      block.end = at + length;
      g_array_append_val (module->blocks, block);
      module->block[block.label] = module->blocks->len;
      block = (Block){ 0 };
    }
  }
  return !block.label;
}

typedef void (
    *Visit) (Module *module, const Block *from, guint32 label, gpointer data);

/* Calls @visit for all places where @block may go. */
static void
visit_next (Module *module, const Block *block, Visit visit, gpointer data)
{
  const guint32 *words = module->words + block->last;
  guint length = length_at (module, block->last);

  if (block->only) {
    visit (module, block, block->only, data);
    return;
  }
  switch (op_at (module, block->last)) {
    case FV_SPV_BRANCH:
      visit (module, block, words[1], data);
      break;
    case FV_SPV_BRANCH_CONDITIONAL:
      visit (module, block, words[2], data);
      if (words[3] != words[2])
        visit (module, block, words[3], data);
      break;
    case FV_SPV_SWITCH:
      for (guint i = 2; i < length; i += 2)
        visit (module, block, words[i], data);
      break;
    default:
      break;
  }
}

/* Where @block goes, if a known value says it; else 0. */
static guint32
known_target (const Module *module, const Block *block)
{
  const guint32 *words = module->words + block->last;
  guint length = length_at (module, block->last);
  guint op = op_at (module, block->last);
  guint32 value;

  if (block->is_kept
      || (block->merge && op_at (module, block->merge) == FV_SPV_LOOP_MERGE)
      || (op != FV_SPV_BRANCH_CONDITIONAL && op != FV_SPV_SWITCH)
      || !is_known (module, words[1], &value))
    return 0;
  if (op == FV_SPV_BRANCH_CONDITIONAL)
    return words[value ? 2 : 3];
  for (guint i = 3; i + 1 < length; i += 2)
    if (words[i] == value)
      return words[i + 1];
  return words[2];
}

static gboolean
goes_to (const Module *module, const Block *from, guint32 label)
{
  return from->is_reached && (!from->only || from->only == label);
}

/* What comes from the blocks before @block, if it is the same from all. */
static gboolean
fold_phi (const Module *module, const Block *block, const guint32 *pairs,
    guint n, guint32 *result)
{
  gboolean is_first = TRUE;
  guint32 value;

  for (guint i = 0; i + 1 < n; i += 2) {
    const Block *from = block_at (module, pairs[i + 1]);

    if (!from || from->start >= block->start)
      return FALSE;
    if (!goes_to (module, from, block->label))
      continue;
    if (!is_known (module, pairs[i], &value) || (!is_first && value != *result))
      return FALSE;
    *result = value;
    is_first = FALSE;
  }
  return !is_first;
}

static void
evaluate (Module *module, const Block *block)
{
  for (gsize at = block->start; at < block->end; at += length_at (module, at)) {
    const guint32 *words = module->words + at;
    guint op = op_at (module, at), length = length_at (module, at);
    guint32 result;

    if (length < 4 || !is_foldable_type (module, words[1])
        || words[2] >= module->bound)
      continue;
    if (op == FV_SPV_PHI
            ? fold_phi (module, block, words + 3, length - 3, &result)
            : fold (module, op, words + 3, length - 3, &result))
      set_value (module, words[2], result);
  }
}

static void
mark_reached (Module *module, const Block *from, guint32 label, gpointer data)
{
  Block *block = block_at (module, label);
  gboolean *is_sound = data;

  if (!block || (!block->is_reached && block->start <= from->start))
    *is_sound = FALSE;
  else
    block->is_reached = TRUE;
}

/* Blocks stand behind those that they are only reached through, so that one walk
 * finds all; fails where that is not so. */
static gboolean
sweep (Module *module)
{
  gboolean is_sound = TRUE;

  memcpy (module->kind, module->global, module->bound);
  for (guint i = 0; i < module->blocks->len; i++) {
    Block *block = &g_array_index (module->blocks, Block, i);

    block->is_reached = block->is_entry;
    block->is_plain = FALSE;
    block->only = 0;
  }
  for (guint i = 0; i < module->blocks->len && is_sound; i++) {
    Block *block = &g_array_index (module->blocks, Block, i);

    if (!block->is_reached)
      continue;
    evaluate (module, block);
    block->only = known_target (module, block);
    visit_next (module, block, mark_reached, &is_sound);
  }
  return is_sound;
}

typedef struct
{
  GArray *stack; /* labels */
  guint8 *seen; /* by index of the block */
  guint32 end; /* label that is not passed */
  guint n_ends; /* ways to it */
} Walk;

static void
walk_on (Module *module, const Block *from, guint32 label, gpointer data)
{
  Walk *walk = data;
  guint32 i = module->block[label] - 1;

  if (label == walk->end)
    walk->n_ends++;
  else if (!walk->seen[i]) {
    walk->seen[i] = 1;
    g_array_append_val (walk->stack, label);
  }
}

/* Whether all that follows @block comes together at its merge block, by one way:
 * then nothing needs to be said of it. A way that leaves a loop or the function
 * comes by @block again, or by a return. */
static gboolean
is_straight (Module *module, const Block *block)
{
  guint32 end = module->words[block->merge + 1];
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autofree guint8 *seen = g_new0 (guint8, module->blocks->len);
  Walk walk = { stack, seen, end, 0 };
  gboolean is_sound = TRUE;

  walk_on (module, block, block->only, &walk);
  while (stack->len > 0 && is_sound) {
    const Block *next =
        block_at (module, g_array_index (stack, guint32, stack->len - 1));
    guint op = op_at (module, next->last);

    g_array_set_size (stack, stack->len - 1);
    is_sound = next != block && op <= FV_SPV_SWITCH;
    visit_next (module, next, walk_on, &walk);
  }
  return is_sound && walk.n_ends == 1;
}

/* Decides which merge instructions go. Branches whose own would have to stay are
 * not folded, but for switches, which can have one case. Returns how many. */
static guint
settle_merges (Module *module)
{
  guint n_kept = 0;

  for (guint i = 0; i < module->blocks->len; i++) {
    Block *block = &g_array_index (module->blocks, Block, i);

    if (!block->is_reached || !block->only)
      continue;
    block->is_plain = !block->merge || is_straight (module, block);
    if (block->is_plain || op_at (module, block->last) == FV_SPV_SWITCH)
      continue;
    block->is_kept = TRUE;
    n_kept++;
  }
  return n_kept;
}

/* Whether an instruction of a block makes the id in its third word. */
static gboolean
has_result (guint op)
{
  return !is_terminator (op) && op != FV_SPV_STORE && op != FV_SPV_COPY_MEMORY
      && op != FV_SPV_IMAGE_WRITE && op != FV_SPV_CONTROL_BARRIER
      && op != FV_SPV_MEMORY_BARRIER && op != FV_SPV_ATOMIC_STORE
      && op != FV_SPV_LOOP_MERGE && op != FV_SPV_SELECTION_MERGE;
}

/* Of ids in blocks that are not reached. Loops whose end cannot be reached any
 * more would need more than that: fails. */
static gboolean
find_gone (Module *module)
{
  for (guint i = 0; i < module->blocks->len; i++) {
    const Block *block = &g_array_index (module->blocks, Block, i);
    const Block *again;

    if (block->is_reached && block->merge
        && op_at (module, block->merge) == FV_SPV_LOOP_MERGE) {
      again = block_at (module, module->words[block->merge + 2]);
      if (!again || !again->is_reached)
        return FALSE;
    }
    if (block->is_reached)
      continue;
    for (gsize at = block->start; at < block->end;
         at += length_at (module, at)) {
      guint32 id = length_at (module, at) > 2 ? module->words[at + 2] : 0;

      if (has_result (op_at (module, at)) && id < module->bound)
        module->is_gone[id] = 1;
    }
  }
  return TRUE;
}

/* Nothing is taken away. */
static void
keep_all (Module *module)
{
  for (guint i = 0; i < module->blocks->len; i++) {
    Block *block = &g_array_index (module->blocks, Block, i);

    block->is_reached = TRUE;
    block->is_plain = FALSE;
    block->only = 0;
  }
  memset (module->is_gone, 0, module->bound);
}

static void
prune (Module *module)
{
  guint round = 0;

  while (sweep (module) && round++ < MAX_ROUNDS)
    if (settle_merges (module) == 0) {
      if (find_gone (module))
        return;
      break;
    }
  keep_all (module);
}

static void
put (GArray *result, guint32 word)
{
  g_array_append_val (result, word);
}

static void
put_start (GArray *result, guint op, guint length)
{
  put (result, op | length << 16);
}

/* What stands in front of the functions, with the constants set. */
static void
write_global (const Module *module, gsize at, GArray *result)
{
  const guint32 *words = module->words + at;
  guint op = op_at (module, at), length = length_at (module, at);
  guint32 value;

  if (op == FV_SPV_NAME || op == FV_SPV_MEMBER_NAME)
    return; /* of what may be gone */
  if (op == FV_SPV_DECORATE
      && (module->is_gone[words[1]]
          || (length == 4 && words[2] == FV_SPV_DECORATION_SPEC_ID)))
    return;
  if (op >= FV_SPV_SPEC_CONSTANT_TRUE && op <= FV_SPV_SPEC_CONSTANT_OP
      && is_known (module, words[2], &value)) {
    gboolean is_bool = module->kind[words[1]] == ID_BOOL_TYPE;

    put_start (result,
        !is_bool    ? FV_SPV_CONSTANT
            : value ? FV_SPV_CONSTANT_TRUE
                    : FV_SPV_CONSTANT_FALSE,
        is_bool ? 3 : 4);
    g_array_append_vals (result, words + 1, 2);
    if (!is_bool)
      put (result, value);
  } else if (op == FV_SPV_SPEC_CONSTANT && length == 4) { /* a float */
    put_start (result, FV_SPV_CONSTANT, length);
    g_array_append_vals (result, words + 1, 2);
    put (result, constant_value (module, words[2], words[3]));
  } else
    g_array_append_vals (result, words, length);
}

static void
write_phi (const Module *module, const Block *block, gsize at, GArray *result)
{
  const guint32 *words = module->words + at;
  guint length = length_at (module, at), start = result->len;

  put_start (result, FV_SPV_PHI, 0);
  g_array_append_vals (result, words + 1, 2);
  for (guint i = 3; i + 1 < length; i += 2)
    if (goes_to (module, block_at (module, words[i + 1]), block->label))
      g_array_append_vals (result, words + i, 2);
  g_array_index (result, guint32, start) |= (result->len - start) << 16;
}

static void
write_block (const Module *module, const Block *block, GArray *result)
{
  gsize last = block->last;

  for (gsize at = block->start; at < last; at += length_at (module, at))
    if (op_at (module, at) == FV_SPV_PHI)
      write_phi (module, block, at, result);
    else if (at != block->merge || !block->is_plain)
      g_array_append_vals (result, module->words + at, length_at (module, at));
  if (!block->only) {
    g_array_append_vals (result, module->words + last,
        length_at (module, last));
    return;
  }
  put_start (result, block->is_plain ? FV_SPV_BRANCH : FV_SPV_SWITCH,
      block->is_plain ? 2 : 3);
  if (!block->is_plain)
    put (result, module->words[last + 1]);
  put (result, block->only);
}

/* Merge blocks are there even where nothing comes to them. */
static void
write_unreached_merge (const Module *module, const Block *block, GArray *result)
{
  for (guint i = 0; i < module->blocks->len; i++) {
    const Block *head = &g_array_index (module->blocks, Block, i);

    if (!head->is_reached || !head->merge || head->is_plain
        || module->words[head->merge + 1] != block->label)
      continue;
    put_start (result, FV_SPV_LABEL, 2);
    put (result, block->label);
    put_start (result, FV_SPV_UNREACHABLE, 1);
    return;
  }
}

static void
write_functions (const Module *module, GArray *result)
{
  const Block *blocks = (const Block *) (gpointer) module->blocks->data;
  guint i = 0;

  for (gsize at = module->functions; at < module->n;) {
    if (i == module->blocks->len || at < blocks[i].start) {
      g_array_append_vals (result, module->words + at, length_at (module, at));
      at += length_at (module, at);
      continue;
    }
    if (blocks[i].is_reached)
      write_block (module, &blocks[i], result);
    else
      write_unreached_merge (module, &blocks[i], result);
    at = blocks[i++].end;
  }
}

/* Whether instructions fill the module; where functions begin. */
static gboolean
measure (Module *module)
{
  gsize at = FV_SPV_HEADER;

  module->bound = module->n > FV_SPV_HEADER ? module->words[3] : 0;
  module->functions = module->n;
  while (at < module->n) {
    guint length = length_at (module, at);

    if (length == 0 || length > module->n - at)
      return FALSE;
    if (op_at (module, at) == FV_SPV_FUNCTION && module->functions > at)
      module->functions = at;
    at += length;
  }
  return module->bound > 0;
}

GArray *
fv_spirv_specialize (const FvSpirv *spirv, const FvConstants *constants)
{
  Module module = { .words = spirv->code,
    .n = spirv->size / sizeof *spirv->code,
    .constants = constants };
  GArray *result =
      g_array_sized_new (FALSE, FALSE, sizeof (guint32), (guint) module.n);

  if (!measure (&module)) {
    g_array_append_vals (result, spirv->code, (guint) module.n);
    return result;
  }
  g_autofree guint8 *kind = g_new0 (guint8, module.bound);
  g_autofree guint8 *global = g_new0 (guint8, module.bound);
  g_autofree guint8 *is_gone = g_new0 (guint8, module.bound);
  g_autofree guint32 *value = g_new0 (guint32, module.bound);
  g_autofree guint32 *spec = g_new0 (guint32, module.bound);
  g_autofree guint32 *block = g_new0 (guint32, module.bound);
  g_autoptr (GArray) blocks = g_array_new (FALSE, TRUE, sizeof (Block));
  module.kind = kind;
  module.global = global;
  module.is_gone = is_gone;
  module.value = value;
  module.spec = spec;
  module.block = block;
  module.blocks = blocks;
  for (gsize at = FV_SPV_HEADER; at < module.functions;
       at += length_at (&module, at))
    read_global (&module, at);
  memcpy (global, kind, module.bound);
  if (read_blocks (&module))
    prune (&module);
  else
    g_array_set_size (blocks, 0);
  g_array_append_vals (result, module.words, FV_SPV_HEADER);
  for (gsize at = FV_SPV_HEADER; at < module.functions;
       at += length_at (&module, at))
    write_global (&module, at, result);
  write_functions (&module, result);
  return result;
}
