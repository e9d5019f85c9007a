/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The elementwise steps of shared.h. Kinds and constants are specialization
 * constants, so the switches fold away.
 *
 * As an epilogue:
 *   FV_STEPS_OPERANDS (3)   bindings 3 and 4 hold the operands
 *   v = fv_steps (v, push.operand, row, c)   c: vec4 index within the row
 * or, where operands are addressed otherwise, fv_step (kind, a, b, v, y). */

#include "math.glsl"

#define FV_STEP(n) \
  layout (constant_id = FV_SPEC_STEPS + 3 * n) const int fv_kind##n = 0; \
  layout (constant_id = FV_SPEC_STEPS + 3 * n + 1) const float fv_a##n = 0; \
  layout (constant_id = FV_SPEC_STEPS + 3 * n + 2) const float fv_b##n = 0;
FV_STEP (0) FV_STEP (1) FV_STEP (2) FV_STEP (3) FV_STEP (4) FV_STEP (5)

/* Which operand binding step n reads, two bits a step. */
layout (constant_id = FV_SPEC_STEPS + 18) const int fv_step_operands = 0;
#define FV_STEP_OPERAND(n) ((fv_step_operands >> (2 * n)) & 3)

vec4 fv_step (int kind, float a, float b, vec4 v, vec4 y)
{
  switch (kind) {
  case FV_STEP_RELU: return max (v, vec4 (0));
  case FV_STEP_LEAKY_RELU: return mix (v, a * v, lessThan (v, vec4 (0)));
  case FV_STEP_CLIP: return min (max (v, vec4 (a)), vec4 (b));
  case FV_STEP_SIGMOID: return fv_sigmoid (v);
  case FV_STEP_HARD_SIGMOID: return clamp (a * v + b, 0.0, 1.0);
  case FV_STEP_SWISH: return v * fv_sigmoid (a * v);
  case FV_STEP_HARD_SWISH: return v * clamp (v / 6 + 0.5, 0.0, 1.0);
  case FV_STEP_GELU: return 0.5 * v * (1 + fv_erf (v * 0.70710678118654752));
  case FV_STEP_GELU_TANH:
    return 0.5 * v * (1 + fv_tanh (0.79788456080286536 * (v + 0.044715 * v * v * v)));
  case FV_STEP_TANH: return fv_tanh (v);
  case FV_STEP_ERF: return fv_erf (v);
  case FV_STEP_EXP: return exp (v);
  case FV_STEP_LOG: return log (v);
  case FV_STEP_SQRT: return sqrt (v);
  case FV_STEP_RECIPROCAL: return 1 / v;
  case FV_STEP_ABS: return abs (v);
  case FV_STEP_FLOOR: return floor (v);
  case FV_STEP_CEIL: return ceil (v);
  case FV_STEP_ROUND: return roundEven (v);
  case FV_STEP_SIGN: return sign (v);
  case FV_STEP_SIN: return sin (v);
  case FV_STEP_COS: return cos (v);
  case FV_STEP_SOFTPLUS: return fv_softplus (v);
  case FV_STEP_ELU: return mix (b * v, a * (exp (v) - 1), lessThan (v, vec4 (0)));
  case FV_STEP_MISH: return v * fv_tanh (fv_softplus (v));
  case FV_STEP_AFFINE: return fma (vec4 (a), v, vec4 (b));
  case FV_STEP_POW: return a == 2 ? v * v : a == 0.5 ? sqrt (v) : fv_pow (v, vec4 (a));
  case FV_STEP_SOFTSIGN: return v / (1 + abs (v));
  case FV_STEP_THRESHOLD: return mix (vec4 (0), v, greaterThan (v, vec4 (a)));
  case FV_STEP_TAN: return tan (v);
  case FV_STEP_ASIN: return fv_asin (v);
  case FV_STEP_ACOS: return 1.57079632679 - fv_asin (v);
  case FV_STEP_ATAN: return fv_atan (v);
  case FV_STEP_SINH: return fv_sinh (v);
  case FV_STEP_COSH: return 0.5 * (exp (v) + exp (-v));
  case FV_STEP_ASINH: return fv_asinh (v);
  case FV_STEP_ACOSH: return log (v + sqrt (v * v - 1));
  case FV_STEP_ATANH: return 0.5 * log ((1 + v) / (1 - v));
  case FV_STEP_SHRINK:
    return mix (mix (vec4 (0), v - b, greaterThan (v, vec4 (a))), v + b,
      lessThan (v, vec4 (-a)));
  case FV_STEP_IS_NAN: return fv_is_nan (v);
  case FV_STEP_IS_INF: return fv_is_inf (v, a, b);
  case FV_STEP_WRAP: return v - b * floor ((v - a) / b);
  case FV_STEP_TRUNCATE: return trunc (v);
  case FV_STEP_QUANTIZE: return a * clamp (roundEven (v / a), b, b + 255);
  case FV_STEP_QUANTIZE_BY: return y.x * clamp (roundEven (v / y.x), y.y, y.y + 255);
  case FV_STEP_ADD: return v + y;
  case FV_STEP_SUB: return v - y;
  case FV_STEP_RSUB: return y - v;
  case FV_STEP_MUL: return v * y;
  case FV_STEP_DIV: return v / y;
  case FV_STEP_RDIV: return y / v;
  case FV_STEP_MAX: return max (v, y);
  case FV_STEP_MIN: return min (v, y);
  case FV_STEP_POW_Y: return fv_pow (v, y);
  case FV_STEP_RPOW_Y: return fv_pow (y, v);
  case FV_STEP_PRELU: return mix (v, y * v, lessThan (v, vec4 (0)));
  case FV_STEP_EQUAL: return vec4 (equal (v, y));
  case FV_STEP_LESS: return vec4 (lessThan (v, y));
  case FV_STEP_LESS_OR_EQUAL: return vec4 (lessThanEqual (v, y));
  case FV_STEP_GREATER: return vec4 (greaterThan (v, y));
  case FV_STEP_GREATER_OR_EQUAL: return vec4 (greaterThanEqual (v, y));
  case FV_STEP_INTEGER_DIV: return fv_integer_div (v, y);
  case FV_STEP_MOD: return v - y * floor (v / y);
  case FV_STEP_REST: return v - y * trunc (v / y);
  case FV_STEP_INTEGER_MOD: return fv_integer_mod (v, y);
  case FV_STEP_INTEGER_REST: return fv_integer_rest (v, y);
  case FV_STEP_AND: return vec4 (ivec4 (v) & ivec4 (y));
  case FV_STEP_OR: return vec4 (ivec4 (v) | ivec4 (y));
  case FV_STEP_XOR: return vec4 (ivec4 (v) ^ ivec4 (y));
  case FV_STEP_SHIFT_LEFT: return fv_shift (v, y, true);
  case FV_STEP_SHIFT_RIGHT: return fv_shift (v, y, false);
  }
  return v;
}

#define FV_APPLY_STEP(n) \
  if (fv_kind##n != FV_STEP_NONE) { \
    vec4 y = vec4 (0); \
    bool is_scale = fv_kind##n == FV_STEP_QUANTIZE_BY; \
    int at = is_scale ? 0 : row, unit = is_scale ? 0 : c; \
    if (is_scale || FV_STEP_HAS_OPERAND (fv_kind##n)) { \
      if (FV_STEP_OPERAND (n) == 0) \
        y = FV_LOAD (fv_operand0, p[0].base + at * p[0].stride + unit); \
      else \
        y = FV_LOAD (fv_operand1, p[1].base + at * p[1].stride + unit); \
    } \
    y = is_scale && fv_a##n != 0 ? y.zwxy : y; \
    v = fv_step (fv_kind##n, fv_a##n, fv_b##n, v, y); \
  }

#define FV_STEPS_OPERANDS(first) \
  FV_IN (first, fv_operand0) \
  FV_IN (first + 1, fv_operand1) \
  vec4 fv_steps (vec4 v, FvOperandPush p[FV_MAX_OPERANDS], int row, int c) \
  { \
    FV_APPLY_STEP (0) FV_APPLY_STEP (1) FV_APPLY_STEP (2) \
    FV_APPLY_STEP (3) FV_APPLY_STEP (4) FV_APPLY_STEP (5) \
    return v; \
  }
