# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nets of one product each, with an inner length of at least 128: what GEMM and
convolution kernels reach in layers of real nets. Maps come and go channels-last, as
layers hand them on, so that no copy is counted. Needs Debian's python3-onnx."""
import numpy
from onnx import TensorProto, helper, numpy_helper, save

# name: rows, inner length, columns
LINEAR = {
    "DeiT-T fc1": (197, 192, 768), "DeiT-T fc2": (197, 768, 192),
    "CLIP fc1": (50, 768, 3072), "Swin stage 3": (196, 384, 1536),
    "SegFormer decoder": (16384, 256, 256),
}
# name: channels in, channels out, kernel, size of the input, stride
CONV = {
    "ResNet 256-64": (256, 64, 1, 56, 1), "ResNet 512-128": (512, 128, 1, 28, 1),
    "ResNet 256-1024": (256, 1024, 1, 14, 1), "ResNet 2048-512": (2048, 512, 1, 7, 1),
    "ResNet 64-64": (64, 64, 3, 56, 1), "ResNet 128-128": (128, 128, 3, 28, 1),
    "ResNet 256-256": (256, 256, 3, 14, 1), "ResNet 512-512": (512, 512, 3, 7, 1),
    "ResNet 256-256, stride 2": (256, 256, 3, 28, 2),
}


def weights(*shape):
    values = numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)
    return numpy_helper.from_array(values / numpy.sqrt(shape[-1]), "w")


def save_net(path, nodes, weight, inputs, outputs):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, path.stem, [value("x", TensorProto.FLOAT, inputs)],
        [value("y", TensorProto.FLOAT, outputs)], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    save(model, str(path))


def make(folder):
    """(name, kind, inner length, multiply-accumulates, file) of each, written to the
    folder."""
    for i, (name, (rows, inner, columns)) in enumerate(LINEAR.items()):
        path = folder / f"linear{i}.onnx"
        save_net(path, [helper.make_node("MatMul", ["x", "w"], ["y"])], weights(inner, columns),
                 [1, rows, inner], [1, rows, columns])
        yield (f"{name}: {rows}x{inner}x{columns}", "GEMM", inner, rows * inner * columns,
               path)
    for i, (name, (channels, out, kernel, size, stride)) in enumerate(CONV.items()):
        path = folder / f"conv{i}.onnx"
        made = size // stride
        nodes = [helper.make_node("Transpose", ["x"], ["map"], perm=[0, 3, 1, 2]),
                 helper.make_node("Conv", ["map", "w"], ["sums"], kernel_shape=[kernel] * 2,
                                  strides=[stride] * 2, pads=[kernel // 2] * 4),
                 helper.make_node("Transpose", ["sums"], ["y"], perm=[0, 2, 3, 1])]
        save_net(path, nodes, weights(out, channels, kernel, kernel),
                 [1, size, size, channels], [1, made, made, out])
        inner, pixels = channels * kernel ** 2, made ** 2
        yield (f"{name} at {size}x{size}", f"{kernel}x{kernel}", inner, inner * pixels * out,
               path)
