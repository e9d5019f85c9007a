/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the inference elements share. */
#pragma once

#include <check.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include "gst/video/gstfoveameta.h"

G_BEGIN_DECLS

/* In a folder of this process. (transfer full) */
char *element_test_path (const char *name);
/* Writes @text there. (transfer full) its path */
char *element_test_write (const char *name, const char *text);

/* Caps of system memory at 25 frames/s. */
GstCaps *element_test_caps (const char *format, guint width, guint height);
/* A frame of those caps, all bytes @value, at @index / 25 s. */
GstBuffer *element_test_frame (GstCaps *caps, guint8 value, guint index);
/* Another one, RGBA: red on the left, green in the middle, blue on the right. */
GstBuffer *element_test_thirds (guint width, guint height, guint index);
/* A harness around "@element model=@path @properties"; @caps: (nullable): set. */
GstHarness *element_test_harness (const char *element, const char *path,
    const char *properties, GstCaps *caps);

/* A pipeline or one element, whole. (transfer full) */
GstElement *element_test_parse (const char *description);
/* Runs "@description" until EOS or an error; the error's message or NULL.
 * @domain, @code: (out) (optional): what the error was. (transfer full) */
char *element_test_run (const char *description, GQuark *domain, gint *code);
/* A counter of the element's `stats`. */
guint64 element_test_stat (GstElement *element, const char *name);

/* Sets up folder and GStreamer, runs, fails on validation messages. */
int element_test_main (int *argc, char ***argv, Suite *suite);

G_END_DECLS
