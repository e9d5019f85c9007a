/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GTK 4 window with the picture and what was found in it.
 *
 *   viewer [--frames=N] [--screenshot=FILE.png] [MODEL [SOURCE]]
 *
 * Frames come from an appsink in a format that GDK knows, and become textures
 * without a copy: the texture holds the mapped frame until it is shown. */
#include <gst/app/app.h>
#include <gst/video/video.h>
#include <gtk/gtk.h>

#define SOURCE \
  "foveascenesrc is-live=true ! video/x-raw,width=640,height=360,framerate=15/1"
#define CAPS "video/x-raw,format=RGBA"

typedef struct
{
  GtkApplication *application;
  GtkWidget *window, *picture;
  GstElement *pipeline;
  guint bus_watch;
  int n_frames, n_shown; /* n_frames 0: until the window is closed */
  char *screenshot;
  gboolean has_failed;
} Viewer;

/* What the window shows, as a file. */
static void
take_screenshot (Viewer *self)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (self->window);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;
  GskRenderer *renderer = gtk_native_get_renderer (GTK_NATIVE (self->window));

  gdk_paintable_snapshot (paintable, snapshot,
      gdk_paintable_get_intrinsic_width (paintable),
      gdk_paintable_get_intrinsic_height (paintable));
  node = gtk_snapshot_free_to_node (g_steal_pointer (&snapshot));
  if (node != NULL)
    texture = gsk_renderer_render_texture (renderer, node, NULL);
  if (texture == NULL || !gdk_texture_save_to_png (texture, self->screenshot)) {
    g_printerr ("%s: cannot be written\n", self->screenshot);
    self->has_failed = TRUE;
  }
}

static gboolean
end (gpointer data)
{
  Viewer *self = data;

  if (self->screenshot && self->n_shown > 0 && self->window)
    take_screenshot (self);
  g_clear_pointer ((GtkWindow **) &self->window, gtk_window_destroy);
  g_application_quit (G_APPLICATION (self->application));
  return G_SOURCE_REMOVE;
}

static void
free_frame (gpointer data)
{
  gst_video_frame_unmap (data);
  g_free (data);
}

/* (nullable) (transfer full) The picture of @sample, which it keeps alive. */
static GdkTexture *
make_texture (GstSample *sample)
{
  GstVideoFrame *frame = g_new (GstVideoFrame, 1);
  g_autoptr (GBytes) bytes = NULL;
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample))
      || !gst_video_frame_map (frame, &info, gst_sample_get_buffer (sample),
          GST_MAP_READ)) {
    g_free (frame);
    return NULL;
  }
  bytes = g_bytes_new_with_free_func (GST_VIDEO_FRAME_PLANE_DATA (frame, 0),
      (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0)
          * GST_VIDEO_FRAME_HEIGHT (frame),
      free_frame, frame);
  return gdk_memory_texture_new (GST_VIDEO_FRAME_WIDTH (frame),
      GST_VIDEO_FRAME_HEIGHT (frame), GDK_MEMORY_R8G8B8A8, bytes,
      GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0));
}

/* With each picture that the window draws: the newest frame. */
static gboolean
on_tick (GtkWidget *picture, GdkFrameClock *clock, gpointer data)
{
  Viewer *self = data;
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");
  g_autoptr (GstSample) sample =
      gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 0);
  g_autoptr (GdkTexture) texture = sample ? make_texture (sample) : NULL;

  if (texture == NULL)
    return G_SOURCE_CONTINUE;
  gtk_picture_set_paintable (GTK_PICTURE (picture), GDK_PAINTABLE (texture));
  self->n_shown++;
  if (self->n_shown == self->n_frames)
    g_idle_add (end, self); /* when it is drawn */
  return G_SOURCE_CONTINUE;
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Viewer *self = data;
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s: %s\n", GST_MESSAGE_SRC_NAME (message), error->message);
    self->has_failed = TRUE;
    end (self);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
    end (self);
  }
  return G_SOURCE_CONTINUE;
}

static void
on_activate (GtkApplication *application, gpointer data)
{
  Viewer *self = data;
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  self->window = gtk_application_window_new (application);
  self->picture = gtk_picture_new ();
  gtk_window_set_title (GTK_WINDOW (self->window), "Fovea");
  gtk_window_set_default_size (GTK_WINDOW (self->window), 640, 360);
  gtk_window_set_child (GTK_WINDOW (self->window), self->picture);
  g_object_add_weak_pointer (G_OBJECT (self->window),
      (gpointer *) &self->window);
  gtk_widget_add_tick_callback (self->picture, on_tick, self, NULL);
  self->bus_watch = gst_bus_add_watch (bus, on_message, self);
  gtk_window_present (GTK_WINDOW (self->window));
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
}

/* FALSE with what is wrong said. */
static gboolean
make_pipeline (Viewer *self, const char *model, const char *source)
{
  g_autofree char *launch = g_strdup_printf (
      "%s ! videoconvert ! foveainfer name=net ! foveaoverlay ! videoconvert ! "
      "appsink name=sink max-buffers=1 drop=true caps=" CAPS,
      source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) net = NULL;

  self->pipeline = gst_parse_launch (launch, &error);
  if (error != NULL) {
    g_printerr ("%s\n", error->message);
    return FALSE;
  }
  net = gst_bin_get_by_name (GST_BIN (self->pipeline), "net");
  g_object_set (net, "model", model, NULL);
  return TRUE;
}

int
main (int argc, char **argv)
{
  Viewer self = { 0 };
  const GOptionEntry entries[] = {
    { "frames", 0, 0, G_OPTION_ARG_INT, &self.n_frames,
        "End after that many have been shown", "N" },
    { "screenshot", 0, 0, G_OPTION_ARG_FILENAME, &self.screenshot,
        "What the window shows at the end", "FILE" },
    { NULL },
  };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("[MODEL [SOURCE]]");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  if (!make_pipeline (&self, argc > 1 ? argv[1] : "scene-mit",
          argc > 2 ? argv[2] : SOURCE))
    return 1;
  self.application = gtk_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_signal_connect (self.application, "activate", G_CALLBACK (on_activate),
      &self);
  if (g_application_run (G_APPLICATION (self.application), 1, argv) != 0)
    self.has_failed = TRUE;
  gst_element_set_state (self.pipeline, GST_STATE_NULL);
  g_clear_handle_id (&self.bus_watch, g_source_remove);
  g_print ("%d frames shown\n", self.n_shown);
  gst_object_unref (self.pipeline);
  g_object_unref (self.application);
  g_free (self.screenshot);
  return self.has_failed ? 1 : 0;
}
