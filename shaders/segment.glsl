/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classes at logits, between them, and which of them a block of pixels can have;
 * included by segment.comp behind its bindings. */

#define LOWEST -3.4e38
#define MANY 0xffffffff /* classes around a block differ */
#define MOST_LOGITS 64  /* that a look at each is worth */
#define FEW_GROUPS 2    /* of four channels: not worth a selection */
#define MOST_GROUPS 8
#define PER_WORD (32 / bits)

int element (int x, int y)
{
  return p.offset + y * p.stride_y + x * p.stride_x;
}

/* Channels c to c + 3, the lowest value behind the last. */
vec4 load4 (int e, int c)
{
  ivec4 at = min (ivec4 (c, c + 1, c + 2, c + 3), p.channels - 1);
  vec4 v;
  if (dense != 0)
    v = FV_LOAD (logits, (e + c) >> 2);
  else
    v = vec4 (FV_LOAD1 (logits, e + at.x * p.stride_c), FV_LOAD1 (logits, e + at.y * p.stride_c),
      FV_LOAD1 (logits, e + at.z * p.stride_c), FV_LOAD1 (logits, e + at.w * p.stride_c));
  return mix (vec4 (LOWEST), v, lessThan (ivec4 (c, c + 1, c + 2, c + 3), ivec4 (p.channels)));
}

void offer (vec4 v, int c, inout float best, inout uint found)
{
  if (v.x > best) { best = v.x; found = uint (c); }
  if (v.y > best) { best = v.y; found = uint (c + 1); }
  if (v.z > best) { best = v.z; found = uint (c + 2); }
  if (v.w > best) { best = v.w; found = uint (c + 3); }
}

uint number (float v)
{
  uint most = (1u << bits) - 1;
  return fv_is_nan (v) ? 0 : uint (clamp (v + 0.5, 0.0, float (most)));
}

/* What a threshold compares at one logit. */
float foreground (int e)
{
  float v = FV_LOAD1 (logits, e);
  return pair == FV_SEGMENT_DIFFERENCE ? v - FV_LOAD1 (logits, e + p.stride_c) : v;
}

/* The class of a value of one map, and above its eight bits how surely it is
 * that: neither falls where the value grows. */
uint judge (float v)
{
  uint c = uint (v >= values.threshold ? 1 - below : below);
  float sure = matte == FV_SEGMENT_LOGIT ? 1 / (1 + exp (-v)) : v;
  if (matte == FV_SEGMENT_NO_MATTE || fv_is_nan (v))
    return c;
  return c | uint (clamp (sure, 0.0, 1.0) * 255.0 + 0.5) << 8;
}

/* The class at one logit, with its matte where there is one. */
uint class_at (int x, int y)
{
  int e = element (x, y);
  if (mode == FV_SEGMENT_NUMBERS)
    return number (FV_LOAD1 (logits, e));
  if (mode == FV_SEGMENT_THRESHOLD)
    return judge (foreground (e));
  float best = LOWEST;
  uint found = 0;
  for (int c = 0; c < p.channels; c += 4)
    offer (load4 (e, c), c, best, found);
  return found;
}

/* Where a pixel lies between logits, inside of the map. */
vec2 locate (ivec2 pixel)
{
  vec2 at = vec2 (pixel) * vec2 (p.scale_x, p.scale_y) + vec2 (p.bias_x, p.bias_y);
  return clamp (at, vec2 (0), vec2 (p.map_width - 1, p.map_height - 1));
}

/* Groups of four channels that a block's pixels must look at: all of them, or
 * those in the list. */
int n_groups;
bool is_selected;
uvec4 selected; /* eight numbers of 16 bits */

int group_at (int i)
{
  return is_selected ? int (bitfieldExtract (selected[i >> 1], 16 * (i & 1), 16)) : i;
}

float largest (vec4 v)
{
  return max (max (v.x, v.y), max (v.z, v.w));
}

/* A channel that is nowhere around the block as large as another one is everywhere
 * around it can be the largest nowhere in it. */
void select_groups (ivec2 low, ivec2 high)
{
  int all = n_groups;
  float bar = LOWEST;
  if (all <= FEW_GROUPS)
    return;
  for (int pass = 0; pass < 2; pass++) {
    n_groups = 0;
    for (int g = 0; g < all; g++) {
      vec4 least = vec4 (-LOWEST), most = vec4 (LOWEST);
      for (int y = low.y; y <= high.y; y++)
        for (int x = low.x; x <= high.x; x++) {
          vec4 v = load4 (element (x, y), 4 * g);
          least = min (least, v);
          most = max (most, v);
        }
      if (pass == 0) {
        bar = max (bar, largest (least));
      } else if (!(largest (most) < bar)) {
        if (n_groups < MOST_GROUPS) {
          int i = n_groups >> 1;
          selected[i] = bitfieldInsert (selected[i], uint (g), 16 * (n_groups & 1), 16);
        }
        n_groups++;
      }
    }
  }
  is_selected = n_groups <= MOST_GROUPS;
  if (!is_selected)
    n_groups = all;
}

uint class_between (vec2 at)
{
  if (mode == FV_SEGMENT_NUMBERS) {
    ivec2 nearest = ivec2 (at + 0.5);
    return class_at (nearest.x, nearest.y);
  }
  ivec2 low = ivec2 (at), high = ivec2 (ceil (at));
  vec2 f = at - vec2 (low);
  if (low == high)
    return class_at (low.x, low.y);
  int e00 = element (low.x, low.y), e01 = element (high.x, low.y);
  int e10 = element (low.x, high.y), e11 = element (high.x, high.y);
  if (mode == FV_SEGMENT_THRESHOLD) {
    float upper = mix (foreground (e00), foreground (e01), f.x);
    float lower = mix (foreground (e10), foreground (e11), f.x);
    return judge (mix (upper, lower, f.y));
  }
  float best = LOWEST;
  uint found = 0;
  for (int i = 0; i < n_groups; i++) {
    int c = 4 * group_at (i);
    vec4 upper = mix (load4 (e00, c), load4 (e01, c), f.x);
    vec4 lower = mix (load4 (e10, c), load4 (e11, c), f.x);
    offer (mix (upper, lower, f.y), c, best, found);
  }
  return found;
}

/* The one class at all logits that the block's pixels lie between, or MANY. */
uint same_class (ivec2 low, ivec2 high)
{
  uint same = class_at (low.x, low.y);
  for (int y = low.y; y <= high.y && same != MANY; y++)
    for (int x = low.x; x <= high.x && same != MANY; x++)
      if (class_at (x, y) != same)
        same = MANY;
  return same;
}
