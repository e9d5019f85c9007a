# SPDX-License-Identifier: LGPL-2.1-or-later
"""A trained net as ONNX file with a card, checked: PyTorch, the plain C reference and
the engine must agree."""
import copy
import hashlib
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nets import Exported
from scenes import CLASSES, INPUT, THINGS

OUTPUTS = ["classes", "depth", "boxes"]
CARD = """[modelinfo]
version=1.0

[fovea]
model={name}.onnx
resize=stretch
filter=bilinear
antialias=true
mean={mean}
std={std}

[fovea head classes]
head=segment
output=classes
labels={classes}

[fovea head depth]
head=depth
output=depth
depth=metric

[fovea head boxes]
head=detect
output=boxes
decoder=yolov8
activation=none
threshold=0.3
iou-threshold=0.5
labels={things}
"""


def halve(model):
    """Weights as f16, which the engine folds back to f32 when it loads them."""
    graph, nodes = model.graph, []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 16:
            continue
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(
            values.astype(np.float16), tensor.name + "_f16"))
        nodes.append(helper.make_node("Cast", [tensor.name + "_f16"], [tensor.name],
                                      to=onnx.TensorProto.FLOAT))
    for node in reversed(nodes):
        graph.node.insert(0, node)


def write_onnx(net, path):
    image = torch.zeros(1, 3, INPUT[1], INPUT[0])
    torch.onnx.export(Exported(net, INPUT).eval(), image, str(path), opset_version=17,
                      input_names=["images"], output_names=OUTPUTS,
                      do_constant_folding=True)
    model = onnx.load(str(path))
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def as_in_file(net):
    """A copy of the net with the weights that the file has: of convolutions with what
    follows of normalisation, rounded to f16."""
    net = copy.deepcopy(net).eval()
    for module in net.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for i in range(len(module) - 1):
            if isinstance(module[i], nn.Conv2d) and isinstance(module[i + 1],
                                                               nn.BatchNorm2d):
                module[i] = fuse_conv_bn_eval(module[i], module[i + 1])
                module[i + 1] = nn.Identity()
    net.load_state_dict({
        k: v.half().float() if v.dtype == torch.float32 and v.numel() >= 16 else v
        for k, v in net.state_dict().items()})
    return net


def save_tensor(array, name, path):
    path.write_bytes(numpy_helper.from_array(array, name).SerializeToString())


def check(net, model, image):
    """Runs `fovea check` with the reference and on the device, f32 and f16, on one
    frame and PyTorch's outputs for it."""
    with torch.no_grad():
        outputs = Exported(net, INPUT).eval()(image)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "test_data_set_0"
        data.mkdir()
        (Path(folder) / "model.onnx").write_bytes(model.read_bytes())
        save_tensor(image.numpy(), "images", data / "input_0.pb")
        for i, (name, output) in enumerate(zip(OUTPUTS, outputs)):
            save_tensor(output.numpy(), name, data / f"output_{i}.pb")
        for more in (["--device", "reference"], ["--precision", "f32"],
                     ["--precision", "f16"]):
            subprocess.run(["fovea", "check", *more, folder], check=True)


def export(net, kind, folder, test, to_input, mean, std):
    name, folder = f"scene-{kind}", Path(folder)
    net = as_in_file(net)
    path = folder / f"{name}.onnx"
    write_onnx(net, path)
    (folder / f"{name}.onnx.modelinfo").write_text(CARD.format(
        name=name, mean=";".join(map(str, mean)), std=";".join(map(str, std)),
        classes=";".join(CLASSES), things=";".join(THINGS)))
    check(net, path, to_input(test.rgb[:1]))
    size, digest = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path}: {size} bytes, SHA-256 {digest}, "
          f"{sum(p.numel() for p in net.parameters())} parameters")
