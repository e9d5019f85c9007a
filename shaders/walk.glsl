/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding out which element an invocation works on. Integer division is slow on
 * CPU devices, so quotients are guessed in floats and corrected: exact for all
 * 0 <= i < 2^31, 0 < d. */

void fv_divide (inout int i, int d, out int rest)
{
  float inverse = 1.0 / float (d);
  int q = int (float (i) * inverse);
  int r = i - q * d;
  int k = int (floor (float (r) * inverse));

  q += k;
  r -= k * d;
  if (r < 0) {
    q -= 1;
    r += d;
  } else if (r >= d) {
    q += 1;
    r -= d;
  }
  i = q;
  rest = r;
}

void fv_divide4 (inout ivec4 i, int d, out ivec4 rest)
{
  float inverse = 1.0 / float (d);
  ivec4 q = ivec4 (vec4 (i) * inverse);
  ivec4 r = i - q * d;
  ivec4 k = ivec4 (floor (vec4 (r) * inverse));
  ivec4 less, more;

  q += k;
  r -= k * d;
  less = ivec4 (lessThan (r, ivec4 (0)));
  more = ivec4 (greaterThanEqual (r, ivec4 (d)));
  i = q + more - less;
  rest = r + (less - more) * d;
}

/* The number of this invocation in a grid that is folded where one dimension
 * would be too long. */
int fv_unit ()
{
  return int ((gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x)
    * gl_WorkGroupSize.x + gl_LocalInvocationID.x);
}
