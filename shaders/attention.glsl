/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both kernels of attention scale their scores by; they declare scales, SCALES
 * and push. */
#define LOWEST (-3.4028234e38)

float head_scale ()
{
  return SCALES ? push.scale * FV_LOAD1 (scales, push.scales + int (gl_WorkGroupID.y))
                : push.scale;
}

/* One over the lengths that squares add up to. */
vec4 over_length (vec4 squares)
{
  return 1 / max (sqrt (squares), vec4 (push.least));
}
