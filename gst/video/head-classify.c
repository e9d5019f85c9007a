/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classes of the whole frame: probabilities and the best few, classify.comp. */
#include "gst/video/head-private.h"

#include <math.h>

static gboolean
prepare (GstFoveaHead *head, GError **error)
{
  const FvCardHead *card = head->card;
  const FvPort *port = gst_fovea_head_port (head, card->output, error);
  FvDispatch dispatch = { .kernel = "classify" };
  FvClassifyPush push = { .n = 1, .stride = 1 };

  if (port == NULL)
    return FALSE;
  push.offset = (fv_int) port->offset;
  push.background = card->background;
  for (guint i = 0; i < port->shape.rank; i++) {
    if (port->shape.dims[i] == 1)
      continue;
    if (push.n != 1) {
      g_autofree char *shape = fv_shape_to_string (&port->shape);
      g_set_error (error, FV_ERROR, FV_ERROR_UNSUPPORTED,
          "output '%s' has no list of classes: expected one axis over 1, it is "
          "%s",
          port->name, shape);
      return FALSE;
    }
    push.n = (fv_int) port->shape.dims[i];
    push.stride = (fv_int) port->strides[i];
  }
  head->download = fv_buffer_new (head->device,
      (1 + 2 * GST_FOVEA_MAX_CLASSES) * sizeof (guint32), FV_MEMORY_DOWNLOAD,
      error);
  if (head->download == NULL)
    return FALSE;
  gst_fovea_head_bind (&dispatch, port);
  gst_fovea_head_bind_raw (&dispatch, head->values, FALSE);
  gst_fovea_head_bind_raw (&dispatch, head->download, TRUE);
  fv_dispatch_spec (&dispatch, FV_CLASSIFY_SPEC_ACTIVATION,
      (gint32) card->activation);
  fv_dispatch_push (&dispatch, &push, sizeof push);
  dispatch.bytes = (guint64) push.n * fv_type_size (port->type);
  gst_fovea_head_dispatch_one (head, &dispatch);
  return TRUE;
}

static void
read_classes (GstFoveaHead *head, GstFoveaResult *result)
{
  const guint32 *words = fv_buffer_map (head->download);
  const float *scores = fv_buffer_map (head->download);
  guint n = MIN (words[0], head->params.max_classes);

  for (guint i = 0; i < n; i++) {
    GstFoveaClass found = { words[1 + 2 * i], scores[2 + 2 * i] };
    if (isfinite (found.score) && found.score >= head->params.threshold)
      g_array_append_val (result->classes, found);
  }
}

const GstFoveaHeadClass gst_fovea_head_classify = {
  .prepare = prepare,
  .read = read_classes,
};
