/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* From the moments of channels to mean and factor of their groups.
 *
 * Bindings: 0 moments (channelstats.comp), 1 scale, 2 bias, 3 table
 * Grid:     one invocation per map and unit of channels
 * The table holds, per map, a row each of means, factors and biases. */
#include "fv.glsl"

FV_IN (0, moments)
FV_IN (1, scale)
FV_IN (2, bias)
FV_OUT (3, table)

layout (constant_id = 0) const bool BY_GROUP = false; /* scale and bias */
layout (push_constant) uniform Push { FvGroupPush push; };

/* Mean and factor of the group of channel @c; @at: the map's moments. */
vec2 group_of (int at, int c)
{
  int first = c / push.group * push.group;
  float sum = 0, squares = 0, mean;

  for (int k = first; k < first + push.group; k++)
    sum += FV_LOAD1 (moments, 4 * at + k);
  mean = sum / push.group;
  for (int k = first; k < first + push.group; k++) {
    float apart = FV_LOAD1 (moments, 4 * at + k) - mean;

    squares += FV_LOAD1 (moments, 4 * (at + push.units) + k);
    squares += push.count * apart * apart;
  }
  return vec2 (mean,
    1 / sqrt (squares / (push.count * push.group) + push.epsilon));
}

void main ()
{
  int id = int (gl_GlobalInvocationID.x);
  int map = id / push.units, unit = id - map * push.units;
  int at = 2 * map * push.units;
  vec4 mean = vec4 (0), factor = vec4 (0), offset = vec4 (0);

  if (map >= push.maps)
    return;
  [[unroll]] for (int i = 0; i < 4; i++) {
    int c = 4 * unit + i, g = BY_GROUP ? c / push.group : c;

    if (c < push.channels) {
      vec2 both = group_of (at, c);

      mean[i] = both.x;
      factor[i] = both.y * FV_LOAD1 (scale, 4 * push.scale_base + g);
      offset[i] = FV_LOAD1 (bias, 4 * push.bias_base + g);
    }
  }
  at = 3 * map * push.units + unit;
  FV_STORE (table, at, mean);
  FV_STORE (table, at + push.units, factor);
  FV_STORE (table, at + 2 * push.units, offset);
}
