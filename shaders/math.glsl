/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions that GLSL lacks, or does not promise to be exact enough. */

/* Abramowitz and Stegun 7.1.26 is 1.5e-7 off at most: enough for f32 nets. */
vec4 fv_erf (vec4 x)
{
  vec4 a = abs (x);
  vec4 t = 1 / (1 + 0.3275911 * a);
  vec4 p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741
    + t * (-1.453152027 + t * 1.061405429))));
  return sign (x) * (1 - p * exp (-a * a));
}

vec4 fv_sigmoid (vec4 x)
{
  return 1 / (1 + exp (clamp (-x, -88.0, 88.0)));
}

vec4 fv_tanh (vec4 x)
{
  return 1 - 2 / (exp (clamp (2 * x, -88.0, 88.0)) + 1);
}

/* log (1 + exp (x)) without overflow */
vec4 fv_softplus (vec4 x)
{
  return max (x, vec4 (0)) + log (1 + exp (-abs (x)));
}

/* pow for negative bases too, when the exponent is whole */
vec4 fv_pow (vec4 x, vec4 y)
{
  vec4 r = pow (abs (x), y);
  bvec4 odd = equal (mod (abs (y), 2.0), vec4 (1));
  bvec4 zero = equal (y, vec4 (0));
  r = mix (r, -r, bvec4 (uvec4 (lessThan (x, vec4 (0))) & uvec4 (odd)));
  return mix (r, vec4 (1), zero);
}

/* Exact up to 2^24: float division may round up to the next whole number. */
vec4 fv_integer_div (vec4 v, vec4 y)
{
  vec4 d = mix (y, vec4 (1), equal (y, vec4 (0)));
  vec4 q = vec4 (ivec4 (v) / ivec4 (d));
  return mix (q, vec4 (0), equal (y, vec4 (0)));
}

/* Arc tangent as in Cephes (atanf.c), 2e-7 off at most; drivers' own are allowed
 * to be 4096 units in the last place off. */
vec4 fv_atan (vec4 v)
{
  vec4 a = abs (v), x, z;
  bvec4 large = greaterThan (a, vec4 (2.414213562));
  bvec4 middle = greaterThan (a, vec4 (0.4142135624));

  x = mix (mix (a, (a - 1) / (a + 1), middle), -1 / a, large);
  z = x * x;
  z = (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z
    - 3.33329491539e-1) * z * x + x;
  z += mix (mix (vec4 (0), vec4 (0.78539816339), middle), vec4 (1.57079632679),
    large);
  return mix (z, -z, lessThan (v, vec4 (0)));
}

vec4 fv_asin (vec4 x)
{
  return 2 * fv_atan (x / (1 + sqrt (1 - x * x)));
}

vec4 fv_sinh (vec4 x)
{
  vec4 z = x * x;
  vec4 near = x * (1 + z * (1 / 6.0 + z * (1 / 120.0 + z / 5040.0)));
  vec4 e = exp (x);

  return mix (near, 0.5 * (e - 1 / e), greaterThan (abs (x), vec4 (1)));
}

vec4 fv_asinh (vec4 x)
{
  vec4 a = abs (x);

  return sign (x) * log (a + sqrt (a * a + 1));
}

/* By their bits, as compilers may take it that there are no such numbers. */
vec4 fv_is_nan (vec4 v)
{
  return vec4 (greaterThan (floatBitsToUint (v) & 0x7fffffffu, uvec4 (0x7f800000u)));
}

vec4 fv_is_inf (vec4 v, float positive, float negative)
{
  uvec4 u = floatBitsToUint (v);

  return positive * vec4 (equal (u, uvec4 (0x7f800000u)))
    + negative * vec4 (equal (u, uvec4 (0xff800000u)));
}

vec4 fv_integer_rest (vec4 v, vec4 y)
{
  return v - y * fv_integer_div (v, y);
}

/* Zero where nothing is left, else with the sign of y. */
vec4 fv_integer_mod (vec4 v, vec4 y)
{
  vec4 r = mix (fv_integer_rest (v, y), vec4 (0), equal (y, vec4 (0)));

  return r + y * vec4 (lessThan (r * sign (y), vec4 (0)));
}

vec4 fv_shift (vec4 v, vec4 y, bool left)
{
  uvec4 u = uvec4 (max (v, vec4 (0))), by = uvec4 (clamp (y, 0.0, 31.0));

  u = left ? u << by : u >> by;
  return mix (vec4 (u), vec4 (0), greaterThan (y, vec4 (31)));
}
