/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A head on tensors that a test wrote. FOVEA_TIER chooses the tier. */
#pragma once

#include "gst/video/head-private.h"
#include "tests/card-maker.h"
#include "tests/fovea-test.h"
#include "tests/head-reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

G_BEGIN_DECLS

#define VARIANTS 2 /* types */

/* A head that runs on tensors of the test. */
typedef struct
{
  FvDevice *device;
  FvModel *model;
  FvModel *real; /* the same, where it was loaded and not made */
  FvCard *card;
  FvFrameMap map;
  FvType type;
  guint n;
  FvArray *arrays[12];
  FvPort ports[12];
  GstFoveaHead *head;
  FvProgram *program;
  FvBuffer *copy; /* of the map */
  GstFoveaResult result;
} Bench;


/* Random values in -4..4 in every output, in F32 or F16 for variant 0 or 1. */
void bench_init (Bench *b, gint variant, const char *card, const char *input,
    const char *outputs, guint frame_width, guint frame_height);
/* A real model, or a card that names one, with the outputs of data set 0 in
 * @folder. */
void bench_load (Bench *b, const char *path, const char *folder,
    guint frame_width, guint frame_height);
void bench_clear (Bench *b);
/* Puts array @i on the device: axis @inner innermost and padded as the engine
 * pads, or row-major for -1; NaN wherever no element lies. Values are rounded to
 * the stored type here, so that the reference sees the same. */
void bench_place (Bench *b, guint i, gint inner, gint64 offset);
void bench_place_all (Bench *b, gint inner, gint64 offset);
GstFoveaHead *bench_make_head (Bench *b, GError **error);
/* Makes and runs the head. @params: (nullable) */
void bench_run (Bench *b, const GstFoveaHeadParams *params);
/* Runs it once more; parameters may have been changed. */
void bench_again (Bench *b);
/* What the map of the result has at pixel (x, y). */
guint bench_class_at (const Bench *b, guint x, guint y);
void bench_store (const FvPort *port, gint64 element, float value);
void check_near (double a, double b, double tolerance);

G_END_DECLS
