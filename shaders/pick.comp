#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements chosen by indices known at run time: Gather, GatherElements, GatherND.
 * Indices outside of their axis are brought to its nearest end. One invocation
 * writes one vec4.
 * Grid: units / local size. Bindings: 0 source, 1 indices, 2 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "walk.glsl"

/* Whether rows are read in vec4 units, with the same indices all along. */
layout (constant_id = 0) const bool aligned = false;
layout (constant_id = 1) const int n_axes = 0;
layout (constant_id = 2) const int depth = 1;

FV_IN (0, source)
FV_IN (1, indices)
FV_OUT (2, target)

layout (push_constant) uniform Push { FvPickPush push; };

/* What the indices at element @e add to the source's offset. */
int chosen (int e)
{
  int at = 0;

  [[unroll]] for (int d = 0; d < FV_PICK_DEPTH; d++)
    if (d < depth) {
      int i = int (FV_LOAD1 (indices, e + d * push.depth_stride));

      i += i < 0 ? push.chosen_size[d] : 0;
      at += clamp (i, 0, push.chosen_size[d] - 1) * push.chosen_stride[d];
    }
  return at;
}

void main ()
{
  int unit = fv_unit (), c;
  int to = push.target, from = push.source, by = push.index;

  if (unit >= push.units)
    return;
  if (n_axes == 0) {
    c = unit;
  } else {
    fv_divide (unit, push.row_units, c);
    [[unroll]] for (int k = 0; k < FV_PICK_AXES; k++) {
      int i = unit;

      if (k < n_axes - 1)
        fv_divide (unit, push.size[min (k, 2)], i);
      if (k < n_axes) {
        to += i * push.target_stride[k];
        from += i * push.source_stride[k];
        by += i * push.index_stride[k];
      }
    }
  }

  ivec4 j = 4 * c + ivec4 (0, 1, 2, 3);
  bvec4 behind = greaterThanEqual (j, ivec4 (push.n));
  vec4 v;
  if (aligned) {
    v = FV_LOAD (source, ((from + chosen (by)) >> 2) + c);
  } else {
    j = min (j, ivec4 (push.n - 1));
    ivec4 e = by + j * push.index_inner;
    j = from + j * push.source_inner
      + ivec4 (chosen (e.x), chosen (e.y), chosen (e.z), chosen (e.w));
    v = vec4 (FV_LOAD1 (source, j.x), FV_LOAD1 (source, j.y),
      FV_LOAD1 (source, j.z), FV_LOAD1 (source, j.w));
  }
  FV_STORE (target, to + c, mix (v, vec4 (0), behind));
}
