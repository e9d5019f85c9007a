/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>
#include "gst/card/card.h"
#include "gst/engine/graph.h"

G_BEGIN_DECLS

/**
 * GstFoveaImport:
 *
 * Frames in system memory -> the image input of a model, on the
 * device: colours, resize, normalisation and layout in one dispatch, or in two
 * where a pixel of the input is made of more than 2 x 2 of the frame.
 *
 * Life:    gst_fovea_import_new() for one kind of frames and one graph slot;
 *          gst_fovea_import_add() puts its dispatches into a program that is
 *          submitted in front of fv_graph_program() of that slot. Then for each
 *          frame: upload, submit; the next upload after fv_device_wait().
 * Shapes:  frames: GST_FOVEA_VIDEO_FORMATS of any size, any strides, part of a
 *          larger one (GstVideoCropMeta), interlaced, turned; the input: 3
 *          channels or 1, rank 3 or 4 with a batch of 1, channels or columns
 *          innermost.
 * Values:  pixel centres lie at halves (PyTorch's align_corners=False, Pillow).
 *          Chroma is interpolated where its siting says, colours follow matrix and
 *          range of the caps and are clamped to 0..1 before the resize, all in
 *          f32. Gray is 0.299 R + 0.587 G + 0.114 B. The fields of an interlaced
 *          frame are woven, each with chroma of its own. The model sees the
 *          picture upright.
 * Memory:  everything is allocated in new, upload only copies. Frames in memory
 *          that the device reads need no upload: new takes their place then.
 * Threads: one at a time.
 * Errors:  FV_ERROR_UNSUPPORTED (format, layout), FV_ERROR_INVALID,
 *          FV_ERROR_TOO_LARGE, FV_ERROR_DEVICE.
 */
typedef struct _GstFoveaImport GstFoveaImport;

/* What caps leave open about a frame and programs depend on; zero: nothing. */
typedef struct
{
  guint x, y; /* pixels of the frame before the picture's first that its chroma
                 needs: at most 1, and 3 */
  gboolean is_interlaced;
  GstVideoOrientationMethod turn; /* what puts the picture upright */
} GstFoveaFraming;

/* Where in @frame, which may be larger, the picture of @info lies, as its
 * GstVideoCropMeta says. Sets @framing's all but turn. */
FV_API gboolean gst_fovea_framing_init (GstFoveaFraming *framing,
    const GstVideoInfo *info, const GstVideoFrame *frame, GError **error);

/* Where a frame lies that the device reads in place: private to libgstfovea. */
typedef struct _GstFoveaPlace GstFoveaPlace;

/* @framing: (nullable): as %NULL: zero. @place: (nullable): %NULL for frames that are
 * uploaded. @map: of the picture upright, by
 * fv_frame_map_init(). @port: the graph
 * slot's input; the graph must outlive the programs, nothing else is kept. */
FV_API GstFoveaImport *gst_fovea_import_new (FvDevice *device,
    const GstVideoInfo *info, const GstFoveaFraming *framing,
    const GstFoveaPlace *place, const FvCardInput *input, const FvPort *port,
    const FvFrameMap *map, GError **error);
FV_API void gst_fovea_import_free (GstFoveaImport *import); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaImport, gst_fovea_import_free)

FV_API void gst_fovea_import_add (GstFoveaImport *import, FvProgram *program);
/* Copies the picture in @frame, mapped for reading and of the format and framing of
 * new, to where the device reads it. Returns the bytes copied: 0 for frames that have a
 * place. */
FV_API gsize gst_fovea_import_upload (GstFoveaImport *import,
    const GstVideoFrame *frame);
/* The same of images, by the device, in front of the program; see
 * gstfoveaimages.h. The place of new said that they come. */
typedef struct _GstFoveaImages GstFoveaImages;
FV_API gboolean gst_fovea_import_read (GstFoveaImport *import,
    GstFoveaImages *images, const GstVideoFrame *frame, GError **error);
/* Bytes taken on the device, without the port. */
FV_API gsize gst_fovea_import_memory (GstFoveaImport *import);

/* The same in plain C, in double precision and pixel by pixel: what the device is
 * compared with, and what feeds a model that runs on the C references. @info: of the
 * caps.
 * Returns: (transfer full): F32, of the shape of the input */
FV_API FvArray *gst_fovea_import_reference (const GstVideoFrame *frame,
    const GstVideoInfo *info, const GstFoveaFraming *framing,
    const FvCardInput *input, const FvFrameMap *map, GError **error);

G_END_DECLS
