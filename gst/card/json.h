/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON files beside a model: values by name, each error with file, field, what was
 * expected and what came. Private to the card. */
#pragma once

#include "gst/card/settings.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* An object of a file. The first error stays, and from then on nothing is there;
 * so readers ask for all they want and look at the end. A member that is null is
 * not there. */
typedef struct
{
  FvCard *card;
  JsonParser *parser; /* (nullable): an object inside of another */
  JsonObject *object;
  char *path; /* of the file */
  char *prefix; /* "size.", or "" */
  const char
      *defaults; /* (nullable) whose defaults hold: for the card's lines */
  GError **error;
} FvJson;

/* FALSE where there is no such file in the card's folder, and on errors. */
gboolean
fv_json_open (FvJson *json, FvCard *card, const char *name, GError **error);
gboolean fv_json_child (FvJson *json, const char *key, FvJson *child);
void fv_json_close (FvJson *json);

gboolean fv_json_has (FvJson *json, const char *key);
/* "models/x/config.json: id2label". (transfer full) */
char *fv_json_where (FvJson *json, const char *key);
/* "WHERE must be EXPECTED, not VALUE", as an error or a warning */
void fv_json_fail (FvJson *json, const char *key, const char *expected);
void fv_json_doubt (FvJson *json, const char *key, const char *expected);

/* Whether it is there; @value is left alone where it is not. */
gboolean fv_json_number (FvJson *json, const char *key, double low, double high,
    double *value);
/* A number or a list of at most @max. Returns how many. */
guint fv_json_numbers (FvJson *json, const char *key, double low, double high,
    guint max, double *values);
gboolean fv_json_bool (FvJson *json, const char *key, gboolean otherwise);
/* (nullable) */
const char *fv_json_string (FvJson *json, const char *key);

/* A setting of the card that @key of the file, or its default, gave. */
void fv_json_put (FvJson *json, const char *key, const char *setting,
    const char *value);
void fv_json_put_list (FvJson *json, const char *key, const char *setting,
    const char *const *values);
void fv_json_put_numbers (FvJson *json, const char *key, const char *setting,
    const double *values, guint n);
void fv_json_put_number (FvJson *json, const char *key, const char *setting,
    double value);

/* preprocessor.c, timm.c: what goes into the model */
void fv_json_read_preprocessor (FvJson *json);
void fv_json_read_timm (FvJson *json);
/* By Pillow's name of it; FALSE where there is none. */
gboolean fv_json_put_filter (FvJson *json, const char *key, const char *name);
/* The whole of what Pillow's resize does, but for the filter. */
void fv_json_put_pillow (FvJson *json);

G_END_DECLS
