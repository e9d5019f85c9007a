/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts as small bitmaps, drawn once and kept while there is room. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where a text lies: coverage, a byte per pixel, with a margin around. */
typedef struct
{
  guint offset, stride; /* bytes */
  guint width, height;
} GstFoveaLabel;

/**
 * GstFoveaLabels:
 *
 * An atlas of texts in memory of the caller.
 *
 * Life:    new, then per frame begin and gst_fovea_labels_get() for each text.
 * Memory:  the atlas, which must outlive it; nothing else grows without bound. What
 *          does not fit is not drawn in that frame; the next frame starts anew.
 * Threads: one at a time.
 */
typedef struct _GstFoveaLabels GstFoveaLabels;

GstFoveaLabels *gst_fovea_labels_new (guint8 *atlas, gsize size);
void gst_fovea_labels_free (GstFoveaLabels *labels); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstFoveaLabels, gst_fovea_labels_free)
/* The size that @font names, or else one that is readable on a frame whose shorter
 * side has @side pixels: 13 at 360, 28 at 1080, 49 at 2160. */
guint gst_fovea_labels_pixels (const char *font, guint side);
/* @font: as Pango has it ("Sans Bold"); the size in pixels counts. Forgets all
 * texts where either differs from the last. */
void
gst_fovea_labels_begin (GstFoveaLabels *labels, const char *font, guint pixels);
/* (nullable): NULL when there is no room. Valid until the next begin. */
const GstFoveaLabel *
gst_fovea_labels_get (GstFoveaLabels *labels, const char *text);

G_END_DECLS
