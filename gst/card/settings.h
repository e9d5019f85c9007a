/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the sources of a card said, before it is given a meaning. Private. */
#pragma once

#include "gst/card/card.h"

G_BEGIN_DECLS

/* "mean" = { "0.485", "0.456", "0.406" }, from a file and place for messages. */
typedef struct
{
  char **values;
  FvCardSource source;
  char *where;
} FvSetting;

/* An output of the model, as far as it is known. */
typedef struct
{
  char *name;
  FvType type;
  gboolean has_shape;
  FvShape shape; /* -1 where free */
  char *producer; /* operator behind it, past those that only move data */
} FvCardOutput;

typedef struct
{
  char *name;
  FvType type;
  gboolean has_shape;
  FvShape shape;
} FvCardModelInput;

typedef struct _FvCardPrivate FvCardPrivate;
struct _FvCardPrivate
{
  GHashTable *settings; /* char * -> FvSetting * */
  GPtrArray *heads; /* char *: names of head groups, in order */
  char *name; /* of the model, for messages */
  char *folder; /* (nullable) where Hugging Face's files lie */
  FvHeadKind wanted;
  gboolean bound; /* all shapes of outputs are known */
  guint n_inputs, n_outputs;
  FvCardModelInput *inputs;
  FvCardOutput *outputs;
  GHashTable *ops; /* char *: types of the operators of the graph */
  guint n_fixed_lines; /* lines and warnings that heads did not write */
  guint n_fixed_warnings;
};

#define FV_MAX_LABELS 65536
#define FV_MAX_CARD_BYTES (8 << 20)

/* A setting of a lower or equal source is replaced. Values are copied. */
void fv_settings_put_list (FvCard *card, const char *key,
    const char *const *values, FvCardSource source, const char *where);
void fv_settings_put (FvCard *card, const char *key, const char *value,
    FvCardSource source, const char *where);
void fv_settings_put_numbers (FvCard *card, const char *key,
    const double *values, guint n, FvCardSource source, const char *where);
void fv_settings_remove (FvCard *card, FvCardSource source);

/* (nullable) @head: (nullable): the head's own setting, or the card's. */
const FvSetting *
fv_settings_get (const FvCard *card, const char *head, const char *key);
FvCardSource fv_settings_source (const FvCard *card, const char *head,
    const char *key, FvCardSource otherwise);
/* Each leaves the result alone where nothing was said, and fails by place where
 * what was said is no such thing. */
const char *
fv_settings_string (const FvCard *card, const char *head, const char *key);
gboolean fv_settings_number (const FvCard *card, const char *head,
    const char *key, double low, double high, double *value, GError **error);
gboolean fv_settings_float (const FvCard *card, const char *head,
    const char *key, double low, double high, float *value, GError **error);
gboolean fv_settings_int (const FvCard *card, const char *head, const char *key,
    gint low, gint high, gint *value, GError **error);
gboolean fv_settings_uint (const FvCard *card, const char *head,
    const char *key, guint low, guint high, guint *value, GError **error);
gboolean fv_settings_numbers (const FvCard *card, const char *head,
    const char *key, double low, double high, guint max, double *values,
    guint *n, GError **error);
/* One number for all three, or three. */
gboolean fv_settings_triple (const FvCard *card, const char *key, double low,
    double high, float *values, GError **error);
gboolean fv_settings_bool (const FvCard *card, const char *head,
    const char *key, gboolean *value, GError **error);
/* @nicks: NULL-terminated; the result is an index into it */
gboolean fv_settings_enum (const FvCard *card, const char *head,
    const char *key, const char *const *nicks, gint *value, GError **error);
/* The output that @key names. */
gboolean fv_settings_output (const FvCard *card, const char *head,
    const char *key, guint *output, GError **error);
gboolean fv_card_find_output (const FvCard *card, const char *name,
    const char *where, guint *output, GError **error);

/* Decimal numbers alone, whatever the locale. */
gboolean fv_parse_number (const char *text, double *value);

/* Adds to card->lines. Source and place are those of @key, or @otherwise. */
FvCardLine *fv_card_line (FvCard *card, const char *head, const char *key,
    FvCardSource otherwise, const char *format, ...) G_GNUC_PRINTF (5, 6);
/* Says so of a line that is not what its key's setting said. */
void
fv_card_line_from (FvCardLine *line, FvCardSource source, const char *where);
void fv_card_warn (FvCard *card, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The sources. Each puts settings; malformed ones fail, but for metadata, where
 * they warn: an ONNX file must not fail for a remark in it. */
gboolean fv_card_read_modelinfo (FvCard *card, const char *path,
    const char *data, gsize size, GError **error);
void fv_card_read_ultralytics (FvCard *card, GHashTable *metadata);
/* @expected: nothing else tells what the model is, so that a folder without these
 * files is worth a warning. */
gboolean
fv_card_read_hugging_face (FvCard *card, gboolean expected, GError **error);

/* The meaning. */
gboolean
fv_card_find_input (FvCard *card, const FvCardOptions *options, GError **error);
gboolean fv_card_find_heads (FvCard *card, GError **error);
/* What the outputs' names and shapes look like, as settings from
 * FV_CARD_SHAPES; to be removed before they are found again. */
void fv_card_guess_heads (FvCard *card);
void fv_card_guess (FvCard *card, const char *key, const char *value);
void
fv_card_guess_list (FvCard *card, const char *key, const char *const *values);
/* Whether one of @parts (in small letters) is in @name. */
gboolean fv_name_has (const char *name, const char *const *parts);
/* Whether height x width can be the image, possibly smaller. */
gboolean
fv_card_is_image_sized (const FvCard *card, gint64 height, gint64 width);
/* [1, h, w] that is a picture and no list of candidates. */
gboolean fv_card_is_map (const FvCard *card, const FvCardOutput *output);
/* What no head reads, for all that its shape is that of classes or a map, unless the
 * card says what it is: embeddings, keypoints. */
gboolean fv_card_is_foreign (const FvCard *card, const FvCardOutput *output);
/* guess-detect.c: several outputs that are a detector together; one that is, with
 * coefficients of so many prototypes behind its own channels. */
gboolean fv_card_guess_boxes (FvCard *card);
gboolean fv_card_guess_candidates (FvCard *card, guint n_prototypes);
/* What finds which masks, if anything does; before the detector is read, which is
 * then told where its coefficients are, among @channels of that output. */
gboolean fv_card_read_masks (FvCard *card, const char *name, FvCardHead *head,
    GError **error);
gboolean fv_card_place_coefficients (const FvCard *card, FvCardHead *head,
    gint64 channels, GError **error);
/* As settings from FV_CARD_SHAPES; how many prototypes there are, 0: none. */
guint fv_card_guess_prototypes (FvCard *card);
gboolean fv_card_guess_queries (FvCard *card);
/* Which axis of [1, C, h, w] or [1, h, w, C] holds channels. */
gint fv_card_map_axis (const FvCard *card, const FvShape *shape);
gboolean fv_card_read_detect (FvCard *card, const char *name, FvCardHead *head,
    GError **error);
gboolean fv_card_read_segment (FvCard *card, const char *name, FvCardHead *head,
    GError **error);
gboolean fv_card_reduce_labels (FvCard *card, const char *name,
    FvCardHead *head, GError **error);
/* Which of the first two labels is that of the background; -1: none */
gint fv_card_background (char **labels);
/* Output @head->output has @low to @high axes, as far as its shape is known. */
gboolean fv_card_check_rank (const FvCard *card, const FvCardHead *head,
    guint low, guint high, GError **error);
gboolean fv_card_read_activation (FvCard *card, const char *name,
    FvActivation *activation, GError **error);
void fv_card_head_clear (FvCardHead *head);

/* Python's text of a dict {0: 'a', 1: "b"} or list ['a', 'b'] of strings, in
 * order. NULL where it is none. (transfer full) */
char **fv_parse_python_names (const char *text);

/* The keys that docs/model-cards.md explains. */
extern const char *const fv_modelinfo_input_keys[];
extern const char *const fv_modelinfo_head_keys[];
extern const char *const fv_head_nicks[];
extern const char *const fv_activation_nicks[];
extern const char *const fv_detect_nicks[];
extern const char *const fv_box_nicks[];

/* Reads a small text file, NUL-terminated; errors name it. (transfer full) */
char *fv_read_text (const char *path, gsize limit, gsize *size, GError **error);

G_END_DECLS
