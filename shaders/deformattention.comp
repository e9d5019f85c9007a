/* SPDX-License-Identifier: LGPL-2.1-or-later */
#version 450
#extension GL_GOOGLE_include_directive : require
/* Deformable attention: maps of several levels are read where grids point, and the
 * samples of all levels and points weighed and summed, with the softmax of the weights.
 *
 * Bindings: 0 the maps, 1 the grids, 2 weights, 3 y
 * Grid:     folded (groups of UNITS channel units, heads, queries) x images
 * An invocation makes UNITS vec4 of a head's channels for one query. */
#include "fv.glsl"
#include "walk.glsl"

FV_IN (0, x)
FV_IN (1, grid)
FV_IN (2, weights)
FV_OUT (3, y)

layout (constant_id = 0) const int LEVELS = 4;
layout (constant_id = 1) const int POINTS = 4; /* of a query on a level */
layout (constant_id = 2) const int UNITS = 1; /* divides the units of a head */
layout (constant_id = 3) const bool SOFTMAX = false;
layout (push_constant) uniform Push { FvDeformAttentionPush push; };

#define LOWEST (-3.4028234e38)

const int TAPS = 2;
const int PADDING = FV_SAMPLE_ZEROS;
const bool ALIGN = false;

#include "samplepoint.glsl"

void main ()
{
  int image = int (gl_WorkGroupID.z), query = fv_unit (), group, head;
  int x_at, grid_at, weight_at;
  float top = LOWEST, total = 0;
  vec4 sum[UNITS];

  fv_divide (query, (push.channels + 3) / 4 / UNITS, group);
  fv_divide (query, push.heads, head);
  if (query >= push.queries)
    return;
  x_at = image * push.x[0] + head * push.x[1] + group * UNITS;
  grid_at = image * push.grid[0] + head * push.grid[1] + query * push.grid[2];
  weight_at = push.weight_base + image * push.weight[0] + head * push.weight[1]
    + query * push.weight[2];
  [[unroll]] for (int u = 0; u < UNITS; u++)
    sum[u] = vec4 (0);
  if (SOFTMAX)
    [[dont_unroll]] for (int i = 0; i < LEVELS * POINTS; i++)
      top = max (top, FV_LOAD1 (weights, weight_at + i * push.weight[3]));
  [[dont_unroll]] for (int level = 0; level < LEVELS; level++) {
    int rows = push.size[level] >> 16, columns = push.size[level] & 65535;
    int map = push.x_base[level] + x_at, point = push.grid_base[level] + grid_at;

    [[dont_unroll]] for (int p = 0; p < POINTS; p++) {
      float weight = FV_LOAD1 (weights, weight_at);
      ivec4 xs, ys;
      vec4 x_weights, y_weights;

      if (SOFTMAX) {
        weight = exp (weight - top);
        total += weight;
      }
      find_taps (locate (FV_LOAD1 (grid, point), columns), columns, xs, x_weights);
      find_taps (locate (FV_LOAD1 (grid, point + push.grid[4]), rows), rows, ys,
        y_weights);
      [[unroll]] for (int k = 0; k < 4; k++) {
        float part = weight * y_weights[k / 2] * x_weights[k % 2];
        int at = map + (ys[k / 2] * columns + xs[k % 2]) * push.x[2];

        [[unroll]] for (int u = 0; u < UNITS; u++) {
          vec4 v = FV_LOAD (x, at + u);

          sum[u] += part == 0 ? vec4 (0) : part * v;
        }
      }
      point += push.grid[3];
      weight_at += push.weight[3];
    }
  }
  x_at = push.y_base + image * push.y[0] + query * push.y[1] + head * push.y[2]
    + group * UNITS;
  [[unroll]] for (int u = 0; u < UNITS; u++)
    FV_STORE (y, x_at + u, mix (vec4 (0), SOFTMAX ? sum[u] / total : sum[u],
      lessThan (ivec4 (0, 1, 2, 3) + 4 * (group * UNITS + u),
        ivec4 (push.channels))));
}
