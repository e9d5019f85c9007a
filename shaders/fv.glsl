/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every kernel includes first: bindings, loads and stores.
 *
 *   FV_IN (0, x)    a tensor to read:  vec4 FV_LOAD (x, i), float FV_LOAD1 (x, e)
 *   FV_OUT (1, o)   a tensor to write: FV_STORE (o, i, v); vec4 FV_READ (o, i)
 *
 * i counts vec4 units (four elements), e elements, from the storage's start.
 * Whether elements are f32 or f16 is known to the pipeline (specialization
 * constant FV_SPEC_TYPES + binding), not to the shader's author. Loads must stay
 * inside of the tensor: clamp the address, then select zero. */
#extension GL_EXT_control_flow_attributes : require
#ifdef FV_SUBGROUP
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#endif
#include "shared.h"

layout (local_size_x_id = FV_SPEC_LOCAL) in;

#ifdef FV_SUBGROUP
#define FV_IN(n, name) layout (set = 0, binding = n) uniform samplerBuffer name;
#define FV_LOAD(name, i) texelFetch (name, i)
#else
#define FV_IN(n, name) \
  layout (constant_id = FV_SPEC_TYPES + n) const int name##_type = 0; \
  layout (std430, set = 0, binding = n) readonly buffer name##_F32 { vec4 d[]; } name##_f32; \
  layout (std430, set = 0, binding = n) readonly buffer name##_F16 { uvec2 d[]; } name##_f16; \
  vec4 name##_load (int i) \
  { \
    if (name##_type == FV_STORED_F32) \
      return name##_f32.d[i]; \
    uvec2 h = name##_f16.d[i]; \
    return vec4 (unpackHalf2x16 (h.x), unpackHalf2x16 (h.y)); \
  }
#define FV_LOAD(name, i) name##_load (i)
#endif
#define FV_LOAD1(name, e) FV_LOAD (name, (e) >> 2)[(e) & 3]

#ifdef FV_SUBGROUP
/* lavapipe stores word by word: half as many of them are of 64 bits. */
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define FV_OUT(n, name) \
  layout (constant_id = FV_SPEC_TYPES + n) const int name##_type = 0; \
  layout (std430, set = 0, binding = n) buffer name##_F32 { u64vec2 d[]; } name##_f32; \
  layout (std430, set = 0, binding = n) buffer name##_F16 { uint64_t d[]; } name##_f16; \
  void name##_store (int i, vec4 v) \
  { \
    uvec4 u = floatBitsToUint (v); \
    if (name##_type == FV_STORED_F32) \
      name##_f32.d[i] = u64vec2 (packUint2x32 (u.xy), packUint2x32 (u.zw)); \
    else \
      name##_f16.d[i] = packUint2x32 ( \
          uvec2 (packHalf2x16 (v.xy), packHalf2x16 (v.zw))); \
  } \
  vec4 name##_read (int i) \
  { \
    if (name##_type == FV_STORED_F32) { \
      u64vec2 w = name##_f32.d[i]; \
      return uintBitsToFloat ( \
          uvec4 (unpackUint2x32 (w.x), unpackUint2x32 (w.y))); \
    } \
    uvec2 h = unpackUint2x32 (name##_f16.d[i]); \
    return vec4 (unpackHalf2x16 (h.x), unpackHalf2x16 (h.y)); \
  }
#else
#define FV_OUT(n, name) \
  layout (constant_id = FV_SPEC_TYPES + n) const int name##_type = 0; \
  layout (std430, set = 0, binding = n) buffer name##_F32 { vec4 d[]; } name##_f32; \
  layout (std430, set = 0, binding = n) buffer name##_F16 { uvec2 d[]; } name##_f16; \
  void name##_store (int i, vec4 v) \
  { \
    if (name##_type == FV_STORED_F32) \
      name##_f32.d[i] = v; \
    else \
      name##_f16.d[i] = uvec2 (packHalf2x16 (v.xy), packHalf2x16 (v.zw)); \
  } \
  vec4 name##_read (int i) \
  { \
    if (name##_type == FV_STORED_F32) \
      return name##_f32.d[i]; \
    uvec2 h = name##_f16.d[i]; \
    return vec4 (unpackHalf2x16 (h.x), unpackHalf2x16 (h.y)); \
  }
#endif
#define FV_STORE(name, i, v) name##_store (i, v)
#define FV_READ(name, i) name##_read (i)
