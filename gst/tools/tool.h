/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the subcommands of `fovea` share. */
#pragma once

#include <json-glib/json-glib.h>
#include "gst/card/card.h"
#include "gst/engine/graph.h"

G_BEGIN_DECLS

enum
{
  TOOL_OK = 0,
  TOOL_FAILED = 1, /* a check or run failed */
  TOOL_USAGE = 2, /* the command line makes no sense */
};

/* One call of a subcommand. */
typedef struct
{
  const char *name; /* "check" */
  gboolean json;
  char *device_name;
  char *precision_name; /* (nullable) */
  char **shape_texts; /* (nullable) --input-shape */
  char *card_path; /* (nullable) --card */

  FvDevice *device; /* NULL until tool_open_device(), and for references */
  gboolean reference; /* --device reference */
  FvType precision; /* NONE: the device's default */
  float input_low, input_high; /* by the card of the model loaded last */
} Tool;

void tool_clear (Tool *tool);

#define TOOL_CARD_ENTRY(tool) \
  { \
    "card", 'c', 0, G_OPTION_ARG_FILENAME, &(tool)->card_path, \
        "a .modelinfo to use instead of that beside the model", "FILE" \
  }

/* Options of several subcommands, for their entries. */
#define TOOL_PRECISION_ENTRY(tool) \
  { \
    "precision", 'p', 0, G_OPTION_ARG_STRING, &(tool)->precision_name, \
        "f32 or f16 (default: f32 on CPUs, f16 on GPUs)", "TYPE" \
  }
#define TOOL_SHAPE_ENTRY(tool) \
  { \
    "input-shape", 's', 0, G_OPTION_ARG_STRING_ARRAY, &(tool)->shape_texts, \
        "shape of the first input, or of the input NAME; may be given again", \
        "[NAME=]1x3x224x224" \
  }

/* Parses options; FALSE: return *@code. --device and --json are added to @own.
 * Between @least and @most arguments must remain (argv[1] and on). */
gboolean tool_parse (Tool *tool, const GOptionEntry *own, const char *arguments,
    const char *summary, int *argc, char ***argv, int least, int most,
    int *code);
/* Prints "fovea check: MESSAGE" and how to get help; returns TOOL_USAGE. */
int tool_usage (Tool *tool, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Prints the message, as JSON too where that was asked for. @error: (transfer
 * full). Returns TOOL_FAILED. */
int tool_fail (Tool *tool, GError *error);

gboolean tool_open_device (Tool *tool, GError **error);
/* "llvmpipe (LLVM 15.0.6, 256 bits)" or "C references" */
const char *tool_device_title (Tool *tool);

/* @path: a model or its folder. @card: (out) (optional) (nullable): NULL where
 * none can be made; the model is loaded anyway. */
FvModel *tool_load (Tool *tool, const char *path, FvCard **card,
    char **card_problem, GError **error);
/* TRUE where @card, if any, knows which input takes an image. */
gboolean tool_takes_image (const FvCard *card);
/* One shape per input of @model: --input-shape, else the card's, else what the
 * model says, its free sizes bound. (transfer full): g_free() */
FvShape *tool_shapes (Tool *tool, FvModel *model, FvCard *card, GError **error);
/* @shapes: (nullable): one per input */
FvGraphOptions
tool_options (const Tool *tool, const FvModel *model, const FvShape *shapes);
FvGraph *tool_graph (Tool *tool, FvModel *model, const FvShape *shapes,
    gboolean timing, GError **error);

/* JSON: begin with tool_json_begin(), which opens an object; set members; then
 * tool_json_end() closes it and prints. */
JsonBuilder *tool_json_begin (void);
void tool_json_end (JsonBuilder *builder);
void
tool_json_string (JsonBuilder *builder, const char *key, const char *value);
void tool_json_int (JsonBuilder *builder, const char *key, gint64 value);
/* NaN and infinities become null: JSON has none */
void tool_json_double (JsonBuilder *builder, const char *key, double value);
/* the nodes of a host tail, their time and why; nothing where there is none */
void tool_json_tail (JsonBuilder *builder, const FvGraphStats *stats);
void tool_json_bool (JsonBuilder *builder, const char *key, gboolean value);
void
tool_json_shape (JsonBuilder *builder, const char *key, const FvShape *shape);
/* What a model is: as members, and a line of its operators. */
void tool_json_model (JsonBuilder *builder, FvModel *model);
void tool_print_operators (FvModel *model);
/* What a plan costs, as members. */
void tool_json_plan (JsonBuilder *builder, const FvGraphStats *stats);

/* The subcommands. */
int tool_devices (Tool *tool, int argc, char **argv);
int tool_info (Tool *tool, int argc, char **argv);
int tool_check (Tool *tool, int argc, char **argv);
int tool_run (Tool *tool, int argc, char **argv);
int tool_bench (Tool *tool, int argc, char **argv);
int tool_tune (Tool *tool, int argc, char **argv);

G_END_DECLS
