/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/onnx/error.h"

G_DEFINE_QUARK (fv - error - quark, fv_error)
