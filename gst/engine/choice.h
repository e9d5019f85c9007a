/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work that can be done in several ways: an operator's lower() offers them, the
 * plan takes one. */
#pragma once

#include "gst/engine/graph.h"

G_BEGIN_DECLS

#define FV_MAX_CANDIDATES 16
#define FV_CANDIDATE_NAME 24 /* bytes, with the end */
#define FV_SHAPE_CLASS 64

typedef struct
{
  char name[FV_CANDIDATE_NAME]; /* "4x32"; no blanks, none twice in an offer */
  double cost; /* a guess of its time, in any unit that the offer's share */
} FvCandidate;

/**
 * FvOffer:
 *
 * What of a node may be done in several ways. Shapes of one class are taken to be
 * served best by the same one, so sizes go into it as fv_size_class() has them, and
 * with them all else that makes one or the other the faster.
 */
typedef struct
{
  const char *kernel; /* whose tile it is, or what is done; static */
  char shape[FV_SHAPE_CLASS]; /* the class: "3136x64x576 window" */
  gboolean is_way; /* candidates make choices of their own inside */
  guint n;
  FvCandidate candidates[FV_MAX_CANDIDATES];
} FvOffer;

void fv_offer_add (FvOffer *offer, double cost, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* Small sizes as they are, larger ones rounded up to three bits behind the first. */
gint64 fv_size_class (gint64 size);

typedef enum
{
  FV_CHOSEN_BY_GUESS, /* the lowest cost */
  FV_CHOSEN_BY_TUNING, /* measured on this device */
  FV_CHOSEN_BY_FORCE, /* FvGraphOptions */
} FvChosenBy;
/* %NULL for a guess, "tuned", "forced" */
const char *fv_chosen_by_name (FvChosenBy by);

/* What became of an offer. */
typedef struct
{
  FvOffer offer;
  guint chosen, guessed; /* candidates */
  FvChosenBy by;
  guint first, end; /* the dispatches that it is about, as they were planned */
  double seconds[FV_MAX_CANDIDATES]; /* as measured; -1: not */
} FvChoice;

/* Where in fv_graph_program() the dispatch @planned is. */
FV_API guint fv_graph_position (FvGraph *graph, guint planned);
/* The choices in the order in which they were made; owned by the graph. */
FV_API const FvChoice *fv_graph_choices (FvGraph *graph, guint *n);

G_END_DECLS
