#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# validated.sh PROGRAM...: runs it with Vulkan's validation layer in every instance that
# it makes, GStreamer's too, and fails where the layer has anything to say.
output=$(VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation "$@" 2>&1)
status=$?
echo "$output"
case $output in
  *'Validation Error'* | *'Validation Warning'*) exit 1 ;;
esac
exit $status
