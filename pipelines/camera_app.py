#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An application that reads masks: how much of each frame every class covers.

    camera_app.py [MODEL [SOURCE]]

The same as camera-app.c through GObject-introspection. An appsink hands over each
frame with its results; the mask alone is copied, by extract_dup(), and counted.
"""
import sys
from collections import Counter

import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstFovea", "1.0")
from gi.repository import Gst, GstApp, GstFovea  # pylint: disable=wrong-import-position

SOURCE = "foveascenesrc is-live=true num-buffers=150 ! video/x-raw,framerate=10/1"


def tell(buffer):
    mask = GstFovea.buffer_get_segmentation(buffer, None)
    if not mask or mask.map.format != GstFovea.PlaneFormat.U8:
        return
    plane = mask.map
    data = plane.data.extract_dup(0, plane.data.get_size())
    areas = Counter()
    for y in range(plane.height):
        areas.update(data[y * plane.stride:y * plane.stride + plane.width])
    shares = (f"{plane.producer.label(i)} {100 * n / (plane.width * plane.height):.1f} %"
              for i, n in sorted(areas.items()) if i < mask.n_classes)
    print(f"{plane.pts * 1e-9:7.3f} s", *shares, flush=True)


def main():
    Gst.init(None)
    model, source = (sys.argv[1:] + ["scene-mit", SOURCE][len(sys.argv) - 1:])[:2]
    pipeline = Gst.parse_launch(
        f"{source} ! videoconvert ! foveasegment name=net ! appsink name=sink")
    pipeline.get_by_name("net").set_property("model", model)
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    while sample := sink.pull_sample():
        tell(sample.get_buffer())
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message:
        error, _ = message.parse_error()
        sys.exit(f"{message.src.name}: {error.message}")


if __name__ == "__main__":
    main()
