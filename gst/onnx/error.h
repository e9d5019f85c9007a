/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#ifndef FV_API
#define FV_API __attribute__ ((visibility ("default")))
#endif

/**
 * FvError:
 *
 * What went wrong, for callers that branch on it; the message of the
 * GError says what was expected and what came (file, node, operator, shape).
 */
typedef enum
{
  FV_ERROR_MALFORMED, /* not a valid ONNX, tensor, card or labels file     */
  FV_ERROR_UNSUPPORTED, /* an operator, attribute, type or shape we lack     */
  FV_ERROR_TOO_LARGE, /* over a byte, work or device limit                 */
  FV_ERROR_DEVICE, /* Vulkan failed; the message carries the VkResult   */
  FV_ERROR_NOT_FOUND, /* no such file, device, name or output              */
  FV_ERROR_INVALID, /* an argument or property outside of its range      */
  FV_ERROR_DYNAMIC, /* a shape depends on what arrives at run time       */
} FvError;

#define FV_ERROR (fv_error_quark ())
FV_API GQuark fv_error_quark (void);

G_END_DECLS
