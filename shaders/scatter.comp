#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements written by indices: ScatterElements, ScatterND. The target holds the
 * data already. An invocation owns one share of the slots along its vec4 and goes
 * through all indices in their order, so that the result is always the same.
 * Indices outside of their axis are brought to its nearest end.
 * Grid: units / local size. Bindings: 0 indices, 1 updates, 2 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

layout (constant_id = 0) const int mode = FV_SCATTER_LANES;
layout (constant_id = 1) const int n_axes = 0;
layout (constant_id = 2) const int depth = 1;
layout (constant_id = 3) const int reduction = FV_SCATTER_NONE;

FV_IN (0, indices)
FV_IN (1, updates)
FV_OUT (2, target)

layout (push_constant) uniform Push { FvScatterPush push; };

const ivec4 lanes = ivec4 (0, 1, 2, 3);

/* The slot that the indices at element @e name. */
int slot (int e)
{
  int at = 0;

  [[unroll]] for (int d = 0; d < FV_SCATTER_DEPTH; d++)
    if (d < depth) {
      int i = int (FV_LOAD1 (indices, e + d));

      i += i < 0 ? push.chosen_size[d] : 0;
      at = at * push.chosen_size[d] + clamp (i, 0, push.chosen_size[d] - 1);
    }
  return at;
}

void put (int unit, vec4 u, bvec4 which)
{
  vec4 v = FV_READ (target, unit);
  vec4 r = u;

  switch (reduction) {
  case FV_SCATTER_ADD: r = v + u; break;
  case FV_SCATTER_MUL: r = v * u; break;
  case FV_SCATTER_MAX: r = max (v, u); break;
  case FV_SCATTER_MIN: r = min (v, u); break;
  }
  FV_STORE (target, unit, mix (v, r, which));
}

vec4 load (int e, ivec4 j)
{
  return vec4 (FV_LOAD1 (updates, e + j.x), FV_LOAD1 (updates, e + j.y),
    FV_LOAD1 (updates, e + j.z), FV_LOAD1 (updates, e + j.w));
}

void main ()
{
  int unit = fv_unit (), c, first, last;
  int to = push.target, by = push.index, from = push.update;

  if (unit >= push.units)
    return;
  fv_divide (unit, push.row_units, c);
  [[unroll]] for (int k = 0; k < FV_SCATTER_AXES; k++)
    if (k < n_axes) {
      int i;

      fv_divide (unit, push.size[k], i);
      to += i * push.target_stride[k];
      by += i * push.index_stride[k];
      from += i * push.update_stride[k];
    }
  first = unit * push.share;
  last = first + push.share - 1;

  ivec4 j = 4 * c + lanes;
  bvec4 inside = lessThan (j, ivec4 (push.n));
  j = min (j, ivec4 (push.n - 1));
  for (int k = 0; k < push.count; k++) {
    int e = by + k * push.index_step, u = from + k * push.update_step;

    if (mode == FV_SCATTER_LANES) {
      [[unroll]] for (int lane = 0; lane < 4; lane++) {
        int s = slot (e + j[lane] * push.index_inner);

        if (inside[lane] && s >= first && s <= last)
          put (to + s * push.target_step + c,
            vec4 (FV_LOAD1 (updates, u + j[lane] * push.update_inner)),
            equal (lanes, ivec4 (lane)));
      }
    } else {
      int s = slot (e);
      int at = mode == FV_SCATTER_ELEMENT ? s >> 2 : s;

      if (at < first || at > last)
        continue;
      if (mode == FV_SCATTER_ELEMENT)
        put (to + at, vec4 (FV_LOAD1 (updates, u)), equal (lanes, ivec4 (s & 3)));
      else
        put (to + s * push.target_step + c, load (u, j), inside);
    }
  }
}
