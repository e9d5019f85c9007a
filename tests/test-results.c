/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* foveaextract and foveajson on results that the test writes. */
#include <math.h>
#include <string.h>
#include <check.h>
#include <gst/check/gstharness.h>
#include <json-glib/json-glib.h>
#include "gst/video/gstfoveadraw.h"

#define WIDTH 20
#define HEIGHT 10
#define PTS (2 * GST_SECOND)

static const char *labels[] = { "background", "person", "car", NULL };

static const char caps[] = "video/x-raw,format=NV12,width=20,height=10,"
                           "framerate=25/1,interlace-mode=progressive";

static GstFoveaProducer *
make_producer (void)
{
  return gst_fovea_producer_new ("net0", "toy", "semantic",
      GST_FOVEA_ROLE_RESULT, labels);
}

static GstFoveaPlane *
plane_new (GstFoveaPlaneFormat format, guint width, guint height,
    gconstpointer data)
{
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  guint row = width * gst_fovea_plane_format_size (format);
  guint stride = GST_ROUND_UP_4 (row);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, stride * height, NULL);

  for (guint y = 0; y < height; y++)
    gst_buffer_fill (buffer, y * stride, (const guint8 *) data + y * row, row);
  return gst_fovea_plane_new (producer, PTS - 2 * GST_SECOND / 25, format,
      width, height, stride, buffer);
}

/* Five columns of class 1, then 2, and the rest is background but for one pixel. */
static guint
id_at (guint x, guint y)
{
  return x == 19 && y == 9 ? 255 : x < 5 ? 1 : x < 7 ? 2 : 0;
}

static void
add_mask (GstBuffer *buffer)
{
  guint8 ids[HEIGHT][WIDTH];
  g_autoptr (GstFoveaPlane) map = NULL;

  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      ids[y][x] = id_at (x, y);
  map = plane_new (GST_FOVEA_PLANE_U8, WIDTH, HEIGHT, ids);
  gst_fovea_buffer_add_segmentation (buffer, map, NULL, 3, 0, WIDTH, HEIGHT);
}

static guint
sure_at (guint x, guint y)
{
  return (13 * x + 29 * y) % 256;
}

/* A mask that says how sure it is. */
static void
add_matte (GstBuffer *buffer)
{
  guint8 ids[HEIGHT][WIDTH], sure[HEIGHT][WIDTH];
  g_autoptr (GstFoveaPlane) map = NULL, matte = NULL;

  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      sure[y][x] = (guint8) sure_at (x, y);
      ids[y][x] = sure[y][x] >= 128;
    }
  map = plane_new (GST_FOVEA_PLANE_U8, WIDTH, HEIGHT, ids);
  matte = plane_new (GST_FOVEA_PLANE_U8, WIDTH, HEIGHT, sure);
  gst_fovea_buffer_add_segmentation (buffer, map, matte, 2, 0, WIDTH, HEIGHT);
}

/* 1, 1.25, ... metres along a row; nothing known in the first column. */
static float
depth_at (guint x)
{
  return x == 0 ? NAN : 1 + 0.25f * (x - 1);
}

static void
add_depth (GstBuffer *buffer, GstFoveaDepthKind kind)
{
  float values[HEIGHT][WIDTH];
  g_autoptr (GstFoveaPlane) map = NULL;

  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      values[y][x] = depth_at (x);
  map = plane_new (GST_FOVEA_PLANE_F32, WIDTH, HEIGHT, values);
  gst_fovea_buffer_add_depth (buffer, map, kind, WIDTH, HEIGHT);
}

static GstBuffer *
make_frame (void)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, WIDTH * HEIGHT * 3 / 2, NULL);

  gst_buffer_memset (buffer, 0, 50, -1);
  GST_BUFFER_PTS (buffer) = PTS;
  return buffer;
}

/* The output of @launch, of format @format, for @frame (transfer full). */
static GstBuffer *
through (const char *launch, const char *format, GstBuffer *frame)
{
  GstHarness *h = gst_harness_new_parse (launch);
  GstCaps *out;
  GstBuffer *buffer;

  gst_harness_set_src_caps_str (h, caps);
  ck_assert_int_eq (gst_harness_push (h, frame), GST_FLOW_OK);
  buffer = gst_harness_pull (h);
  ck_assert_ptr_nonnull (buffer);
  ck_assert_uint_eq (GST_BUFFER_PTS (buffer), PTS);
  out = gst_pad_get_current_caps (h->sinkpad);
  if (format) {
    const GstStructure *structure = gst_caps_get_structure (out, 0);
    gint width, height;
    ck_assert_str_eq (gst_structure_get_string (structure, "format"), format);
    ck_assert (gst_structure_get_int (structure, "width", &width));
    ck_assert (gst_structure_get_int (structure, "height", &height));
    ck_assert_int_eq (width, WIDTH);
    ck_assert_int_eq (height, HEIGHT);
  }
  gst_caps_unref (out);
  gst_harness_teardown (h);
  return buffer;
}

static guint
value_at (const GstMapInfo *map, guint bytes, guint x, guint y)
{
  guint stride = GST_ROUND_UP_4 (WIDTH * bytes);
  const guint8 *p = map->data + y * stride + x * bytes;

  return bytes == 1 ? *p
      : bytes == 2  ? GST_READ_UINT16_LE (p)
                    : GST_READ_UINT32_BE (p);
}

START_TEST (test_ids)
{
  static const char *launches[] = { "foveaextract",
    "foveaextract ! capsfilter caps=video/x-raw,format=GRAY16_LE",
    "foveaextract what=matte" };
  static const char *formats[] = { "GRAY8", "GRAY16_LE", "GRAY8" };
  GstBuffer *frame = make_frame (), *out;
  guint bytes = _i == 1 ? 2 : 1;
  GstMapInfo map;

  add_mask (frame);
  out = through (launches[_i], formats[_i], frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      guint id = id_at (x, y), want = id;
      if (_i == 2)
        want = id == 1 || id == 2 ? 255 : 0;
      else if (id == 255)
        want = _i == 1 ? 65535 : 255;
      ck_assert_uint_eq (value_at (&map, bytes, x, y), want);
    }
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
}
END_TEST

/* What the mask says of itself goes before its ids, and only for the matte. */
START_TEST (test_matte)
{
  static const char *launches[] = { "foveaextract what=matte", "foveaextract" };
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;

  add_matte (frame);
  out = through (launches[_i], "GRAY8", frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      ck_assert_uint_eq (value_at (&map, 1, x, y),
          _i == 0 ? sure_at (x, y) : sure_at (x, y) >= 128);
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
}
END_TEST

/* A matte of chosen classes, by label and by number, also where the mask says of
 * itself how sure it is. */
START_TEST (test_classes)
{
  static const struct
  {
    const char *classes;
    gboolean in[3];
  } cases[] = { { "person", { 0, 1, 0 } }, { "2", { 0, 0, 1 } },
    { "0, person", { 1, 1, 0 } }, { "", { 0, 1, 1 } } };
  g_autofree char *launch = g_strdup_printf (
      "foveaextract what=matte classes=\"%s\"", cases[_i].classes);
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;

  add_mask (frame);
  out = through (launch, "GRAY8", frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      guint id = id_at (x, y);

      ck_assert_uint_eq (value_at (&map, 1, x, y),
          id < 3 && cases[_i].in[id] ? 255 : 0);
    }
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
  frame = make_frame ();
  add_matte (frame);
  out = through ("foveaextract what=matte classes=1", "GRAY8", frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  ck_assert_uint_eq (value_at (&map, 1, 0, 0), 0);
  ck_assert_uint_eq (value_at (&map, 1, 0, 5), sure_at (0, 5) >= 128 ? 255 : 0);
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
}
END_TEST

/* One warning, however many frames. */
START_TEST (test_unknown_class)
{
  GstHarness *h =
      gst_harness_new_parse ("foveaextract what=matte classes=person,persn");
  GstBus *bus = gst_bus_new ();
  guint n = 0;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, caps);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *frame = make_frame ();

    add_mask (frame);
    ck_assert_int_eq (gst_harness_push (h, frame), GST_FLOW_OK);
  }
  for (;;) {
    GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    g_autoptr (GError) warning = NULL;

    if (message == NULL)
      break;
    gst_message_parse_warning (message, &warning, NULL);
    ck_assert_ptr_nonnull (strstr (warning->message, "'persn'"));
    gst_message_unref (message);
    n++;
  }
  ck_assert_uint_eq (n, 1);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}
END_TEST

START_TEST (test_palette)
{
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;

  add_mask (frame);
  out = through ("foveaextract what=palette palette=#010203,#ff8000,#0080ff",
      "RGBA", frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++) {
      guint id = id_at (x, y);
      ck_assert_uint_eq (value_at (&map, 4, x, y),
          id == 1       ? 0xff8000ff
              : id == 2 ? 0x0080ffff
                        : 0);
    }
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

/* Metric depth in millimetres. */
START_TEST (test_depth)
{
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;

  add_depth (frame, GST_FOVEA_DEPTH_METRIC);
  out = through ("foveaextract what=depth", "GRAY16_LE", frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (guint x = 0; x < WIDTH; x++)
    ck_assert_uint_eq (value_at (&map, 2, x, 3),
        x == 0 ? 0 : 1000 + 250 * (x - 1));
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
}
END_TEST

/* Depth without a unit, over a fixed range, which may be set in other types too. */
START_TEST (test_inverse_depth)
{
  static const char *launches[] = {
    "foveaextract what=depth depth-range=<1.0,5.5>",
    "foveaextract what=depth depth-range=<1,5.5>"
  };
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;

  add_depth (frame, GST_FOVEA_DEPTH_INVERSE);
  out = through (launches[_i], "GRAY16_LE", frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  ck_assert_uint_eq (value_at (&map, 2, 0, 0), 0);
  for (guint x = 1; x < WIDTH; x++)
    ck_assert_uint_eq (value_at (&map, 2, x, 9),
        (guint) (1 + 65534 * ((depth_at (x) - 1) / 4.5) + 0.5));
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
}
END_TEST

/* Near is the upper end of the colour map, whatever the numbers do. */
START_TEST (test_depth_colour)
{
  static const GstFoveaDepthKind kinds[] = { GST_FOVEA_DEPTH_METRIC,
    GST_FOVEA_DEPTH_INVERSE };
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;

  add_depth (frame, kinds[_i]);
  out = through (
      "foveaextract what=depth-colour colormap=gray depth-range=<1.0,5.5>",
      "RGBA", frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  ck_assert_uint_eq (value_at (&map, 4, 0, 5), 0);
  for (guint x = 1; x < WIDTH; x++) {
    double t = (depth_at (x) - 1) / 4.5;
    guint want = (kinds[_i] == GST_FOVEA_DEPTH_METRIC ? 1 - t : t) * 255 + 0.5;
    guint got = value_at (&map, 4, x, 5);
    ck_assert_uint_eq (got & 255, 255);
    ck_assert_int_le (ABS ((int) (got >> 24) - (int) want), 1);
    ck_assert_uint_eq (got >> 24, got >> 16 & 255);
  }
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

/* A frame without the result gives a frame that says so. */
START_TEST (test_no_result)
{
  static const struct
  {
    const char *launch, *format;
    guint bytes, value;
  } cases[] = { { "foveaextract", "GRAY8", 1, 255 },
    { "foveaextract what=matte", "GRAY8", 1, 0 },
    { "foveaextract what=palette", "RGBA", 4, 0 },
    { "foveaextract what=depth", "GRAY16_LE", 2, 0 },
    { "foveaextract what=depth-colour", "RGBA", 4, 0 },
    { "foveaextract source=truth", "GRAY8", 1, 255 } };
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;

  if (_i == 5)
    add_mask (frame);
  out = through (cases[_i].launch, cases[_i].format, frame);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < WIDTH; x++)
      ck_assert_uint_eq (value_at (&map, cases[_i].bytes, x, y),
          cases[_i].value);
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
}
END_TEST

/* A mask of half the size: scaled to the frame, by videoscale's own transform. */
START_TEST (test_scaled_mask)
{
  GstBuffer *frame = make_frame (), *out;
  GstMapInfo map;
  GstHarness *h = gst_harness_new_parse (
      "videoscale add-borders=false ! video/x-raw,width=40,height=20 ! "
      "foveaextract");

  add_mask (frame);
  gst_harness_set_src_caps_str (h, caps);
  ck_assert_int_eq (gst_harness_push (h, frame), GST_FLOW_OK);
  out = gst_harness_pull (h);
  gst_buffer_map (out, &map, GST_MAP_READ);
  for (guint y = 0; y < 2 * HEIGHT; y++)
    for (guint x = 0; x < 2 * WIDTH; x++)
      ck_assert_uint_eq (map.data[y * 40 + x], id_at (x / 2, y / 2));
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}
END_TEST

static JsonObject *
parse_line (JsonParser *parser, GstBuffer *buffer)
{
  g_autoptr (GError) error = NULL;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  ck_assert_uint_eq (map.data[map.size - 1], '\n');
  ck_assert_ptr_eq (memchr (map.data, '\n', map.size), map.data + map.size - 1);
  ck_assert_msg (json_parser_load_from_data (parser, (const char *) map.data,
                     map.size, &error),
      "%s", error ? error->message : "");
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return json_node_get_object (json_parser_get_root (parser));
}

static JsonObject *
element_of (JsonObject *object, const char *array, guint i)
{
  return json_array_get_object_element (
      json_object_get_array_member (object, array), i);
}

static void
check_box (JsonObject *box)
{
  JsonObject *detection = json_object_get_object_member (box, "detection");
  JsonObject *bounds =
      json_object_get_object_member (detection, "bounding_box");
  JsonObject *producer = json_object_get_object_member (box, "producer");
  JsonObject *attribute = json_object_get_object_member (box, "semantic");

  ck_assert_int_eq (json_object_get_int_member (box, "x"), 2);
  ck_assert_int_eq (json_object_get_int_member (box, "y"), 1);
  ck_assert_int_eq (json_object_get_int_member (box, "w"), 10);
  ck_assert_int_eq (json_object_get_int_member (box, "h"), 6);
  ck_assert_int_eq (json_object_get_int_member (box, "region_id"), 1);
  ck_assert_str_eq (json_object_get_string_member (box, "roi_type"), "person");
  ck_assert_double_eq_tol (json_object_get_double_member (bounds, "x_min"),
      2.25 / WIDTH, 1e-9);
  ck_assert_double_eq_tol (json_object_get_double_member (bounds, "x_max"),
      12.0 / WIDTH, 1e-9);
  ck_assert_double_eq_tol (json_object_get_double_member (bounds, "y_max"),
      7.0 / HEIGHT, 1e-9);
  ck_assert_double_eq (json_object_get_double_member (detection, "confidence"),
      0.75);
  ck_assert_int_eq (json_object_get_int_member (detection, "label_id"), 1);
  ck_assert_str_eq (json_object_get_string_member (detection, "label"),
      "person");
  ck_assert_str_eq (json_object_get_string_member (producer, "element"),
      "net0");
  ck_assert_str_eq (json_object_get_string_member (producer, "role"), "result");
  ck_assert_str_eq (json_object_get_string_member (attribute, "label"), "car");
  ck_assert_str_eq (
      json_object_get_string_member (
          json_object_get_object_member (attribute, "model"), "name"),
      "toy");
}

START_TEST (test_json)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GstFoveaProducer) producer = make_producer ();
  const GstClockTime found = PTS - 2 * GST_SECOND / 25;
  GstBuffer *frame = make_frame ();
  JsonObject *line, *object;

  add_mask (frame);
  add_depth (frame, GST_FOVEA_DEPTH_METRIC);
  gst_fovea_region_add_class (gst_fovea_buffer_add_detection (frame, producer,
                                  found, 1, 0.75, 2.25, 1, 9.75, 6, WIDTH,
                                  HEIGHT),
      producer, found, 2, 0.5);
  gst_fovea_buffer_add_frame_class (frame, producer, found, 2, 0.9, WIDTH,
      HEIGHT);
  gst_fovea_buffer_add_frame_class (frame, producer, found, 0, 0.1, WIDTH,
      HEIGHT);
  line = parse_line (parser, through ("foveajson", NULL, frame));

  object = json_object_get_object_member (line, "resolution");
  ck_assert_int_eq (json_object_get_int_member (object, "width"), WIDTH);
  ck_assert_int_eq (json_object_get_int_member (object, "height"), HEIGHT);
  ck_assert_uint_eq (json_object_get_int_member (line, "pts"), PTS);
  ck_assert_uint_eq (json_object_get_int_member (line, "timestamp"), PTS);
  ck_assert_int_eq (json_object_get_int_member (line, "result_age_frames"), 2);
  check_box (element_of (line, "objects", 0));
  object = element_of (line, "objects", 1);
  ck_assert (!json_object_has_member (object, "detection"));
  ck_assert_str_eq (json_object_get_string_member (object, "roi_type"),
      "frame");
  ck_assert_str_eq (json_object_get_string_member (
                        element_of (object, "classes", 1), "label"),
      "background");

  object = json_object_get_object_member (line, "segmentation");
  ck_assert_int_eq (
      json_array_get_length (json_object_get_array_member (object, "classes")),
      3);
  ck_assert_int_eq (
      json_object_get_int_member (element_of (object, "classes", 0), "area"),
      13 * HEIGHT - 1);
  ck_assert_int_eq (
      json_object_get_int_member (element_of (object, "classes", 1), "area"),
      5 * HEIGHT);
  ck_assert_str_eq (json_object_get_string_member (
                        element_of (object, "classes", 2), "label"),
      "car");

  object = json_object_get_object_member (line, "depth");
  ck_assert_double_eq (json_object_get_double_member (object, "min"), 1);
  ck_assert_double_eq (json_object_get_double_member (object, "max"), 5.5);
  ck_assert_double_eq (json_object_get_double_member (object, "mean"), 3.25);
  ck_assert_double_eq (json_object_get_double_member (object, "known"), 0.95);
  ck_assert_str_eq (json_object_get_string_member (object, "unit"), "metres");
}
END_TEST

/* A frame without results is a line too. */
START_TEST (test_json_empty)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *line = parse_line (parser,
      through ("foveajson source=truth", NULL, make_frame ()));

  ck_assert_uint_eq (json_object_get_int_member (line, "pts"), PTS);
  ck_assert_int_eq (
      json_array_get_length (json_object_get_array_member (line, "objects")),
      0);
  ck_assert (!json_object_has_member (line, "segmentation"));
  ck_assert (!json_object_has_member (line, "depth"));
}
END_TEST

/* Text from a labels file may be anything. */
START_TEST (test_json_odd_text)
{
  static const char *odd[] = { "say \"cheese\"\n\\ \xff\xfe \xc3\xa9", NULL };
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GstFoveaProducer) producer = gst_fovea_producer_new ("net\n0",
      "toy", NULL, GST_FOVEA_ROLE_RESULT, odd);
  GstBuffer *frame = make_frame ();
  JsonObject *line, *box;

  gst_fovea_buffer_add_detection (frame, producer, PTS, 0, 1, 0, 0, 5, 5, WIDTH,
      HEIGHT);
  line = parse_line (parser, through ("foveajson", NULL, frame));
  box = element_of (line, "objects", 0);
  ck_assert (g_str_has_prefix (json_object_get_string_member (box, "roi_type"),
      "say \"cheese\"\n\\ "));
}
END_TEST

static Suite *
results_suite (void)
{
  Suite *suite = suite_create ("results");
  TCase *tcase = tcase_create ("results");

  tcase_set_timeout (tcase, 60);
  tcase_add_loop_test (tcase, test_ids, 0, 3);
  tcase_add_loop_test (tcase, test_matte, 0, 2);
  tcase_add_loop_test (tcase, test_classes, 0, 4);
  tcase_add_test (tcase, test_unknown_class);
  tcase_add_test (tcase, test_palette);
  tcase_add_test (tcase, test_depth);
  tcase_add_loop_test (tcase, test_inverse_depth, 0, 2);
  tcase_add_loop_test (tcase, test_depth_colour, 0, 2);
  tcase_add_loop_test (tcase, test_no_result, 0, 6);
  tcase_add_test (tcase, test_scaled_mask);
  tcase_add_test (tcase, test_json);
  tcase_add_test (tcase, test_json_empty);
  tcase_add_test (tcase, test_json_odd_text);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  SRunner *runner;
  int failed;

  gst_init (&argc, &argv);
  runner = srunner_create (results_suite ());
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? 1 : 0;
}
