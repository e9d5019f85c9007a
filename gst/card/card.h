/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/onnx/model.h"

G_BEGIN_DECLS

/* Where a line of a card came from; the larger wins. */
typedef enum
{
  FV_CARD_DEFAULT, /* nobody said anything                              */
  FV_CARD_SHAPES, /* names and shapes of inputs and outputs            */
  FV_CARD_HUGGING_FACE, /* config.json, preprocessor_config.json             */
  FV_CARD_METADATA, /* inside of the ONNX file (Ultralytics)             */
  FV_CARD_MODELINFO, /* the key file, docs/model-cards.md                 */
  FV_CARD_PROPERTY, /* FvCardOptions                                     */
} FvCardSource;

typedef enum
{
  FV_LAYOUT_NCHW,
  FV_LAYOUT_NHWC,
} FvLayout;

typedef enum
{
  FV_CHANNELS_AUTO, /* in options only */
  FV_CHANNELS_RGB,
  FV_CHANNELS_BGR,
  FV_CHANNELS_GRAY,
} FvChannels;

typedef enum
{
  FV_RESIZE_AUTO, /* in options only                                    */
  FV_RESIZE_STRETCH, /* the whole frame fills the input                    */
  FV_RESIZE_LETTERBOX, /* the whole frame, aspect kept, the rest padded      */
  FV_RESIZE_CROP, /* the middle of the frame, aspect kept               */
} FvResizeMode;

typedef enum
{
  FV_ANCHOR_CENTER,
  FV_ANCHOR_TOP_LEFT,
} FvAnchor;

typedef enum
{
  FV_FILTER_NEAREST,
  FV_FILTER_BILINEAR,
  FV_FILTER_BICUBIC,
  FV_FILTER_LANCZOS,
  FV_FILTER_BOX,
  FV_FILTER_HAMMING,
} FvFilter;

/* Which pixels a crop keeps where a frame is larger by an odd number. */
typedef enum
{
  FV_CROP_ROUND, /* offset rounded, halves to the even one: torchvision        */
  FV_CROP_FLOOR, /* rounded down: Hugging Face                                 */
} FvCropOffset;

/* How a size that the model leaves free follows that of the frames. */
typedef enum
{
  FV_FREE_AUTO, /* the frame's aspect, the long side at most 640              */
  FV_FREE_FRAME, /* the frame's size                                           */
  FV_FREE_EDGES, /* the short side becomes shortest_edge, the long side at most
                   longest_edge: DETR and its kin                              */
  FV_FREE_LEAST, /* width or height becomes shortest_edge, that which changes
                   the frame less: DPT with keep_aspect_ratio                  */
  FV_FREE_CUT_EDGES, /* as edges, but all sizes are cut to whole pixels:
                       MaskFormer and its kin                              */
  FV_FREE_FIT, /* as large as fits into most_width x most_height, the aspect
                 kept, cut to whole pixels: DETR and its kin               */
} FvFreeSize;

typedef enum
{
  FV_MULTIPLE_AUTO, /* up for a letterbox, else the nearest */
  FV_MULTIPLE_NEAREST,
  FV_MULTIPLE_DOWN,
  FV_MULTIPLE_UP,
} FvMultipleRounding;

/* What goes into the model's image input: y = (x / 255 - mean) / std of every
 * channel x in 0..255, channels in the input's order. */
typedef struct
{
  guint index; /* of the model's inputs */
  char *name; /* NULL: the model has no image input */
  FvLayout layout;
  guint rank; /* 4, or 3 without the batch axis                 */
  guint width, height; /* 0: free, see fv_card_choose_size()             */
  guint multiple; /* free sizes must be multiples of this           */
  FvMultipleRounding multiple_rounding;
  FvFreeSize free_size;
  guint shortest_edge, longest_edge; /* pixels; 0: no limit                */
  guint most_width, most_height; /* of FV_FREE_FIT; 0: no limit            */
  FvChannels channels;
  guint n_channels; /* 3 or 1                                         */
  float mean[3], std[3];
  FvResizeMode resize;
  FvAnchor anchor; /* of the frame in a letterbox                    */
  float pad[3]; /* 0..255, around the frame, in the input's channels  */
  float crop_fraction; /* the part of the resized frame that is kept: the
                          frame is resized to width / f x height / f, and the
                          middle of that goes in                         */
  FvCropOffset crop_offset;
  FvFilter filter;
  gboolean antialias; /* widens the filter when the frame is reduced    */
  gboolean eight_bits; /* columns, then rows are rounded to 0..255, as of
                          8-bit images by Pillow                         */
} FvCardInput;

/* A further input that the card tells how to fill. A model with more inputs than
 * that cannot run on frames: card->warnings names them. */
typedef enum
{
  FV_EXTRA_VALUES, /* the values below, repeated from the start as needed  */
  FV_EXTRA_FRAME_WH, /* width, height of the frame                           */
  FV_EXTRA_FRAME_HW,
  FV_EXTRA_INPUT_WH, /* width, height of the image input                     */
  FV_EXTRA_INPUT_HW,
  FV_EXTRA_SCALE_WH, /* size of the image input by that of the frame            */
  FV_EXTRA_SCALE_HW,
} FvExtraKind;

typedef struct
{
  guint index; /* of the model's inputs */
  FvExtraKind kind;
  guint n_values;
  double values[8];
} FvCardExtra;

typedef enum
{
  FV_HEAD_NONE,
  FV_HEAD_CLASSIFY,
  FV_HEAD_DETECT,
  FV_HEAD_SEGMENT,
  FV_HEAD_DEPTH,
} FvHeadKind;

typedef enum
{
  FV_ACTIVATION_NONE, /* already a probability */
  FV_ACTIVATION_SIGMOID,
  FV_ACTIVATION_SOFTMAX,
} FvActivation;

/* Decoder families of a detector; each sets the fields of FvCardDetect, which
 * keys of the card can then change one by one. */
typedef enum
{
  FV_DETECT_NONE,
  FV_DETECT_YOLOX, /* [1, N, 5 + C] relative to grid cells                */
  FV_DETECT_YOLOV5, /* [1, N, 5 + C] cx cy w h objectness classes, pixels  */
  FV_DETECT_YOLOV8, /* [1, 4 + C, N] cx cy w h classes, pixels             */
  FV_DETECT_YOLOV10, /* [1, N, 6] x1 y1 x2 y2 score class, pixels           */
  FV_DETECT_NANODET, /* classes and distance distributions, one or N tensors */
  FV_DETECT_DETR, /* boxes cx cy w h in 0..1, class logits               */
  FV_DETECT_BOXES, /* boxes x1 y1 x2 y2, scores and perhaps class numbers */
  FV_DETECT_SSD, /* offsets to prior boxes, class scores                */
  FV_DETECT_FACE, /* YuNet: cls, obj and bbox per stride                 */
  FV_DETECT_BLAZEFACE, /* MediaPipe: offsets to cell centres, scores         */
  FV_DETECT_YOLOV7, /* [N, 7] batch x1 y1 x2 y2 class score, pixels       */
  FV_DETECT_FLAT, /* [N, 7] batch x1 y1 x2 y2 score class, pixels       */
  FV_DETECT_PADDLE, /* [N, 6] class score x1 y1 x2 y2, pixels of the frame */
  FV_DETECT_FASTEST, /* [1, 5 + C, h, w] objectness, cell, logits of size  */
} FvDetectDecoder;

typedef enum
{
  FV_BOX_CXCYWH, /* as it stands                                       */
  FV_BOX_XYXY, /* as it stands                                       */
  FV_BOX_GRID_EXP, /* (xy + cell) stride, exp (wh) stride                */
  FV_BOX_DISTANCES, /* left top right bottom from the cell, in strides    */
  FV_BOX_DISTRIBUTION, /* the same as softmax expectations over bins         */
  FV_BOX_PRIOR, /* offsets to prior boxes, with variances             */
  FV_BOX_GRID_OFFSET, /* cell centre + xy, wh: both in pixels               */
  FV_BOX_YXYX, /* as it stands                                       */
  FV_BOX_GRID_TANH, /* (tanh (xy) + cell) stride, sigmoid (wh) input      */
} FvBoxFormat;

#define FV_MAX_LEVELS 8
#define FV_NO_OUTPUT G_MAXUINT

/* How boxes come out of a detector. Tensors are [.., N, K] or [.., K, N]; with
 * n_groups > 1, each level has tensors of its own, in the order of strides. */
typedef struct
{
  FvDetectDecoder decoder;
  guint n_groups; /* tensors sets: 1 or n_strides           */
  guint boxes[FV_MAX_LEVELS]; /* model outputs                          */
  guint scores[FV_MAX_LEVELS]; /* may be the output of boxes             */
  guint objectness[FV_MAX_LEVELS]; /* FV_NO_OUTPUT: none                     */
  guint classes; /* output of class numbers; FV_NO_OUTPUT  */
  guint count; /* output: so many are valid; or none     */
  guint selected; /* output: [.., batch class box] of them  */
  gboolean transposed; /* [.., K, N]: channels before candidates */
  gint box_channel; /* first channel of each, in its tensor   */
  gint score_channel;
  gint objectness_channel;
  gint class_channel;
  guint n_classes; /* score channels, background included    */
  gint background; /* that channel is no class; -1: none     */
  FvActivation score_activation, objectness_activation;
  float score_power, objectness_power; /* score = cls^a obj^b                */
  FvBoxFormat box_format;
  gboolean normalised; /* boxes in 0..1 of the input             */
  gboolean in_frame; /* boxes in pixels of the frame           */
  guint n_strides;
  guint strides[FV_MAX_LEVELS];
  guint per_cell[FV_MAX_LEVELS]; /* candidates per grid cell: 1            */
  float cell_offset; /* of a cell's reference point: 0 or 0.5  */
  guint bins; /* of a distribution                      */
  float variances[2]; /* of priors: centre, size                */
  guint priors; /* output with priors; FV_NO_OUTPUT       */
  FvArray *prior_boxes; /* (nullable): F32 [N, 4] cx cy w h       */
  gboolean many_labels; /* each class over the threshold is a box */
  gboolean nms;
} FvCardDetect;

typedef enum
{
  FV_MASKS_NONE, /* the output is a map of classes */
  FV_MASKS_PROTOTYPES, /* a detector whose boxes mix masks from prototypes */
  FV_MASKS_QUERIES, /* a list of classes, with a map each */
} FvMaskKind;

/* How masks of single things come out of a segmenter. */
typedef struct
{
  FvMaskKind kind;
  guint masks; /* output: prototypes [1, P, h, w], or maps [1, Q, h, w] */
  float threshold; /* of probabilities: inside of a mask */

  /* prototypes: mask = sigmoid (sum of coefficient x prototype), in the box */
  gint channel_axis; /* of the prototypes */
  guint n_prototypes;
  guint coefficients; /* output, as those of boxes */
  gint coefficient_channel; /* the first, in its tensor */

  /* queries; activation and background of the scores are the head's */
  guint scores; /* output [1, Q, C] */
  guint stuff_scores; /* output [1, S, 1]: the last S maps are of one class
                         each, behind those of scores; FV_NO_OUTPUT */
  FvActivation activation; /* of the maps */
  FvActivation stuff_activation; /* of the stuff's scores */
  guint8 *things; /* (nullable) by class: counted one by one; NULL: not known,
                     a map of classes is made of all queries */
  float overlap_threshold; /* share of a mask that others must leave of it */
} FvCardMasks;

typedef enum
{
  FV_DEPTH_INVERSE, /* larger is nearer, no unit */
  FV_DEPTH_METRIC, /* metres after scale        */
} FvDepthKind;

/* One head: what an output (or some) of the model means. */
typedef struct
{
  FvHeadKind kind;
  char *name; /* the main output's name */
  guint output; /* main output; of a detector: boxes[0] */
  char **labels; /* (nullable): NULL-terminated, by class number */
  guint n_classes; /* without background; 0: not known */
  float threshold, iou_threshold; /* 0: the element's default */

  /* classify, segment */
  FvActivation activation; /* of the scores as they come out */
  gint background; /* classify: channel that is no class; segment: of two
                      classes the one whose opposite is a matte; -1 */
  gint channel_axis; /* segment: axis of classes; -1: none (one map) */
  gboolean class_map; /* segment: the map holds class numbers */

  FvCardDetect detect; /* segment with prototypes too */
  FvCardMasks masks; /* segment */

  /* depth: value = scale * tensor + shift */
  FvDepthKind depth;
  float depth_scale, depth_shift;
} FvCardHead;

#define FV_MAX_HEADS 8

/**
 * FvCard:
 *
 * Everything between a frame and a model, and between the model and a
 * result.
 *
 * Life:    fv_card_load(), or fv_card_new() over a model one has; then ref and
 *          unref. Read the fields; write none.
 * Memory:  owns all it points to.
 * Threads: any for reading; fv_card_bind_outputs() before it is shared.
 * Errors:  FV_ERROR_NOT_FOUND, FV_ERROR_MALFORMED, FV_ERROR_INVALID,
 *          FV_ERROR_UNSUPPORTED; key files, JSON and metadata are hostile input.
 */
typedef struct
{
  gatomicrefcount ref;
  char *model_path; /* (nullable) the ONNX file */
  char *card_path; /* (nullable) the key file that was read */
  FvCardInput input;
  guint n_extras;
  FvCardExtra extras[4];
  guint n_heads;
  FvCardHead heads[FV_MAX_HEADS];
  GPtrArray *lines; /* (element-type FvCardLine): see fv_card_lines() */
  GPtrArray *warnings; /* (element-type utf8): to be shown, in order */
  struct _FvCardPrivate *priv;
} FvCard;

/* What a user said; zero in any field: nothing. */
typedef struct
{
  const char *card; /* a .modelinfo to use instead of <model>.modelinfo */
  FvHeadKind head; /* that kind alone is wanted */
  const char *labels_file; /* one label a line, or "number label" */
  const char *const *labels; /* NULL-terminated; wins over labels_file */
  guint input_width, input_height;
  FvResizeMode resize;
  FvChannels channels;
  guint n_mean, n_std; /* 0, 1 or 3 */
  float mean[3], std[3];
} FvCardOptions;

/* "mean" = "0.485 0.456 0.406", from FV_CARD_PROPERTY */
typedef struct
{
  char *key, *value;
  FvCardSource source;
  char *where; /* (nullable) file and field: "config.json: id2label" */
} FvCardLine;

#define FV_TYPE_CARD (fv_card_get_type ())
FV_API GType fv_card_get_type (void);

/* The file or folder that @name means: itself if it is one, else the model of that
 * name in the folders of the environment variable FOVEA_MODEL_PATH, among the user's
 * ($XDG_DATA_HOME/fovea/models) or the installed ones. A path that does not exist is
 * left for the loader to refuse. Since: 0.1
 *
 * Returns: (transfer full): a path, or %NULL with FV_ERROR_NOT_FOUND, which says
 *   where it was looked for and what is there. */
FV_API char *fv_card_find_model (const char *name, GError **error);

/* @name: an ONNX file, a folder with one (model.onnx, onnx/model.onnx or its only
 * .onnx), a .modelinfo whose `model` key names one, or a name, as
 * fv_card_find_model() takes it. @options: (nullable).
 * @model: (out) (optional) (transfer full): the model that was loaded. */
FV_API FvCard *fv_card_load (const char *name, const FvCardOptions *options,
    FvModel **model, GError **error);
/* The card of @model alone; @folder: (nullable): of Hugging Face's files. */
FV_API FvCard *fv_card_new (FvModel *model, const char *folder,
    const FvCardOptions *options, GError **error);
FV_API FvCard *fv_card_ref (FvCard *card);
FV_API void fv_card_unref (FvCard *card); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvCard, fv_card_unref)

/* Sets card->input.width and .height where they are free: to those of the
 * options, else as input.free_size says, rounded to input.multiple; by themselves
 * the frame's aspect, long side at most 640, multiples of 32; a letterbox has room
 * for the frame at that size. */
FV_API void
fv_card_choose_size (FvCard *card, guint frame_width, guint frame_height);
/* The shape of the image input, batch 1, sizes as chosen. */
FV_API void fv_card_input_shape (const FvCard *card, FvShape *shape);
/* Completes the heads once all output shapes are known (FvPort.shape). To be
 * called by whoever built the graph; fails where a head does not fit. */
FV_API gboolean fv_card_bind_outputs (FvCard *card, const FvShape *shapes,
    guint n_shapes, GError **error);
/* (nullable) the first head of that kind; FV_HEAD_NONE: the first of any */
FV_API const FvCardHead *fv_card_head (const FvCard *card, FvHeadKind kind);
/* "person", or "class 7" made up where there is no label. (transfer full) */
FV_API char *fv_card_label (const FvCardHead *head, guint number);

/* Of a detector's tensor: the axes of candidates and of channels (-1: none, one
 * channel); of a grid [1, K, h, w] or [1, h, w, K] the axis of columns, with that
 * of rows in front of it. FALSE where the shape has no such axes. */
FV_API gboolean fv_detect_axes (const FvShape *shape, gboolean transposed,
    guint *candidates, gint *channels);

/* All lines, in the order to print them; owned by the card. */
FV_API const GPtrArray *fv_card_lines (const FvCard *card);
FV_API const char *fv_card_source_name (FvCardSource source);
FV_API const char *fv_head_kind_name (FvHeadKind kind); /* "detect" */
/* As `fovea info` prints it. (transfer full) */
FV_API char *fv_card_to_string (const FvCard *card);

/* A labels file as a list; "number label" lines go to their place. (transfer
 * full): free with g_strfreev() */
FV_API char **fv_labels_load (const char *path, GError **error);

/**
 * FvFrameMap:
 *
 * Where the whole frame lies in the model's input, in pixels of the
 * input; for FV_RESIZE_CROP it reaches beyond. A plain value.
 *
 * Continuous coordinates, pixel i covering [i, i + 1):
 *     input_x = x + frame_x * width / frame_width
 */
typedef struct
{
  guint frame_width, frame_height;
  guint input_width, input_height;
  gint x, y, width, height;
} FvFrameMap;

/* What pixels become: the least and the most, over all channels; both 0 for a card
 * without an image input. */
FV_API void
fv_card_input_range (const FvCardInput *input, float *low, float *high);

FV_API void fv_frame_map_init (FvFrameMap *map, const FvCardInput *input,
    guint frame_width, guint frame_height);
FV_API void fv_frame_map_to_frame (const FvFrameMap *map, double x, double y,
    double *frame_x, double *frame_y);

G_END_DECLS
