/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The windows of pools, for shaders that declare push with their sizes. */
#define KERNEL(a) (push.kernel_stride[a] & 0xffff)
#define STRIDE(a) (push.kernel_stride[a] >> 16)
#define BEGIN(a) (push.begin_dilation[a] & 0xffff)
#define DILATION(a) (push.begin_dilation[a] >> 16)
#define LOWEST uintBitsToFloat (0xff800000u) /* minus infinity */

/* Taps of the window from @start along axis @a that lie in 0..@size-1: the first
 * and the one behind the last. */
ivec2 window_taps (int a, int start, int size, bool dilated)
{
  int d = DILATION (a);

  if (!dilated) /* no divisions, which are slow */
    return ivec2 (max (-start, 0), min (KERNEL (a), max (size - start, 0)));
  return ivec2 (start < 0 ? (d - 1 - start) / d : 0,
    min (KERNEL (a), (max (size - start, 0) + d - 1) / d));
}
