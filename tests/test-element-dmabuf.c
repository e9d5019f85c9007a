/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in DMA-BUFs and in files: imported where the device can, else mapped and
 * copied, with the same results; and files that are not what they are said to be. The
 * kernel's own (udmabuf) are used where it has them, files in memory stand for them
 * where not. */
#include <fcntl.h>
#include <gst/allocators/gstdmabuf.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "gst/engine/dispatch-private.h"
#include "gst/engine/external.h"
#include "tests/dmabuf-fake.h"
#include "tests/element-models.h"
#include "tests/element-test.h"

#define PAGE 4096u
#define FRAMES 3

/* Written by the plugin's own GST_PLUGIN_DEFINE(): the elements are linked in, as
 * Vulkan is replaced inside of the engine. */
extern void gst_plugin_fovea_register (void);

static guint8
pixel (gsize i)
{
  return (guint8) (37 * i + i / 501);
}

/* A file in memory with a picture's bytes behind @skip others, @missing too short. */
static int
make_file (gsize size, gsize skip, gsize missing)
{
  gsize all = (skip + size + PAGE - 1) / PAGE * PAGE - missing;
  int fd = memfd_create ("frame", MFD_ALLOW_SEALING);
  g_autofree guint8 *bytes = g_malloc0 (skip + size);

  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (ftruncate (fd, (off_t) all), 0);
  for (gsize i = 0; i < size; i++)
    bytes[skip + i] = pixel (i);
  all = MIN (all, skip + size);
  ck_assert_int_eq (pwrite (fd, bytes, all, 0), (gssize) all);
  return fd;
}

/* The kernel's DMA-BUF of such a file; -1: it has none. Closes @fd. */
static int
make_udmabuf (int fd, gsize size)
{
  int device = open ("/dev/udmabuf", O_RDWR | O_CLOEXEC);
  struct udmabuf_create create = { .memfd = (guint) fd,
    .flags = UDMABUF_FLAGS_CLOEXEC,
    .size = (size + PAGE - 1) / PAGE * PAGE };
  int result = -1;

  if (device >= 0 && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0)
    result = ioctl (device, UDMABUF_CREATE, &create);
  if (device >= 0)
    close (device);
  close (fd);
  return result;
}

/* (transfer full): a buffer of @fd, which it closes in the end. */
static GstBuffer *
wrap (GstAllocator *allocator, int fd, gsize size)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *memory =
      gst_fd_allocator_alloc (allocator, fd, size, GST_FD_MEMORY_FLAG_NONE);

  ck_assert_ptr_nonnull (memory);
  gst_buffer_append_memory (buffer, memory);
  return buffer;
}

static gsize
caps_size (GstCaps *caps)
{
  GstVideoInfo info;

  ck_assert (gst_video_info_from_caps (&info, caps));
  return GST_VIDEO_INFO_SIZE (&info);
}

static GstBuffer *
file_frame (GstAllocator *allocator, GstCaps *caps)
{
  gsize size = caps_size (caps);

  return wrap (allocator, make_file (size, 0, 0), size);
}

/* In memory that begins with no page, and so is copied each time. */
static GstBuffer *
plain_frame (GstCaps *caps)
{
  gsize size = caps_size (caps);
  guint8 *memory = g_malloc0 (size + 16);
  gsize skip = (guintptr) memory % PAGE == 0 ? 16 : 0;

  for (gsize i = 0; i < size; i++)
    memory[skip + i] = pixel (i);
  return gst_buffer_new_wrapped_full (0, memory, size + 16, skip, size, memory,
      g_free);
}

static void
read_depth (GstBuffer *buffer, GByteArray *values)
{
  GstFoveaDepthMeta *depth = gst_fovea_buffer_get_depth (buffer, NULL);
  GstMapInfo map;

  ck_assert_ptr_nonnull (depth);
  ck_assert (gst_buffer_map (depth->map->data, &map, GST_MAP_READ));
  g_byte_array_set_size (values, 0);
  for (guint y = 0; y < depth->map->height; y++)
    g_byte_array_append (values, map.data + y * depth->map->stride,
        depth->map->width * 4);
  gst_buffer_unmap (depth->map->data, &map);
}

/* The model on @frame, so often, as by a pool: its path, the bytes copied and the
 * values of the last result. */
static char *
run (GstCaps *caps, GstBuffer *frame, guint64 *uploaded, GByteArray *values)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  GstHarness *harness = element_test_harness ("foveadepth", model, "", caps);
  GstStructure *stats = NULL;
  char *path;

  for (guint i = 0; i < FRAMES; i++) {
    GstBuffer *buffer = gst_buffer_copy (frame);

    GST_BUFFER_PTS (buffer) = i * GST_SECOND / 25;
    ck_assert_int_eq (gst_harness_push (harness, buffer), GST_FLOW_OK);
    buffer = gst_harness_pull (harness);
    ck_assert_ptr_nonnull (buffer);
    read_depth (buffer, values);
    gst_buffer_unref (buffer);
  }
  *uploaded = element_test_stat (harness->element, "bytes-uploaded");
  g_object_get (harness->element, "stats", &stats, NULL);
  path = g_strdup (gst_structure_get_string (stats, "path"));
  gst_structure_free (stats);
  gst_harness_teardown (harness);
  return path;
}

/* @frame, which it takes, comes by @path and gives what plain memory gives. */
static void
assert_frame (GstCaps *caps, GstBuffer *frame, const char *path)
{
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  g_autoptr (GByteArray) values = g_byte_array_new ();
  GstBuffer *plain = plain_frame (caps);
  g_autofree char *theirs = NULL, *ours = NULL;
  guint64 copied, uploaded;

  theirs = run (caps, plain, &copied, expected);
  ours = run (caps, frame, &uploaded, values);
  ck_assert_msg (g_str_has_prefix (ours, path), "%s, expected %s", ours, path);
  ck_assert_uint_eq (uploaded, g_str_has_suffix (path, "copied") ? copied : 0);
  ck_assert_uint_eq (values->len, expected->len);
  ck_assert_int_eq (memcmp (values->data, expected->data, values->len), 0);
  gst_buffer_unref (plain);
  gst_buffer_unref (frame);
}

static guint
open_files (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

static const char *const formats[] = { "RGBA", "RGB", "NV12", "I420", "YUY2",
  "GRAY8" };
static const guint sizes[][2] = { { 64, 48 }, { 37, 21 } };

static GstCaps *
loop_caps (int i)
{
  const guint *size = sizes[(guint) i % G_N_ELEMENTS (sizes)];

  return element_test_caps (formats[(guint) i % G_N_ELEMENTS (formats)],
      size[0], size[1]);
}

/* ---- a device that imports none ---- */

/* Mapped anew for each frame: nothing keeps what was mapped. */
START_TEST (test_mapped)
{
  g_autoptr (GstAllocator) dmabufs = gst_dmabuf_allocator_new ();
  g_autoptr (GstAllocator) files = gst_fd_allocator_new ();
  g_autoptr (GstCaps) caps = loop_caps (_i);

  dmabuf_fake_install (FALSE);
  assert_frame (caps, file_frame (dmabufs, caps), "dmabuf-copied");
  assert_frame (caps, file_frame (files, caps), "system-memory-copied");
}
END_TEST

/* Each ends in an error of the element, or of the flow, and no signal. */
START_TEST (test_hostile)
{
  static const gsize missing[] = { 0, PAGE, 3 * PAGE };
  g_autoptr (GstAllocator) allocator =
      _i % 2 ? gst_dmabuf_allocator_new () : gst_fd_allocator_new ();
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", 64, 48);
  g_autofree char *model = element_model_depth ("depth.onnx");
  gsize size = caps_size (caps);
  GstHarness *harness;
  GstBuffer *frame;
  int fd = make_file (size, 0, missing[_i / 2 % 3]);

  dmabuf_fake_install (_i / 6);
  harness = element_test_harness ("foveadepth", model, "", caps);
  frame = wrap (allocator, fd, size);
  if (missing[_i / 2 % 3] == 0)
    close (fd);
  GST_BUFFER_PTS (frame) = 0;
  gst_harness_push (harness, gst_buffer_ref (frame));
  ck_assert_int_eq (gst_harness_push (harness, frame), GST_FLOW_ERROR);
  gst_harness_teardown (harness);
}
END_TEST

/* Planes that do not lie in the memory. */
START_TEST (test_wrong_offsets)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  g_autoptr (GstCaps) caps = element_test_caps ("NV12", 64, 48);
  g_autofree char *model = element_model_depth ("depth.onnx");
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0, _i % 2 ? 3 * PAGE : G_MAXSIZE / 2 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 64, 64 };
  GstHarness *harness;
  GstBuffer *frame;

  dmabuf_fake_install (_i / 2);
  harness = element_test_harness ("foveadepth", model, "", caps);
  frame = file_frame (allocator, caps);
  gst_buffer_add_video_meta_full (frame, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_NV12, 64, 48, 2, offset, stride);
  GST_BUFFER_PTS (frame) = 0;
  ck_assert_int_eq (gst_harness_push (harness, frame), GST_FLOW_ERROR);
  gst_harness_teardown (harness);
}
END_TEST

/* ---- one that does ---- */

START_TEST (test_imported)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  g_autoptr (GstCaps) caps = loop_caps (_i);
  guint files = open_files ();

  dmabuf_fake_install (TRUE);
  /* strides of 37 x 21 that are no multiples of 4 are GStreamer's to avoid */
  assert_frame (caps, file_frame (allocator, caps), "dmabuf-imported");
  ck_assert_int_eq (dmabuf_fake_mappings (), 0);
  ck_assert_uint_eq (open_files (), files);
}
END_TEST

/* In a larger one, with rows further apart, as hardware lays them out. */
START_TEST (test_offsets)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  g_autoptr (GstCaps) caps = element_test_caps ("NV12", 38, 22);
  gsize offset[GST_VIDEO_MAX_PLANES] = { 128, 128 + 22 * 256 + 64 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 256, 256 };
  gsize size = 128 + 33 * 256 + 64;
  int fd = make_file (PAGE + size, 0, 0);
  GstBuffer *frame = wrap (allocator, fd, PAGE + size);
  GstVideoFrame from, to;
  GstVideoInfo info;
  GstBuffer *plain = plain_frame (caps);

  dmabuf_fake_install (TRUE);
  gst_buffer_resize (frame, PAGE, (gssize) size);
  gst_buffer_add_video_meta_full (frame, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_NV12, 38, 22, 2, offset, stride);
  ck_assert (gst_video_info_from_caps (&info, caps));
  ck_assert (gst_video_frame_map (&from, &info, plain, GST_MAP_READ));
  ck_assert (gst_video_frame_map (&to, &info, frame, GST_MAP_WRITE));
  ck_assert (gst_video_frame_copy (&to, &from));
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  gst_buffer_unref (plain);
  assert_frame (caps, frame, "dmabuf-imported");
}
END_TEST

/* Whatever the driver refuses, the frame is copied; no file stays open. */
START_TEST (test_refused)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  g_autoptr (GstCaps) caps = element_test_caps ("RGBA", 64, 48);
  guint files = open_files ();

  dmabuf_fake_install (TRUE);
  dmabuf_fake_set ((DmabufFake) _i);
  assert_frame (caps, file_frame (allocator, caps), "dmabuf-copied");
  dmabuf_fake_set (DMABUF_FAKE_WORKS);
  ck_assert_int_eq (dmabuf_fake_mappings (), 0);
  ck_assert_uint_eq (open_files (), files);
}
END_TEST

/* ---- caps ---- */

/* Caps of memory:DMABuf as this GStreamer has them. @modifier: after the format. */
static GstCaps *
dmabuf_caps (const char *format, const char *modifier, guint width,
    guint height)
{
  g_autofree char *text = NULL;

#if GST_CHECK_VERSION(1, 24, 0)
  text = g_strdup_printf (
      "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=%s%s,width=%u,"
      "height=%u,framerate=25/1",
      format, modifier, width, height);
#else
  text = g_strdup_printf ("video/x-raw(memory:DMABuf),format=%s%s,width=%u,"
                          "height=%u,framerate=25/1",
      format, modifier, width, height);
#endif
  return gst_caps_from_string (text);
}

/* What is offered in READY, where the device is known. */
static gboolean
offers (const char *element, const char *model, GstCaps *caps)
{
  GstHarness *harness = element_test_harness (element, model, "", NULL);
  GstPad *pad = gst_element_get_static_pad (harness->element, "sink");
  GstCaps *offered = gst_pad_query_caps (pad, NULL);
  gboolean result = gst_caps_can_intersect (offered, caps);

  gst_caps_unref (offered);
  gst_object_unref (pad);
  gst_harness_teardown (harness);
  return result;
}

/* Offered by a device that imports, and by no other; tiles by none. */
START_TEST (test_offered)
{
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autoptr (GstCaps) rows = dmabuf_caps ("NV12", "", 64, 48);
  g_autoptr (GstCaps) tiles =
      dmabuf_caps ("NV12", ":0x0100000000000001", 64, 48);
  g_autoptr (GstCaps) plain = element_test_caps ("NV12", 64, 48);

  dmabuf_fake_install (_i);
  ck_assert_int_eq (offers ("foveadepth", model, rows), _i);
  ck_assert (!offers ("foveadepth", model, tiles));
  ck_assert (offers ("foveadepth", model, plain));
}
END_TEST

/* Frames of such caps are read in place and pass on; what is drawn on them is what is
 * drawn on others. */
START_TEST (test_caps)
{
  static const char *const drm_formats[][2] = { { "NV12", "NV12" },
    { "RGBA", "AB24" }, { "I420", "YU12" } };
  const char *const *names = drm_formats[_i];
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autofree char *line =
      g_strdup_printf ("foveadepth name=net model=%s ! foveaoverlay", model);
  g_autoptr (GstCaps) plain = element_test_caps (names[0], 64, 48);
  g_autoptr (GstCaps) caps =
      dmabuf_caps (names[GST_CHECK_VERSION (1, 24, 0)], "", 64, 48);
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  gsize size = caps_size (plain);

  dmabuf_fake_install (TRUE);
  for (guint k = 0; k < 2; k++) {
    GstHarness *harness = gst_harness_new_parse (line);
    GstBuffer *buffer = k ? file_frame (allocator, plain) : plain_frame (plain);
    g_autoptr (GstElement) net = NULL;
    GstStructure *stats = NULL;
    GstMapInfo map;

    gst_harness_set_src_caps (harness, gst_caps_ref (k ? caps : plain));
    GST_BUFFER_PTS (buffer) = 0;
    ck_assert_int_eq (gst_harness_push (harness, buffer), GST_FLOW_OK);
    buffer = gst_harness_pull (harness);
    ck_assert_ptr_nonnull (buffer);
    ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
    if (k == 0) {
      g_byte_array_append (expected, map.data, (guint) size);
      for (size_t i = 0, n = 0; i < size; i++)
        ck_assert_msg ((n += map.data[i] != pixel (i)) > 0 || i + 1 < size,
            "nothing was drawn");
    }
    ck_assert_int_eq (memcmp (map.data, expected->data, size), 0);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
    net = gst_bin_get_by_name (GST_BIN (harness->element), "net");
    g_object_get (net, "stats", &stats, NULL);
    if (k)
      ck_assert (g_str_has_prefix (gst_structure_get_string (stats, "path"),
          "dmabuf-imported/"));
    gst_structure_free (stats);
    gst_harness_teardown (harness);
  }
}
END_TEST

/* A frame that another branch has too is not drawn on, nor on a copy that is no
 * DMA-BUF: the element says so. */
START_TEST (test_shared)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  g_autofree char *model = element_model_depth ("depth.onnx");
  g_autofree char *line =
      g_strdup_printf ("foveadepth model=%s ! foveaoverlay", model);
  g_autoptr (GstCaps) plain = element_test_caps ("NV12", 64, 48);
  g_autoptr (GstCaps) caps = dmabuf_caps ("NV12", "", 64, 48);
  GstBuffer *frame = file_frame (allocator, plain);
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstMessage *message;
  GstHarness *harness;
  GstMapInfo map;

  dmabuf_fake_install (TRUE);
  harness = gst_harness_new_parse (line);
  gst_element_set_bus (harness->element, bus);
  gst_harness_set_src_caps (harness, gst_caps_ref (caps));
  GST_BUFFER_PTS (frame) = 0;
  ck_assert_int_eq (gst_harness_push (harness, gst_buffer_ref (frame)),
      GST_FLOW_OK);
  message =
      gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_ERROR);
  ck_assert_ptr_nonnull (message);
  ck_assert (g_str_has_prefix (GST_MESSAGE_SRC_NAME (message), "foveaoverlay"));
  gst_message_unref (message);
  ck_assert_ptr_null (gst_harness_try_pull (harness));
  ck_assert (gst_buffer_map (frame, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size; i++)
    ck_assert_uint_eq (map.data[i], pixel (i));
  gst_buffer_unmap (frame, &map);
  gst_buffer_unref (frame);
  gst_element_set_bus (harness->element, NULL);
  gst_harness_teardown (harness);
}
END_TEST

/* ---- the kernel's own ---- */

START_TEST (test_udmabuf)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  g_autoptr (GstCaps) caps = loop_caps (_i);
  gsize size = caps_size (caps);
  int fd = make_udmabuf (make_file (size, 0, 0), size);
  FvDevice *device;
  gboolean takes;

  if (fd < 0) {
    if (_i == 0)
      g_print ("no /dev/udmabuf, so no DMA-BUF of the kernel's: skipped\n");
    return;
  }
  fv_vulkan_hook = NULL;
  device = fv_device_open (NULL, NULL);
  takes = device && fv_device_takes_dmabuf (device);
  fv_device_unref (device);
  assert_frame (caps, wrap (allocator, fd, size),
      takes ? "dmabuf-imported" : "dmabuf-copied");
}
END_TEST

static Suite *
dmabuf_suite (void)
{
  Suite *suite = suite_create ("element-dmabuf");
  TCase *tc = tcase_create ("mapped");

  tcase_set_timeout (tc, 120);
  tcase_add_loop_test (tc, test_mapped, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tc, test_hostile, 0, 12);
  tcase_add_loop_test (tc, test_wrong_offsets, 0, 4);
  suite_add_tcase (suite, tc);
  tc = tcase_create ("imported");
  tcase_set_timeout (tc, 120);
  tcase_add_loop_test (tc, test_imported, 0, G_N_ELEMENTS (formats));
  tcase_add_test (tc, test_offsets);
  tcase_add_loop_test (tc, test_refused, 1, DMABUF_FAKE_N);
  tcase_add_loop_test (tc, test_offered, 0, 2);
  tcase_add_loop_test (tc, test_caps, 0, 3);
  tcase_add_test (tc, test_shared);
  tcase_add_loop_test (tc, test_udmabuf, 0, G_N_ELEMENTS (formats));
  suite_add_tcase (suite, tc);
  return suite;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  gst_plugin_fovea_register ();
  return element_test_main (&argc, &argv, dmabuf_suite ());
}
