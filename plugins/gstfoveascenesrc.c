/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-foveascenesrc
 * @title: foveascenesrc
 * @short_description: Makes video of a synthetic world, with everything that is true of it
 *
 * Draws streets and rooms with things that move, and puts on each frame what is true
 * of it, in the metas that inference elements put their results in, with the role
 * `truth`: class map, instance map, depth in metres along the camera's axis, and a
 * box around what is visible of each person, car, ball, crate and dog. A box has
 * the fields `track-id` (the same from frame to frame), `occlusion` (0 to 1, how much
 * of the thing within the frame other things hide) and `pixels` (that are seen of it)
 * besides those that every box has.
 *
 * The same seed, size, rate and properties give the same frames.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 foveascenesrc num-buffers=5 ! foveaoverlay source=truth ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gst/video/gstfoveamemory.h"
#include "gst/video/gstfoveameta.h"
#include "gst/world/view.h"

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (scenesrc_debug);
#define GST_CAT_DEFAULT scenesrc_debug

enum
{
  PROP_SEED = 1,
  PROP_SCENE,
  PROP_DIFFICULTY,
  PROP_PATTERN_SPEED,
  PROP_IS_LIVE,
  PROP_DEVICE,
};

#define DEFAULT_DIFFICULTY 0.5

/* A view whose outputs may be on their way through the pipeline. */
typedef struct
{
  FvWorldView *view;
  gatomicrefcount users;
  gint is_free; /* atomic */
} Film;

typedef struct
{
  GstPushSrc parent;
  FvWorldSettings settings; /* with the object's lock, as are the next two */
  double pattern_speed;
  char *device_name;

  FvDevice *device;
  GstVideoInfo info;
  FvWorldPicture picture;
  GPtrArray *films;
  FvWorldFrame *frame;
  GstFoveaProducer *producer;
  guint64 n; /* of the next frame, since the caps */
  GstClockTime start; /* running time of frame 0 */
} GstFoveaSceneSrc;

typedef struct
{
  GstPushSrcClass parent_class;
} GstFoveaSceneSrcClass;

GType gst_fovea_scene_src_get_type (void);
G_DEFINE_TYPE (GstFoveaSceneSrc, gst_fovea_scene_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DECLARE (foveascenesrc);
GST_ELEMENT_REGISTER_DEFINE (foveascenesrc, "foveascenesrc", GST_RANK_NONE,
    gst_fovea_scene_src_get_type ())

static GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("{ RGBx, RGB, NV12, I420 }")));

static GType
scene_get_type (void)
{
  static const GEnumValue values[] = {
    { FV_SCENE_STREET, "A street, along which the camera goes", "street" },
    { FV_SCENE_ROOM, "A room, in which the camera goes around", "room" },
    { FV_SCENE_MIXED, "Streets and rooms in turn, 8 seconds each", "mixed" },
    { 0 },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstFoveaScene", values));
  return (GType) type;
}

/* ---- Films ---- */

static void
film_unref (Film *film)
{
  if (!g_atomic_ref_count_dec (&film->users))
    return;
  fv_world_view_free (film->view);
  g_free (film);
}

/* Film that no buffer downstream uses; more is made when all is in use. */
static Film *
take_film (GstFoveaSceneSrc *self, GError **error)
{
  FvWorldView *sibling = NULL;

  for (guint i = 0; i < self->films->len; i++) {
    Film *film = g_ptr_array_index (self->films, i);
    if (g_atomic_int_get (&film->is_free))
      return film;
    sibling = film->view;
  }
  FvWorldView *view =
      fv_world_view_new (self->device, &self->picture, sibling, error);
  if (view == NULL)
    return NULL;
  Film *film = g_new0 (Film, 1);
  film->view = view;
  g_atomic_ref_count_init (&film->users);
  film->is_free = TRUE;
  g_ptr_array_add (self->films, film);
  return film;
}

typedef struct
{
  Film *film;
  gint memories; /* atomic */
} Loan;

/* A weak notification of a GstMemory: its last user is done with it. */
static void
memory_released (gpointer data, GstMiniObject *where)
{
  Loan *loan = data;

  if (!g_atomic_int_dec_and_test (&loan->memories))
    return;
  g_atomic_int_set (&loan->film->is_free, TRUE);
  film_unref (loan->film);
  g_free (loan);
}

/* ---- What is true ---- */

static GstMemory *
lend (Loan *loan, FvWorldOutput output, gsize *stride)
{
  gsize offset, size;
  FvBuffer *buffer =
      fv_world_view_output (loan->film->view, output, &offset, &size, stride);
  GstMemory *memory = gst_fovea_memory_new (buffer, offset, size);

  g_atomic_int_inc (&loan->memories);
  gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (memory), memory_released,
      loan);
  return memory;
}

static GstFoveaPlane *
lend_plane (GstFoveaSceneSrc *self, Loan *loan, FvWorldOutput output,
    GstFoveaPlaneFormat format, GstClockTime pts, guint64 value)
{
  GstBuffer *data = gst_buffer_new ();
  gsize stride;

  gst_buffer_append_memory (data, lend (loan, output, &stride));
  gst_fovea_buffer_set_written (data, value);
  return gst_fovea_plane_new (self->producer, pts, format, self->picture.width,
      self->picture.height, (guint) stride, data);
}

static void
add_boxes (GstFoveaSceneSrc *self, GstBuffer *buffer, FvWorldView *view,
    GstClockTime pts)
{
  for (guint i = 0; i < self->frame->instances->len; i++) {
    const FvWorldInstance *instance =
        &g_array_index (self->frame->instances, FvWorldInstance, i);
    FvWorldSeen seen = fv_world_view_seen (view, i);
    if (seen.pixels == 0)
      continue;
    GstVideoRegionOfInterestMeta *meta = gst_fovea_buffer_add_detection (buffer,
        self->producer, pts, (gint) instance->what, 1, seen.x, seen.y,
        seen.width, seen.height, self->picture.width, self->picture.height);
    if (meta == NULL)
      continue;
    GstStructure *box =
        gst_video_region_of_interest_meta_get_param (meta, "detection");
    gst_fovea_region_set_instance (meta, i + 1);
    gst_structure_set (box, "track-id", G_TYPE_UINT, instance->id, "pixels",
        G_TYPE_UINT, seen.pixels, "occlusion", G_TYPE_DOUBLE,
        1 - (double) seen.pixels / seen.whole, NULL);
  }
}

static void
add_truth (GstFoveaSceneSrc *self, GstBuffer *buffer, Loan *loan,
    GstClockTime pts, guint64 value)
{
  guint width = self->picture.width, height = self->picture.height;
  g_autoptr (GstFoveaPlane) classes = lend_plane (self, loan,
      FV_WORLD_CLASS_MAP, GST_FOVEA_PLANE_U8, pts, value);
  g_autoptr (GstFoveaPlane) instances = lend_plane (self, loan,
      FV_WORLD_INSTANCE_MAP, GST_FOVEA_PLANE_U16, pts, value);
  g_autoptr (GstFoveaPlane) depth =
      lend_plane (self, loan, FV_WORLD_DEPTH, GST_FOVEA_PLANE_F32, pts, value);

  gst_fovea_segmentation_meta_set_instances (
      gst_fovea_buffer_add_segmentation (buffer, classes, NULL,
          FV_WORLD_CLASSES, -1, width, height),
      instances);
  gst_fovea_buffer_add_depth (buffer, depth, GST_FOVEA_DEPTH_METRIC, width,
      height);
  add_boxes (self, buffer, loan->film->view, pts);
}

/* ---- Frames ---- */

static gboolean
draw (GstFoveaSceneSrc *self, Film *film, guint64 *value, GError **error)
{
  double seconds = self->info.fps_n > 0
      ? (double) self->info.fps_d / self->info.fps_n
      : 1.0 / 30;
  FvWorldSettings settings;
  double speed;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  speed = self->pattern_speed;
  GST_OBJECT_UNLOCK (self);
  fv_world_look (&settings, (double) self->n * seconds * speed, self->frame);
  return fv_world_view_draw (film->view, self->frame, (guint) self->n,
             seconds * MIN (speed, 1), value, error)
      && fv_device_wait (self->device, *value, FV_WATCHDOG, error);
}

static GstFlowReturn
gst_fovea_scene_src_create (GstPushSrc *source, GstBuffer **buffer)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) source;
  g_autoptr (GError) error = NULL;
  guint64 value;
  gsize stride;

  if (self->picture.width == 0)
    return GST_FLOW_NOT_NEGOTIATED;
  Film *film = take_film (self, &error);
  if (film == NULL || !draw (self, film, &value, &error)) {
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("%s", error->message), (NULL));
    return GST_FLOW_ERROR;
  }
  Loan *loan = g_new0 (Loan, 1);
  loan->film = film;
  g_atomic_int_set (&film->is_free, FALSE);
  g_atomic_ref_count_inc (&film->users);
  *buffer = gst_buffer_new ();
  gst_buffer_append_memory (*buffer, lend (loan, FV_WORLD_PICTURE, &stride));
  gst_fovea_buffer_set_written (*buffer, value);
  GstClockTime pts = self->start, next = GST_CLOCK_TIME_NONE;
  if (self->info.fps_n > 0) {
    pts += gst_util_uint64_scale (self->n, self->info.fps_d * GST_SECOND,
        self->info.fps_n);
    next = self->start
        + gst_util_uint64_scale (self->n + 1, self->info.fps_d * GST_SECOND,
            self->info.fps_n);
    GST_BUFFER_DURATION (*buffer) = next - pts;
  }
  GST_BUFFER_PTS (*buffer) = pts;
  GST_BUFFER_OFFSET (*buffer) = self->n;
  GST_BUFFER_OFFSET_END (*buffer) = self->n + 1;
  gst_buffer_add_video_meta_full (*buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (&self->info), self->picture.width,
      self->picture.height, GST_VIDEO_INFO_N_PLANES (&self->info),
      self->info.offset, self->info.stride);
  add_truth (self, *buffer, loan, pts, value);
  self->n++;
  return GST_FLOW_OK;
}

/* As videotestsrc: a live source waits for the time of each frame. */
static void
gst_fovea_scene_src_get_times (GstBaseSrc *source, GstBuffer *buffer,
    GstClockTime *start, GstClockTime *end)
{
  *start = *end = GST_CLOCK_TIME_NONE;
  if (!gst_base_src_is_live (source) || !GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  *start = GST_BUFFER_PTS (buffer);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    *end = *start + GST_BUFFER_DURATION (buffer);
}

/* ---- Caps ---- */

/* Bytes of a pixel from its R, G, B. */
static void
set_matrix (FvWorldPicture *picture, const GstVideoInfo *info)
{
  double kr, kb, k[3][3];
  gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];

  memset (picture->matrix, 0, sizeof picture->matrix);
  for (guint i = 0; i < 3; i++)
    picture->matrix[i][i] = 255;
  if (!GST_VIDEO_INFO_IS_YUV (info))
    return;
  if (!gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb)) {
    kr = 0.299;
    kb = 0.114;
  }
  gst_video_color_range_offsets (info->colorimetry.range, info->finfo, offset,
      scale);
  k[0][0] = kr;
  k[0][1] = 1 - kr - kb;
  k[0][2] = kb;
  for (guint c = 0; c < 3; c++) {
    k[1][c] = ((c == 2) - k[0][c]) / (2 * (1 - kb));
    k[2][c] = ((c == 0) - k[0][c]) / (2 * (1 - kr));
  }
  for (guint i = 0; i < 3; i++) {
    for (guint c = 0; c < 3; c++)
      picture->matrix[i][c] = k[i][c] * scale[i];
    picture->matrix[i][3] = offset[i];
  }
}

static guint
picture_format (const GstVideoInfo *info)
{
  switch (GST_VIDEO_INFO_FORMAT (info)) {
    case GST_VIDEO_FORMAT_RGB:
      return FV_WORLD_RGB;
    case GST_VIDEO_FORMAT_NV12:
      return FV_WORLD_NV12;
    case GST_VIDEO_FORMAT_I420:
      return FV_WORLD_I420;
    default:
      return FV_WORLD_RGBX;
  }
}

static gboolean
gst_fovea_scene_src_set_caps (GstBaseSrc *source, GstCaps *caps)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) source;
  FvWorldPicture *picture = &self->picture;
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info, caps))
    return FALSE;
  if (self->n > 0 && self->info.fps_n > 0)
    self->start += gst_util_uint64_scale (self->n,
        self->info.fps_d * GST_SECOND, self->info.fps_n);
  self->n = 0;
  self->info = info;
  g_ptr_array_set_size (self->films, 0);
  memset (picture, 0, sizeof *picture);
  picture->width = (guint) GST_VIDEO_INFO_WIDTH (&info);
  picture->height = (guint) GST_VIDEO_INFO_HEIGHT (&info);
  picture->format = picture_format (&info);
  picture->size = GST_VIDEO_INFO_SIZE (&info);
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (&info); i++) {
    picture->plane[i] = GST_VIDEO_INFO_PLANE_OFFSET (&info, i);
    picture->stride[i] = (gsize) GST_VIDEO_INFO_PLANE_STRIDE (&info, i);
  }
  set_matrix (picture, &info);
  gst_base_src_set_blocksize (source, (guint) picture->size);
  return TRUE;
}

static GstCaps *
gst_fovea_scene_src_fixate (GstBaseSrc *source, GstCaps *caps)
{
  GstStructure *structure;

  caps = gst_caps_make_writable (gst_caps_truncate (caps));
  structure = gst_caps_get_structure (caps, 0);
  gst_structure_fixate_field_nearest_int (structure, "width", 640);
  gst_structure_fixate_field_nearest_int (structure, "height", 360);
  gst_structure_fixate_field_nearest_fraction (structure, "framerate", 30, 1);
  if (gst_structure_has_field (structure, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction (structure,
        "pixel-aspect-ratio", 1, 1);
  else
    gst_structure_set (structure, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1,
        NULL);
  return GST_BASE_SRC_CLASS (gst_fovea_scene_src_parent_class)
      ->fixate (source, caps);
}

/* ---- Life ---- */

static gboolean
gst_fovea_scene_src_start (GstBaseSrc *source)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) source;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL,
                  *element = gst_object_get_name (GST_OBJECT (self));

  GST_OBJECT_LOCK (self);
  name = g_strdup (self->device_name);
  GST_OBJECT_UNLOCK (self);
  self->device = fv_device_open (name, &error);
  if (self->device == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND, ("%s", error->message),
        (NULL));
    return FALSE;
  }
  self->frame = fv_world_frame_new ();
  self->producer = gst_fovea_producer_new (element, "scene", "truth",
      GST_FOVEA_ROLE_TRUTH, fv_world_labels ());
  self->n = 0;
  self->start = 0;
  return TRUE;
}

static gboolean
gst_fovea_scene_src_stop (GstBaseSrc *source)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) source;

  g_ptr_array_set_size (self->films, 0);
  memset (&self->picture, 0, sizeof self->picture);
  g_clear_pointer (&self->frame, fv_world_frame_free);
  g_clear_pointer (&self->producer, gst_fovea_producer_unref);
  g_clear_pointer (&self->device, fv_device_unref);
  return TRUE;
}

static gboolean
gst_fovea_scene_src_query (GstBaseSrc *source, GstQuery *query)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) source;

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY && self->info.fps_n > 0) {
    /* A frame is drawn when its time has come. */
    GstClockTime duration = gst_util_uint64_scale (GST_SECOND,
        (guint64) self->info.fps_d, (guint64) self->info.fps_n);
    gst_query_set_latency (query, gst_base_src_is_live (source), duration,
        GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS (gst_fovea_scene_src_parent_class)
      ->query (source, query);
}

static void
gst_fovea_scene_src_set_property (GObject *object, guint id,
    const GValue *value, GParamSpec *spec)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) object;

  if (id == PROP_IS_LIVE) {
    gst_base_src_set_live (GST_BASE_SRC (object), g_value_get_boolean (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SEED:
      self->settings.seed = g_value_get_uint (value);
      break;
    case PROP_SCENE:
      self->settings.scene = (FvScene) g_value_get_enum (value);
      break;
    case PROP_DIFFICULTY:
      self->settings.difficulty = g_value_get_double (value);
      break;
    case PROP_PATTERN_SPEED:
      self->pattern_speed = g_value_get_double (value);
      break;
    case PROP_DEVICE:
      g_free (self->device_name);
      self->device_name = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fovea_scene_src_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *spec)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) object;

  if (id == PROP_IS_LIVE) {
    g_value_set_boolean (value, gst_base_src_is_live (GST_BASE_SRC (object)));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SEED:
      g_value_set_uint (value, self->settings.seed);
      break;
    case PROP_SCENE:
      g_value_set_enum (value, (gint) self->settings.scene);
      break;
    case PROP_DIFFICULTY:
      g_value_set_double (value, self->settings.difficulty);
      break;
    case PROP_PATTERN_SPEED:
      g_value_set_double (value, self->pattern_speed);
      break;
    case PROP_DEVICE:
      g_value_set_string (value, self->device_name);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fovea_scene_src_finalize (GObject *object)
{
  GstFoveaSceneSrc *self = (GstFoveaSceneSrc *) object;

  g_ptr_array_unref (self->films);
  g_free (self->device_name);
  G_OBJECT_CLASS (gst_fovea_scene_src_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (class, PROP_SEED,
      g_param_spec_uint ("seed", "Seed", "What decides how the world looks", 0,
          G_MAXUINT, 0, flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, PROP_SCENE,
      g_param_spec_enum ("scene", "Scene", "What kind of world",
          scene_get_type (), FV_SCENE_MIXED,
          flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, PROP_DIFFICULTY,
      g_param_spec_double ("difficulty", "Difficulty",
          "More things, fog, noise, blur and changes of exposure", 0, 1,
          DEFAULT_DIFFICULTY, flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, PROP_PATTERN_SPEED,
      g_param_spec_double ("pattern-speed", "Pattern speed",
          "How fast the world's time goes; 0 stands still", 0, 1000, 1,
          flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live",
          "One frame when its time has come, as a camera", FALSE,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, PROP_DEVICE,
      g_param_spec_string ("device", "Device",
          "Index, part of the name or UUID of the Vulkan device (empty: the best)",
          NULL, flags | GST_PARAM_MUTABLE_READY));
}

static void
gst_fovea_scene_src_class_init (GstFoveaSceneSrcClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSrcClass *source_class = GST_BASE_SRC_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (scenesrc_debug, "foveascenesrc", 0,
      "Fovea scene source");
  object_class->set_property = gst_fovea_scene_src_set_property;
  object_class->get_property = gst_fovea_scene_src_get_property;
  object_class->finalize = gst_fovea_scene_src_finalize;
  install_properties (object_class);
  gst_type_mark_as_plugin_api (scene_get_type (), 0);
  gst_element_class_add_static_pad_template (element_class, &source_template);
  gst_element_class_set_static_metadata (element_class, "Fovea scene source",
      "Source/Video",
      "Makes video of a synthetic world, with everything that is true of it",
      "Fovea");
  source_class->set_caps = gst_fovea_scene_src_set_caps;
  source_class->fixate = gst_fovea_scene_src_fixate;
  source_class->start = gst_fovea_scene_src_start;
  source_class->stop = gst_fovea_scene_src_stop;
  source_class->query = gst_fovea_scene_src_query;
  source_class->get_times = gst_fovea_scene_src_get_times;
  GST_PUSH_SRC_CLASS (class)->create = gst_fovea_scene_src_create;
}

static void
gst_fovea_scene_src_init (GstFoveaSceneSrc *self)
{
  self->settings = (FvWorldSettings){ .scene = FV_SCENE_MIXED,
    .difficulty = DEFAULT_DIFFICULTY };
  self->pattern_speed = 1;
  self->films = g_ptr_array_new_with_free_func ((GDestroyNotify) film_unref);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}
