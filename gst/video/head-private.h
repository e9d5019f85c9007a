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
  FvBuffer *pieces; /* (nullable) owned: what is copied instead of work */
  FvBuffer *work; /* (nullable) between dispatches, on the device */
  FvBuffer *download; /* what read() looks at, mapped */
  FvArray *const *arrays; /* while take_arrays() to read(): the outputs */
  GPtrArray *owned; /* (element-type FvBuffer) more between dispatches */
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
extern const GstFoveaHeadClass gst_fovea_head_prototypes;
extern const GstFoveaHeadClass gst_fovea_head_queries;

/* What a head's buffer holds beside the map. */
typedef enum
{
  GST_FOVEA_HEAD_MAP_ALONE,
  GST_FOVEA_HEAD_MATTE,
  GST_FOVEA_HEAD_INSTANCES,
} GstFoveaHeadPlane;

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
/* A buffer of vec4 units of F32. */
void gst_fovea_head_bind_units (FvDispatch *dispatch, FvBuffer *buffer,
    gboolean write);
/* A buffer that lives as long as the head, which it belongs to. */
FvBuffer *gst_fovea_head_own (GstFoveaHead *head, guint64 size, FvMemoryUse use,
    GError **error);
/* Invocations of a workgroup of such a grid. */
guint gst_fovea_head_local (const GstFoveaHead *head);
/* @n invocations, in a flat grid, added to the head. */
void
gst_fovea_head_dispatch (GstFoveaHead *head, FvDispatch *dispatch, guint64 n);
/* Workgroups in two directions over the frame, in blocks of pixels. */
void gst_fovea_head_dispatch_tiles (GstFoveaHead *head, FvDispatch *dispatch,
    const FvMapPush *push);
/* One workgroup, as large as the tier's reductions take. */
void gst_fovea_head_dispatch_one (GstFoveaHead *head, FvDispatch *dispatch);
void gst_fovea_head_fill (GstFoveaHead *head, FvBuffer *buffer, gsize offset,
    gsize size, guint32 value);
gboolean gst_fovea_head_make_map (GstFoveaHead *head,
    GstFoveaHeadMapFormat format, GstFoveaHeadPlane more, GError **error);
/* Where pixels of the frame lie between the elements of a map of @width by
 * @height over the model's input. */
void gst_fovea_head_map_push (const GstFoveaHead *head, const FvPort *port,
    guint y_axis, guint x_axis, gint channel_axis, FvMapPush *push);
/* The axes of height and width of a map, and that no other is larger than 1
 * but @channel_axis. */
gboolean gst_fovea_head_map_axes (const GstFoveaHead *head, const FvPort *port,
    gint channel_axis, guint *y_axis, guint *x_axis, GError **error);

/* Bytes of the list of the best boxes. */
#define GST_FOVEA_HEAD_BOX_BYTES \
  ((FV_BOXES_HEADER + GST_FOVEA_MAX_CANDIDATES * FV_BOX_WORDS) \
      * sizeof (guint32))
/* Decodes boxes; @best: where the best of them go. */
gboolean
gst_fovea_head_add_boxes (GstFoveaHead *head, FvBuffer *best, GError **error);
/* A map of classes from @port, and the shares of each class. */
gboolean gst_fovea_head_add_segment (GstFoveaHead *head, const FvPort *port,
    GError **error);
void gst_fovea_head_read_shares (GstFoveaHead *head, GstFoveaResult *result);

/* The steps of heads that find pieces, head-pieces.c. */
typedef struct
{
  const FvPort *port; /* of the maps: prototypes or queries' */
  guint y_axis, x_axis;
  FvMasksPush push;
  FvBuffer *values; /* of pieces at pixels of the maps */
  gfloat inside;
  gboolean is_prototypes;
} GstFoveaPieces;

/* Finds the maps, and makes room for at most @capacity pieces and for maps over
 * the frame. */
gboolean gst_fovea_pieces_init (GstFoveaHead *head, GstFoveaPieces *pieces,
    gint channel_axis, guint capacity, GError **error);
/* From the values to the map of pieces, and from that to those of classes and
 * instances. */
void gst_fovea_pieces_paint (GstFoveaHead *head, const GstFoveaPieces *pieces);
void gst_fovea_pieces_relabel (GstFoveaHead *head);
/* Words of piece @i behind the device, NULL behind the last. */
const guint32 *gst_fovea_pieces_get (const GstFoveaHead *head, guint i);
/* Shares of the frame by class. */
void
gst_fovea_pieces_read_shares (const GstFoveaHead *head, GstFoveaResult *result);

/* Boxes of one class that overlap more than @iou_threshold become the one with
 * the higher score. @boxes: GstFoveaBox, sorted; at most @max stay. */
void gst_fovea_suppress (GArray *boxes, float iou_threshold, guint max);
/* Sorts by falling score, then rising index. */
void gst_fovea_sort_boxes (GArray *boxes);
/* Box @v (score, x0, y0, x1, y1 in pixels of the input) in the frame, unclipped:
 * overlaps are those of the model's boxes. FALSE where it is none. */
gboolean gst_fovea_head_place_box (const GstFoveaHead *head, const float *v,
    GstFoveaBox *box);
/* What is seen of a box; FALSE where that is nothing. */
gboolean gst_fovea_head_clip_box (const GstFoveaHead *head, GstFoveaBox *box);
/* Sorts, suppresses, cuts at the frame's edges and keeps the best. */
void gst_fovea_head_finish_boxes (const GstFoveaHead *head, GArray *boxes);
/* Pixels of the input in one unit of the model's boxes. */
void gst_fovea_head_box_scale (const GstFoveaHead *head, float *x, float *y);

G_END_DECLS
