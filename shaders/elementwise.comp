#version 450
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A chain of elementwise steps over one tensor, with up to three operands that
 * broadcast to it: one invocation makes one vec4.
 * Grid: units / local size. Bindings: 0 the first input, 1 to 3 operands,
 * 4 target. */
#extension GL_GOOGLE_include_directive : require
#include "fv.glsl"
#include "steps.glsl"
#include "walk.glsl"

layout (constant_id = 0) const int mode0 = FV_ELEMENTWISE_VEC4;
layout (constant_id = 1) const int mode1 = FV_ELEMENTWISE_ABSENT;
layout (constant_id = 2) const int mode2 = FV_ELEMENTWISE_ABSENT;
layout (constant_id = 3) const int mode3 = FV_ELEMENTWISE_ABSENT;
layout (constant_id = 4) const int n_axes = 0;
/* The first input chooses between the next two. */
layout (constant_id = 5) const bool select = false;

FV_IN (0, input0)
FV_IN (1, input1)
FV_IN (2, input2)
FV_IN (3, input3)
FV_OUT (4, target)

layout (push_constant) uniform Push { FvElementwisePush push; };

const int AXES = n_axes > 3 ? 4 : 3;

#define READ(t, c, j) \
  vec4 v##t = vec4 (0); \
  if (mode##t == FV_ELEMENTWISE_VEC4) { \
    v##t = FV_LOAD (input##t, (at[t] >> 2) + c); \
  } else if (mode##t == FV_ELEMENTWISE_SPLAT) { \
    v##t = vec4 (FV_LOAD1 (input##t, at[t])); \
  } else if (mode##t == FV_ELEMENTWISE_STRIDED) { \
    ivec4 e = at[t] + min (j, ivec4 (push.n - 1)) * push.inner[t]; \
    v##t = vec4 (FV_LOAD1 (input##t, e.x), FV_LOAD1 (input##t, e.y), \
      FV_LOAD1 (input##t, e.z), FV_LOAD1 (input##t, e.w)); \
  }

#define APPLY(n) \
  if (fv_kind##n != FV_STEP_NONE) \
    v0 = fv_step (fv_kind##n, fv_a##n, fv_b##n, v0, \
      FV_STEP_OPERAND (n) == 0 ? v1 : FV_STEP_OPERAND (n) == 1 ? v2 : v3);

void main ()
{
  int unit = fv_unit (), c;
  int to = push.target;
  int at[FV_ELEMENTWISE_INPUTS]
    = int[] (push.base[0], push.base[1], push.base[2], push.base[3]);

  if (unit >= push.units)
    return;
  if (n_axes == 0) {
    c = unit;
  } else {
    fv_divide (unit, push.row_units, c);
    [[unroll]] for (int k = 0; k < 4; k++) {
      int i = unit;

      if (k < n_axes - 1)
        fv_divide (unit, push.size[min (k, 2)], i);
      if (k < n_axes) {
        to += i * push.target_stride[k];
        [[unroll]] for (int t = 0; t < FV_ELEMENTWISE_INPUTS; t++)
          if (AXES * t + k < 12)
            at[t] += i * push.stride[min (AXES * t + k, 11)];
      }
    }
  }

  ivec4 j = 4 * c + ivec4 (0, 1, 2, 3);
  READ (0, c, j)
  READ (1, c, j)
  READ (2, c, j)
  READ (3, c, j)
  if (select)
    v0 = mix (v2, v1, notEqual (v0, vec4 (0)));
  APPLY (0) APPLY (1) APPLY (2) APPLY (3) APPLY (4) APPLY (5)
  v0 = mix (v0, vec4 (0), greaterThanEqual (j, ivec4 (push.n)));
  FV_STORE (target, to + c, v0);
}
