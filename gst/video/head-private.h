/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the families of heads share. */
#pragma once

#include "gst/video/gstfoveahead.h"
#include "shaders/heads.h"

G_BEGIN_DECLS

/* One family of heads: fills head->dispatches, then per frame values and
 * results. */
typedef struct
{
  gboolean (*prepare) (GstFoveaHead *head, GError **error);
  void (*write_values) (const GstFoveaHead *head, FvHeadValues *values);
  /* (nullable) of heads that read arrays: whether those can be read */
  gboolean (*check) (GstFoveaHead *head, GError **error);
  void (*read) (GstFoveaHead *head, GstFoveaResult *result);
} GstFoveaHeadClass;

struct _GstFoveaHead
{
  const GstFoveaHeadClass *klass;
  FvDevice *device;
  const FvCardHead *card;
  const FvPort *const *outputs; /* while prepare() runs */
  guint n_outputs;
  FvFrameMap frame;
  GstFoveaHeadParams params;
  FvBuffer *values; /* FvHeadValues, mapped */
  FvBuffer *work; /* (nullable) between dispatches, on the device */
  FvBuffer *download; /* what read() looks at, mapped */
  FvBuffer *priors; /* (nullable) */
  FvArray *const *arrays; /* while take_arrays() to read(): the outputs */
  GstFoveaHeadMap map;
  GArray *fills; /* (element-type GstFoveaFill): before the dispatches */
  GArray *dispatches; /* (element-type FvDispatch) */
  gsize copy_size; /* bytes from work to download, behind the dispatches */
};

typedef struct
{
  FvBuffer *buffer;
  gsize offset, size;
  guint32 value;
} GstFoveaFill;

extern const GstFoveaHeadClass gst_fovea_head_classify;
extern const GstFoveaHeadClass gst_fovea_head_detect;
extern const GstFoveaHeadClass gst_fovea_head_detect_host;
extern const GstFoveaHeadClass gst_fovea_head_segment;
extern const GstFoveaHeadClass gst_fovea_head_depth;

/* The port of output @index; fails where there is none or its place cannot be
 * counted in 31 bits. */
const FvPort *
gst_fovea_head_port (GstFoveaHead *head, guint index, GError **error);
/* TRUE where units of four elements along @axis can be read at once: its
 * elements are neighbours, and all else starts at multiples of four. */
gboolean gst_fovea_port_is_dense (const FvPort *port, gint axis);
void gst_fovea_head_bind (FvDispatch *dispatch, const FvPort *port);
void gst_fovea_head_bind_raw (FvDispatch *dispatch, FvBuffer *buffer,
    gboolean write);
/* Invocations of a workgroup of such a grid. */
guint gst_fovea_head_local (const GstFoveaHead *head);
/* @n invocations, in a flat grid, added to the head. */
void
gst_fovea_head_dispatch (GstFoveaHead *head, FvDispatch *dispatch, guint64 n);
/* One workgroup, as large as the tier's reductions take. */
void gst_fovea_head_dispatch_one (GstFoveaHead *head, FvDispatch *dispatch);
void gst_fovea_head_fill (GstFoveaHead *head, FvBuffer *buffer, gsize offset,
    gsize size, guint32 value);
gboolean gst_fovea_head_make_map (GstFoveaHead *head,
    GstFoveaHeadMapFormat format, gboolean has_matte, GError **error);
/* Where pixels of the frame lie between the elements of a map of @width by
 * @height over the model's input. */
void gst_fovea_head_map_push (const GstFoveaHead *head, const FvPort *port,
    guint y_axis, guint x_axis, gint channel_axis, FvMapPush *push);
/* The axes of height and width of a map, and that no other is larger than 1
 * but @channel_axis. */
gboolean gst_fovea_head_map_axes (const GstFoveaHead *head, const FvPort *port,
    gint channel_axis, guint *y_axis, guint *x_axis, GError **error);

/* Boxes of one class that overlap more than @iou_threshold become the one with
 * the higher score. @boxes: GstFoveaBox, sorted; at most @max stay. */
void gst_fovea_suppress (GArray *boxes, float iou_threshold, guint max);
/* Sorts by falling score, then rising index. */
void gst_fovea_sort_boxes (GArray *boxes);
/* Box @v (score, x0, y0, x1, y1 in pixels of the input) in the frame, unclipped:
 * overlaps are those of the model's boxes. FALSE where it is none. */
gboolean gst_fovea_head_place_box (const GstFoveaHead *head, const float *v,
    GstFoveaBox *box);
/* Sorts, suppresses, cuts at the frame's edges and keeps the best. */
void gst_fovea_head_finish_boxes (const GstFoveaHead *head, GArray *boxes);
/* Pixels of the input in one unit of the model's boxes. */
void gst_fovea_head_box_scale (const GstFoveaHead *head, float *x, float *y);

G_END_DECLS
