/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer's further entries: models are changed as models. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

gsize LLVMFuzzerMutate (guint8 *data, gsize size, gsize max_size);
gsize LLVMFuzzerCustomMutator (guint8 *data, gsize size, gsize max_size,
    unsigned seed);
gsize
LLVMFuzzerCustomCrossOver (const guint8 *data, gsize size, const guint8 *other,
    gsize other_size, guint8 *out, gsize max_size, unsigned seed);

gsize
LLVMFuzzerCustomMutator (guint8 *data, gsize size, gsize max_size,
    unsigned seed)
{
  return fuzz_mutate (data, size, max_size, seed, LLVMFuzzerMutate);
}

gsize
LLVMFuzzerCustomCrossOver (const guint8 *data, gsize size, const guint8 *other,
    gsize other_size, guint8 *out, gsize max_size, unsigned seed)
{
  return fuzz_cross (data, size, other, other_size, out, max_size, seed);
}
