/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constants and push structures read by C and by GLSL alike: int, uint and
 * float members only, so that both lay them out the same. */
#ifndef FV_SHARED_H
#define FV_SHARED_H

/* Specialization constants that every kernel shares. A kernel's own constants
 * have the ids 0 to 31. */
#define FV_SPEC_STEPS 32 /* 3 per step: kind, a, b (floats by their bits) */
#define FV_SPEC_LOCAL 60 /* local_size_x */
#define FV_SPEC_TYPES 64 /* + binding: how its elements are stored, below */

#define FV_STORED_F32 0
#define FV_STORED_F16 1

#define FV_MAX_STEPS 6 /* elementwise steps behind a kernel */
#define FV_MAX_OPERANDS 2 /* of those, tensors read */

/* Elementwise steps: v is the running value, y the step's operand. The same list
 * serves as epilogue of the matrix kernels and as the elementwise kernel. */
#define FV_STEP_NONE 0
#define FV_STEP_RELU 1 /* max (v, 0) */
#define FV_STEP_LEAKY_RELU 2 /* v < 0 ? a v : v */
#define FV_STEP_CLIP 3 /* min (max (v, a), b) */
#define FV_STEP_SIGMOID 4 /* 1 / (1 + exp (-v)) */
#define FV_STEP_HARD_SIGMOID 5 /* max (0, min (1, a v + b)) */
#define FV_STEP_SWISH 6 /* v sigmoid (a v); SiLU: a = 1 */
#define FV_STEP_HARD_SWISH 7 /* v max (0, min (1, v / 6 + 1 / 2)) */
#define FV_STEP_GELU 8 /* v / 2 (1 + erf (v / sqrt 2)) */
#define FV_STEP_GELU_TANH 9 /* tanh approximation, as ONNX Gelu has it */
#define FV_STEP_TANH 10
#define FV_STEP_ERF 11
#define FV_STEP_EXP 12
#define FV_STEP_LOG 13
#define FV_STEP_SQRT 14
#define FV_STEP_RECIPROCAL 15
#define FV_STEP_ABS 16
#define FV_STEP_FLOOR 17
#define FV_STEP_CEIL 18
#define FV_STEP_ROUND 19 /* half to even */
#define FV_STEP_SIGN 20
#define FV_STEP_SIN 21
#define FV_STEP_COS 22
#define FV_STEP_SOFTPLUS 23 /* log (1 + exp (v)) */
#define FV_STEP_ELU 24 /* v < 0 ? a (exp (v) - 1) : b v */
#define FV_STEP_MISH 25 /* v tanh (softplus (v)) */
#define FV_STEP_AFFINE 26 /* a v + b */
#define FV_STEP_POW 27 /* v ^ a */
#define FV_STEP_SOFTSIGN 28
#define FV_STEP_THRESHOLD 29 /* v > a ? v : 0 */
#define FV_STEP_TAN 31
#define FV_STEP_ASIN 32
#define FV_STEP_ACOS 33
#define FV_STEP_ATAN 34
#define FV_STEP_SINH 35
#define FV_STEP_COSH 36
#define FV_STEP_ASINH 37
#define FV_STEP_ACOSH 38
#define FV_STEP_ATANH 39
#define FV_STEP_SHRINK 40 /* v < -a ? v + b : v > a ? v - b : 0 */
#define FV_STEP_IS_NAN 41 /* 1 or 0 */
#define FV_STEP_IS_INF 42 /* the same; a: of positive, b: of negative ones */
#define FV_STEP_WRAP 43 /* into a .. a + b - 1, by multiples of b */
#define FV_STEP_TRUNCATE 60 /* towards zero */
#define FV_STEP_QUANTIZE 30 /* a min (max (round (v / a), b), b + 255) */
#define FV_STEP_QUANTIZE_BY 61 /* the same by half @a of a vec4: a, b, a, b */
#define FV_STEP_ADD 64 /* v + y */
#define FV_STEP_SUB 65 /* v - y */
#define FV_STEP_RSUB 66 /* y - v */
#define FV_STEP_MUL 67
#define FV_STEP_DIV 68 /* v / y */
#define FV_STEP_RDIV 69 /* y / v */
#define FV_STEP_MAX 70
#define FV_STEP_MIN 71
#define FV_STEP_POW_Y 72 /* v ^ y */
#define FV_STEP_RPOW_Y 73 /* y ^ v */
#define FV_STEP_PRELU 74 /* v < 0 ? y v : v */
#define FV_STEP_EQUAL 75 /* v == y ? 1 : 0; so on: bools are 0 and 1 */
#define FV_STEP_LESS 76
#define FV_STEP_LESS_OR_EQUAL 77
#define FV_STEP_GREATER 78
#define FV_STEP_GREATER_OR_EQUAL 79
#define FV_STEP_INTEGER_DIV 90 /* v / y of integers, towards zero; y 0: 0 */
#define FV_STEP_MOD 91 /* what is left of v / y, with the sign of y */
#define FV_STEP_REST 92 /* the same with the sign of v */
#define FV_STEP_INTEGER_MOD 93 /* both of integers; y 0: 0 */
#define FV_STEP_INTEGER_REST 94
#define FV_STEP_AND 95 /* bits */
#define FV_STEP_OR 96
#define FV_STEP_XOR 97
#define FV_STEP_SHIFT_LEFT 98 /* y over 31: 0 */
#define FV_STEP_SHIFT_RIGHT 99

#define FV_STEP_HAS_OPERAND(kind) ((kind) >= 64)

#ifdef __STDC__
#include <stdint.h>
typedef int32_t fv_int;
#define FV_STRUCT(name) \
  typedef struct name name; \
  struct name
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

/* copy.comp: rows of vec4 units of the target; axes stand innermost first. */
FV_STRUCT (FvCopyPush)
{
  fv_int units; /* vec4 to write */
  fv_int row_units; /* of those in a row */
  fv_int n; /* elements in a row */
  fv_int shift; /* elements before the row in its first vec4 */
  fv_int target; /* vec4 units */
  fv_int source; /* elements */
  fv_int source_inner; /* stride along the row, see FV_COPY_* */
  fv_int size[4]; /* of the axes around the rows, but the last */
  fv_int target_stride[5]; /* vec4 units */
  fv_int source_stride[5]; /* elements */
  fv_int from_size[5]; /* FV_COPY_RAVEL: the source's own axes */
  fv_int from_stride[6];
};

/* How copy.comp finds a row's elements in the source. */
#define FV_COPY_VEC4 0 /* in vec4 units on both sides */
#define FV_COPY_STRIDED 1 /* one by one, by source_inner */
#define FV_COPY_RAVEL \
  2 /* strides count elements in row-major order, which are
                             looked up in the source's own axes */

/* join.comp: rows of the target, the sources' beside each other. */
#define FV_JOIN_SOURCES 4
FV_STRUCT (FvJoinPush)
{
  fv_int units; /* vec4 to write */
  fv_int row_units; /* of those in a row */
  fv_int n; /* elements in a row */
  fv_int target; /* vec4 units */
  fv_int target_stride; /* of rows, vec4 units */
  fv_int start[FV_JOIN_SOURCES]; /* where a source's elements begin in a row */
  fv_int source[FV_JOIN_SOURCES]; /* elements */
  fv_int source_stride[FV_JOIN_SOURCES]; /* of rows */
  fv_int source_inner[FV_JOIN_SOURCES]; /* along a row */
};

/* elementwise.comp: input 0 is the running value, 1 to 3 are operands of steps.
 * Axes around the rows stand innermost first. */
#define FV_ELEMENTWISE_INPUTS 4
FV_STRUCT (FvElementwisePush)
{
  fv_int units; /* vec4 to write */
  fv_int row_units; /* of those in a row */
  fv_int n; /* elements in a row */
  fv_int target; /* vec4 units */
  fv_int size[3]; /* of the axes, but the last */
  fv_int target_stride[4]; /* vec4 units */
  fv_int base[4]; /* of each input, in elements, as its strides */
  fv_int inner[4]; /* along the row */
  fv_int stride[12]; /* of 4 inputs along 3 axes each, or of 3 along 4 */
};

/* How an input of elementwise.comp is read. */
#define FV_ELEMENTWISE_VEC4 0
#define FV_ELEMENTWISE_SPLAT 1 /* one element a row */
#define FV_ELEMENTWISE_STRIDED 2 /* element by element */
#define FV_ELEMENTWISE_ABSENT 3

/* remap.comp: where the target's position along an axis has its own table, the
 * table says which position of the source it takes. */
FV_STRUCT (FvRemapPush)
{
  fv_int units; /* vec4 to write */
  fv_int row_units; /* of those in a row */
  fv_int n; /* elements in a row */
  fv_int target; /* vec4 units */
  fv_int source; /* elements */
  fv_int source_inner; /* stride along the row */
  float value; /* where a table says -1 */
  fv_int outside; /* not 0: it is -1 everywhere */
  fv_int size[4]; /* of the axes around the rows, but the last */
  fv_int target_stride[5]; /* vec4 units */
  fv_int source_stride[5]; /* elements */
  fv_int table[6]; /* start of each axis' table, [5] the row's; -1: none */
};

/* norm.comp and softmax.comp. Rows of width elements; all bases and strides here
 * and below are in vec4 units. */
#define FV_ROW_LAYER 0 /* (x - mean) / deviation */
#define FV_ROW_RMS 1 /* x / root of the mean square */
#define FV_ROW_L1 2 /* x / sum of magnitudes */
#define FV_ROW_L2 3 /* x / root of the sum of squares */
#define FV_ROW_MEAN 4 /* of FV_ROW_LAYER: the mean alone */
#define FV_ROW_INVERSE 5 /* ... 1 / deviation alone */
#define FV_ROW_SOFTMAX 0
#define FV_ROW_LOG_SOFTMAX 1
FV_STRUCT (FvRowPush)
{
  fv_int rows, width;
  fv_int x_base, x_row, y_base, y_row;
  fv_int scale_base, scale_row, bias_base, bias_row;
  fv_int unit; /* of rows gathered: vec4 of a row of x */
  float epsilon;
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* lrn.comp: rows of channels. */
FV_STRUCT (FvLrnPush)
{
  fv_int rows, channels;
  fv_int x_base, x_row, y_base, y_row;
  fv_int before, after; /* channels below and above that count */
  float alpha, beta, bias; /* alpha divided by the size */
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* channelstats.comp: maps of rows pixels, units vec4 of channels each. */
#define FV_STATS_AVERAGE 0
#define FV_STATS_MAX 1
#define FV_STATS_MOMENTS 2 /* mean, then the sum of squares around it */
#define FV_STATS_LP 3 /* p-th root of the sum of p-th powers */
FV_STRUCT (FvStatsPush)
{
  fv_int rows, units, channels;
  fv_int x_base, x_map, x_row;
  fv_int y_base, y_map;
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* normmap.comp: all of it at once. */
FV_STRUCT (FvMapNormPush)
{
  fv_int rows, units, channels; /* vec4 of a group */
  fv_int x_base, x_map, x_row;
  fv_int y_base, y_map, y_row;
  fv_int scale_base, bias_base;
  float epsilon;
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* normgroup.comp: what channelstats.comp found, made mean and factor per channel. */
FV_STRUCT (FvGroupPush)
{
  fv_int units, channels, group; /* channels of a group */
  fv_int maps, scale_base, bias_base;
  float count; /* pixels of a map */
  float epsilon;
};

/* normapply.comp: (x - mean) factor + bias for every channel. */
FV_STRUCT (FvApplyPush)
{
  fv_int rows, units, channels;
  fv_int x_base, x_map, x_row;
  fv_int y_base, y_map, y_row;
  fv_int table_map;
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* attention.comp: axes batch, head, row of each tensor. */
FV_STRUCT (FvAttentionPush)
{
  fv_int m, n, d, dv;
  float scale, least; /* least: no length counts as less */
  fv_int scales; /* element of the first head's */
  fv_int q[4], k[4], v[4], y[4]; /* base, batch, head, row */
  fv_int bias[4]; /* the same; in elements where one per row */
};

/* channelattention.comp: axes batch, head, token of each tensor. */
#define FV_CHANNEL_KEYS 16 /* vec4 of a token's keys at most */
#define FV_CHANNEL_BLOCK \
  8 /* vec4 of q's channels a workgroup, workgroup tier */
FV_STRUCT (FvChannelAttentionPush)
{
  fv_int m, n, tokens; /* channels of q and of k; rows */
  float scale, least; /* least: no length counts as less */
  fv_int scales; /* element of the first head's */
  fv_int q[4], k[4], v[4], y[4]; /* base, batch, head, token */
};

/* pool.comp: axes depth, height, width. */
#define FV_POOLS_MAX 0
#define FV_POOLS_AVERAGE 1
#define FV_POOLS_AVERAGE_PADDED 2 /* padding counts */
#define FV_POOLS_LP 3 /* p-th root of the sum of p-th powers */
FV_STRUCT (FvPoolPush)
{
  fv_int units, channels;
  fv_int in_size[3], out_size[3];
  fv_int kernel_stride[3]; /* kernel | stride << 16 */
  fv_int begin_dilation[3]; /* the same */
  fv_int padded[3]; /* size with the padding behind */
  fv_int x_base, x[4], y_base, y[4]; /* map, depth, height, width */
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* poolindices.comp: where in the whole input a MaxPool found its values. */
FV_STRUCT (FvPoolIndicesPush)
{
  fv_int units, channels;
  fv_int in_size[3], out_size[3];
  fv_int kernel_stride[3]; /* as FvPoolPush */
  fv_int begin_dilation[3];
  fv_int place[3]; /* what a step along each axis adds to an index */
  fv_int x_base, x[4], y_base, y[4];
};

/* unpool.comp: the other way. */
FV_STRUCT (FvUnpoolPush)
{
  fv_int units, channels;
  fv_int in_size[3], out_size[3];
  fv_int map_size[3]; /* in which indices count; not above out_size */
  fv_int kernel_stride[3]; /* as FvPoolPush */
  fv_int begin_dilation[3];
  fv_int x_base, x[4], y_base, y[4];
  fv_int indices_base, indices[4];
};

/* resize.comp: axes outer, middle, height, width; the last two are resampled. */
FV_STRUCT (FvResizePush)
{
  fv_int units, channels;
  fv_int middle, height, width; /* of the output */
  fv_int rows_taps, columns_taps; /* table entries per output */
  fv_int x_base, x[4], y_base, y[4], row[4];
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* gridsample.comp: axes depth, height, width; an image has a depth of 1. */
#define FV_SAMPLE_ZEROS 0
#define FV_SAMPLE_BORDER 1
#define FV_SAMPLE_REFLECTION 2
FV_STRUCT (FvGridSamplePush)
{
  fv_int units, channels;
  fv_int in_size[3], out_size[3];
  fv_int x_base, x[4], y_base, y[4]; /* map, depth, height, width */
  fv_int grid_base, grid[5]; /* in elements; the last: between coordinates */
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* deformattention.comp: maps of levels, one after another in a storage. */
#define FV_DEFORM_LEVELS 4
#define FV_DEFORM_SIDE 32767 /* of a map, at most */
#define FV_DEFORM_POINTS 64 /* of a query on a level, at most */
FV_STRUCT (FvDeformAttentionPush)
{
  fv_int channels, heads, queries;
  fv_int size[FV_DEFORM_LEVELS]; /* rows << 16 | columns */
  fv_int x_base[FV_DEFORM_LEVELS], x[3]; /* image, head, pixel */
  fv_int grid_base[FV_DEFORM_LEVELS]; /* in elements, as is what follows */
  fv_int grid[5]; /* image, head, query, point, coordinate */
  fv_int weight_base, weight[4]; /* image, head, query, point */
  fv_int y_base, y[3]; /* image, query, head; in vec4 units */
};

/* roialign.comp: axes height, width. */
#define FV_ROI_SAMPLES 4096 /* of a bin along an axis, at most */
FV_STRUCT (FvRoiAlignPush)
{
  fv_int units, channels;
  fv_int maps, samples; /* of a bin along an axis; 0: as the box is large */
  float scale;
  fv_int in_size[2], out_size[2];
  fv_int x_base, x[3], y_base, y[3]; /* map (or box), height, width */
  fv_int rois_base, rois[2]; /* in elements: between boxes, numbers */
  fv_int map_base, map; /* in elements */
  FvOperandPush operand[FV_MAX_OPERANDS];
};

/* reduce.comp: rows of the target; around them the axes that stay, and inside of
 * each element the axes that go. */
FV_STRUCT (FvReducePush)
{
  fv_int units; /* vec4 to write */
  fv_int row_units; /* of those in a row */
  fv_int n; /* elements in a row */
  fv_int target; /* vec4 units */
  fv_int source; /* elements */
  fv_int source_inner; /* along the target's row */
  fv_int line; /* elements of the reduced innermost axis */
  fv_int rounds; /* product of gone_size, the last one included */
  float scale; /* of means: 1 / elements */
  fv_int size[3]; /* of the axes that stay, but the last */
  fv_int target_stride[4]; /* vec4 units */
  fv_int source_stride[4]; /* elements */
  fv_int gone_size[4]; /* of the axes that go, but the last */
  fv_int gone_stride[5]; /* elements */
};

/* argmax.comp: for each element of the target, the position of the largest of a
 * line of the source. */
FV_STRUCT (FvArgPush)
{
  fv_int units; /* vec4 to write */
  fv_int row_units; /* of those in a row */
  fv_int n; /* elements in a row */
  fv_int target; /* vec4 units */
  fv_int source; /* elements */
  fv_int source_inner; /* along the target's row */
  fv_int line; /* elements of a line */
  fv_int line_stride;
  fv_int size[4]; /* of the axes around the rows, but the last */
  fv_int target_stride[5]; /* vec4 units */
  fv_int source_stride[5]; /* elements */
};

/* How argmax.comp reads. */
#define FV_ARG_STRIDED 0 /* element by element */
#define FV_ARG_LANES 1 /* lines side by side, in vec4 units */
#define FV_ARG_LINE 2 /* a line's elements side by side, in vec4 units */

/* topk.comp: the k largest of each row, and where they were; bases and strides in
 * vec4 units. */
FV_STRUCT (FvTopkPush)
{
  fv_int rows, width, k;
  fv_int x_base, x_row;
  fv_int values_base, values_row;
  fv_int indices_base, indices_row;
};

/* pick.comp: elements that run-time indices choose along some axes. Axes around
 * the rows stand innermost first. */
#define FV_PICK_AXES 4
#define FV_PICK_DEPTH 4
FV_STRUCT (FvPickPush)
{
  fv_int units; /* vec4 to write */
  fv_int row_units; /* of those in a row */
  fv_int n; /* elements in a row */
  fv_int target; /* vec4 units */
  fv_int source, index; /* elements */
  fv_int source_inner, index_inner; /* along the row */
  fv_int depth_stride; /* between the indices of one element */
  fv_int size[3]; /* of the axes, but the last */
  fv_int target_stride[4]; /* vec4 units */
  fv_int source_stride[4]; /* elements */
  fv_int index_stride[4];
  fv_int chosen_size[4]; /* of the source's axes that indices run along */
  fv_int chosen_stride[4];
};

/* cumsum.comp: lines of elements; axes around the rows stand innermost first. */
FV_STRUCT (FvSumPush)
{
  fv_int units; /* row_units * sizes */
  fv_int row_units; /* vec4 units of lines side by side; 1: along rows */
  fv_int n; /* lines side by side */
  fv_int line; /* elements of a line */
  fv_int target, target_line; /* vec4 units; line: from element to element */
  fv_int source, source_line, source_inner; /* elements */
  fv_int size[4];
  fv_int target_stride[4]; /* vec4 units */
  fv_int source_stride[4]; /* elements */
};

/* scatter.comp: updates written where indices say. Axes around the rows stand
 * innermost first; the shares of the slots stand outside of them. */
#define FV_SCATTER_AXES 3
#define FV_SCATTER_DEPTH 6
FV_STRUCT (FvScatterPush)
{
  fv_int units; /* row_units * sizes * shares */
  fv_int row_units; /* vec4 units in a row */
  fv_int n; /* elements in a row */
  fv_int count; /* indices that each row goes through */
  fv_int share; /* slots that one invocation owns */
  fv_int target, target_step; /* vec4 units; step from slot to slot */
  fv_int index, index_step, index_inner; /* elements; inner: along the row */
  fv_int update, update_step, update_inner;
  fv_int size[3];
  fv_int target_stride[3]; /* vec4 units */
  fv_int index_stride[3]; /* elements */
  fv_int update_stride[3];
  fv_int chosen_size[6]; /* of the axes that indices run along */
};

/* What an index of scatter.comp chooses. */
#define FV_SCATTER_LANES 0 /* a slot for each element of a row */
#define FV_SCATTER_BLOCK 1 /* one for all of a row */
#define FV_SCATTER_ELEMENT 2 /* one element: slots are the target's units */

#define FV_SCATTER_NONE 0
#define FV_SCATTER_ADD 1
#define FV_SCATTER_MUL 2
#define FV_SCATTER_MAX 3
#define FV_SCATTER_MIN 4

#define FV_REDUCE_SUM 0
#define FV_REDUCE_MEAN 1
#define FV_REDUCE_MAX 2
#define FV_REDUCE_MIN 3
#define FV_REDUCE_PROD 4
#define FV_REDUCE_L1 5
#define FV_REDUCE_L2 6
#define FV_REDUCE_LOG_SUM 7
#define FV_REDUCE_LOG_SUM_EXP 8
#define FV_REDUCE_SUM_SQUARE 9

/* peak.comp */
#define FV_PEAK_UNITS 16 /* vec4 units that an invocation copies */
#define FV_PEAK_STEPS 8 /* of a round, with 16 multiply-adds each */
#define FV_PEAK_FLOPS (FV_PEAK_STEPS * 32)

#endif
