/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constants and push structures read by C and by GLSL alike: int, uint and
 * float members only, so that both lay them out the same. */
#ifndef FV_SHARED_H
#define FV_SHARED_H

/* Specialization constants that every kernel shares. A kernel's own constants
 * have the ids 0 to 31. */
#define FV_SPEC_STEPS 32  /* 3 per step: kind, a, b (floats by their bits)    */
#define FV_SPEC_LOCAL 60  /* local_size_x                                     */
#define FV_SPEC_TYPES 64  /* + binding: how its elements are stored, below    */

#define FV_STORED_F32 0
#define FV_STORED_F16 1

#define FV_MAX_STEPS 6    /* elementwise steps behind a kernel                */
#define FV_MAX_OPERANDS 2 /* of those, tensors read                           */

/* Elementwise steps: v is the running value, y the step's operand. The same list
 * serves as epilogue of the matrix kernels and as the elementwise kernel. */
#define FV_STEP_NONE 0
#define FV_STEP_RELU 1          /* max (v, 0)                                 */
#define FV_STEP_LEAKY_RELU 2    /* v < 0 ? a v : v                            */
#define FV_STEP_CLIP 3          /* min (max (v, a), b)                        */
#define FV_STEP_SIGMOID 4       /* 1 / (1 + exp (-v))                         */
#define FV_STEP_HARD_SIGMOID 5  /* max (0, min (1, a v + b))                  */
#define FV_STEP_SWISH 6         /* v sigmoid (a v); SiLU: a = 1               */
#define FV_STEP_HARD_SWISH 7    /* v max (0, min (1, v / 6 + 1 / 2))          */
#define FV_STEP_GELU 8          /* v / 2 (1 + erf (v / sqrt 2))               */
#define FV_STEP_GELU_TANH 9     /* tanh approximation, as ONNX Gelu has it    */
#define FV_STEP_TANH 10
#define FV_STEP_ERF 11
#define FV_STEP_EXP 12
#define FV_STEP_LOG 13
#define FV_STEP_SQRT 14
#define FV_STEP_RECIPROCAL 15
#define FV_STEP_ABS 16
#define FV_STEP_FLOOR 17
#define FV_STEP_CEIL 18
#define FV_STEP_ROUND 19        /* half to even                               */
#define FV_STEP_SIGN 20
#define FV_STEP_SIN 21
#define FV_STEP_COS 22
#define FV_STEP_SOFTPLUS 23     /* log (1 + exp (v))                          */
#define FV_STEP_ELU 24          /* v < 0 ? a (exp (v) - 1) : b v              */
#define FV_STEP_MISH 25         /* v tanh (softplus (v))                      */
#define FV_STEP_AFFINE 26       /* a v + b                                    */
#define FV_STEP_POW 27          /* v ^ a                                      */
#define FV_STEP_SOFTSIGN 28
#define FV_STEP_THRESHOLD 29    /* v > a ? v : 0                              */
#define FV_STEP_ADD 64          /* v + y                                      */
#define FV_STEP_SUB 65          /* v - y                                      */
#define FV_STEP_RSUB 66         /* y - v                                      */
#define FV_STEP_MUL 67
#define FV_STEP_DIV 68          /* v / y                                      */
#define FV_STEP_RDIV 69         /* y / v                                      */
#define FV_STEP_MAX 70
#define FV_STEP_MIN 71
#define FV_STEP_POW_Y 72        /* v ^ y                                      */
#define FV_STEP_RPOW_Y 73       /* y ^ v                                      */
#define FV_STEP_PRELU 74        /* v < 0 ? y v : v                            */

#define FV_STEP_HAS_OPERAND(kind) ((kind) >= 64)

#ifdef __STDC__
#include <stdint.h>
typedef int32_t fv_int;
#define FV_STRUCT(name) typedef struct name name; struct name
#else
#define fv_int int
#define FV_STRUCT(name) struct name
#endif

/* An operand of an epilogue, in vec4 units: element (row, c) lies at
 * base + row * stride + c; stride 0 is a vector over the inner axis. */
FV_STRUCT (FvOperandPush)
{
  fv_int base;
  fv_int stride;
};

#endif
