/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts what is seen of each instance, see FV_SEEN_*: the whole subgroup at once
 * where that is one row of eight pixels, for atomics are slow on CPUs. */

int record_of (vec4 tile, int local)
{
  int first = int (tile.x + tile.y + tile.z + tile.w);
  return int (FV_LOAD (world, first + local).x);
}

void see (int record, uint n, ivec2 left, int right, ivec2 size)
{
  record *= FV_SEEN_WORDS;
  atomicAdd (seen[record + FV_SEEN_PIXELS], n);
  atomicMax (seen[record + FV_SEEN_LEFT], uint (size.x - 1 - left.x));
  atomicMax (seen[record + FV_SEEN_RIGHT], uint (right));
  atomicMax (seen[record + FV_SEEN_TOP], uint (size.y - 1 - left.y));
  atomicMax (seen[record + FV_SEEN_BOTTOM], uint (left.y));
}

/* @covers: instances of the tile on this pixel's ray, by bits; @record: of the one
 * in front, -1: none. A tile of more instances than there are bits counts the
 * silhouettes of the first ones alone, but all that are in front. */
void count_seen (uint covers, int record, ivec2 at, ivec2 size, vec4 tile)
{
#ifdef FV_SUBGROUP
  if (gl_SubgroupSize <= 8) {
    uint any_of = subgroupOr (covers);
    int first = at.x - int (gl_SubgroupInvocationID);
    while (any_of != 0) {
      int k = findLSB (any_of);
      any_of &= any_of - 1;
      int other = record_of (tile, k);
      uint whole = subgroupBallot ((covers >> k & 1) != 0).x;
      uint front = subgroupBallot (record == other).x;
      if (gl_SubgroupInvocationID == 0) {
        atomicAdd (seen[other * FV_SEEN_WORDS + FV_SEEN_WHOLE], bitCount (whole));
        if (front != 0)
          see (other, bitCount (front), ivec2 (first + findLSB (front), at.y),
            first + findMSB (front), size);
      }
      record = record == other ? -1 : record;
    }
    if (record >= 0)
      see (record, 1, at, at.x, size);
    return;
  }
#endif
  for (; covers != 0; covers &= covers - 1)
    atomicAdd (seen[record_of (tile, findLSB (covers)) * FV_SEEN_WORDS
      + FV_SEEN_WHOLE], 1);
  if (record >= 0)
    see (record, 1, at, at.x, size);
}
