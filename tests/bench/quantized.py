# SPDX-License-Identifier: LGPL-2.1-or-later
"""Quantised nets: how far Fovea's results, and those of onnxruntime's 8-bit kernels,
are from the file's arithmetic in floats, and from one another."""
import subprocess
import tempfile
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper

from peers import bench
from report import table


def read(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


def by_onnxruntime(engine, model, image, options, folder):
    (folder / "input").write_bytes(numpy.ascontiguousarray(image).tobytes())
    name = onnx.load(str(model)).graph.input[0].name
    inputs = [{"name": name, "type": "f32", "shape": image.shape, "file": str(folder / "input")}]
    report = engine.job(model, inputs, options, folder=str(folder))
    output = report["outputs"][0]
    return (numpy.fromfile(output["file"], numpy.float32).reshape(output["shape"]),
            min(report["cpu_ms"]))


def by_fovea(tool, model, image, folder):
    subprocess.run([tool, "run", model, "--input", image, "--output", folder], check=True,
                   capture_output=True)
    return numpy.load(next(folder.glob("*.npy")))


def error(got, expected):
    """Relative L2."""
    return float(numpy.linalg.norm(got - expected) / numpy.linalg.norm(expected))


def compare(engine, fovea, folder, options):
    model, data = folder / "model.onnx", folder / "test_data_set_0"
    image, stored = read(data / "input_0.pb"), read(data / "output_0.pb")
    with tempfile.TemporaryDirectory() as scratch:
        theirs, their_ms = by_onnxruntime(engine, model, image, options, Path(scratch))
        ours = by_fovea(fovea.tool, model, data / "input_0.pb", Path(scratch) / "ours")
    own = bench(fovea.tool, "-n", options.runs, "--input-shape",
                "x".join(map(str, image.shape)), model)
    return [folder.name, f"{error(ours, stored):.1e}", f"{error(theirs, stored):.1e}",
            f"{error(ours, theirs):.1e}",
            " ".join("same" if result.argmax() == stored.argmax() else "other"
                     for result in (ours, theirs)),
            f"{own['with_host_arrays']['cpu_ms']:.1f}", f"{their_ms:.1f}"]


def compare_all(engine, fovea, zoo, options):
    rows = [compare(engine, fovea, folder, options) for folder in sorted(zoo.glob("*_int8"))]
    return table(["net", "Fovea against the file in floats", "onnxruntime against it",
                  "Fovea against onnxruntime", "largest output of each", "Fovea, CPU ms",
                  "onnxruntime, CPU ms"], rows)
