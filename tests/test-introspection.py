#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads and writes results from Python, through introspection."""
import sys

try:
    import gi
    gi.require_version('Gst', '1.0')
    gi.require_version('GstFovea', '1.0')
    gi.require_version('GstVideo', '1.0')
    from gi.repository import Gst, GstFovea, GstVideo
except (ImportError, ValueError) as error:
    print(f'skipped: {error}')
    sys.exit(77)

Gst.init(None)
producer = GstFovea.Producer.new('net0', 'toy', 'semantic', GstFovea.Role.TRUTH,
                                 ['road', 'person'])
ids = bytes([0, 1, 1, 255] * 2)
plane = GstFovea.Plane.new(producer, 5, GstFovea.PlaneFormat.U8, 4, 2, 4,
                           Gst.Buffer.new_wrapped(ids))
try:
    GstFovea.Plane.new(producer, 5, GstFovea.PlaneFormat.U8, 4, 3, 4,
                       Gst.Buffer.new_wrapped(ids))
    sys.exit('a plane over the end of its data was made')
except TypeError:
    pass
frame = Gst.Buffer.new_allocate(None, 32, None)
GstFovea.buffer_add_segmentation(frame, plane, None, 2, 0, 8, 4)
GstFovea.buffer_add_detection(frame, producer, 5, 1, 0.5, 1, 1, 4, 2, 8, 4)

copy = frame.copy_deep()
assert GstFovea.buffer_get_segmentation(copy, None) is None
mask = GstFovea.buffer_get_segmentation(copy, 'truth')
assert (mask.frame.width, mask.frame.height) == (8, 4)
assert (mask.n_classes, mask.background) == (2, 0)
assert mask.map.producer.element == 'net0'
assert mask.map.producer.label(1) == 'person'
assert mask.map.data.extract_dup(0, 8) == ids
box = GstVideo.buffer_get_video_region_of_interest_meta_id(copy, 1)
assert (box.x, box.y, box.w, box.h) == (1, 1, 4, 2)
detection = box.get_param('detection')
assert detection.get_string('label') == 'person'
assert detection.get_double('confidence') == (True, 0.5)
print('passed')
