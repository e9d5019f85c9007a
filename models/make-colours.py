#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes colours.onnx: a small segmentation net whose weights are set by hand.

    make-colours.py FOLDER

It tells eight colours apart: a 5x5 mean, then logits by one 1x1 convolution that
prefer the nearest of eight corners of the RGB cube (the largest of c x - c c / 2).
It needs no training and no download, so that pipelines can be tried at once; it
knows nothing about objects. Needs Debian's python3-onnx.
"""
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

NAMES = ["black", "blue", "green", "cyan", "red", "magenta", "yellow", "white"]


def net():
    corners = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], np.float32)
    mean = np.zeros((3, 3, 5, 5), np.float32)
    for channel in range(3):
        mean[channel, channel] = 1 / 25
    weights = {
        "mean": mean,
        "corners": corners.reshape(8, 3, 1, 1) * 16,
        "offset": -8 * (corners ** 2).sum(axis=1),
    }
    nodes = [
        helper.make_node("Conv", ["image", "mean"], ["smooth"], pads=[2, 2, 2, 2]),
        helper.make_node("Conv", ["smooth", "corners", "offset"], ["logits"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 180, 320])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 8, 180, 320])
    graph = helper.make_graph(
        nodes, "colours", [image], [logits],
        [numpy_helper.from_array(array, name) for name, array in weights.items()])
    return helper.make_model(graph, producer_name="fovea",
                             opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


if len(sys.argv) != 2:
    sys.exit(__doc__)
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
save(net(), str(folder / "colours.onnx"))
(folder / "colours.labels").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
(folder / "colours.onnx.modelinfo").write_text(
    "[modelinfo]\nversion=1.0\n\n[fovea]\nmean=0\nstd=1\nhead=segment\n"
    "labels-file=colours.labels\n", encoding="utf-8")
