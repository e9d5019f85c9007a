#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The training program on a few frames: both nets end as files that fovea check
accepts, the same ones again when interrupted; frames of another kind are refused.

    test-training.py TRAIN.PY FOLDER-OF-FOVEA

Exits 77 without PyTorch or PIL.
"""
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch  # noqa: F401
    import PIL  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}; install python3-torch and python3-pil")
    sys.exit(77)

train = sys.argv[1]
environment = dict(os.environ, PATH=sys.argv[2] + ":" + os.environ["PATH"])
faults = []


def run(folder, output, *more):
    return subprocess.run(
        [sys.executable, train, "--folder", folder, "--output", output, "--frames=8",
         "--test-frames=4", "--batch=4", "--epochs=2", *more],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=900)


def expect(good, what, result):
    if not good:
        faults.append(f"{what}:\n{result.stdout}")


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(Path(folder).glob("scene-*"))}


with tempfile.TemporaryDirectory() as folder:
    whole, parts = f"{folder}/whole", f"{folder}/parts"
    os.mkdir(whole)
    os.mkdir(parts)
    result = run(folder, whole)
    expect(result.returncode == 0, "training failed", result)
    expect("mIoU by colour alone" in result.stdout, "no lookup of colours", result)
    first = digests(whole)
    expect(sorted(first) == ["scene-cnn.onnx", "scene-cnn.onnx.modelinfo",
                             "scene-mit.onnx", "scene-mit.onnx.modelinfo"],
           f"files are {sorted(first)}", result)
    for model in Path(whole).glob("*.onnx"):
        size = model.stat().st_size
        expect(size < 4e6, f"{model.name} has {size} bytes, expected under 4 MB", result)
    for checkpoint in Path(folder).glob("*.pt"):
        checkpoint.unlink()
    for part in range(2):
        result = run(folder, parts, "--net=cnn", "--stop=2")
        expect(result.returncode == 0, "a part of a training failed", result)
        expect(part == 0 or f"goes on at step {2 * part}" in result.stdout,
               "did not go on", result)
    second = digests(parts)
    expect(second.get("scene-cnn.onnx") == first.get("scene-cnn.onnx"),
           "an interrupted training ends otherwise than a whole one", result)
    result = run(folder, parts, "--net=cnn", "--seed=2")
    expect(result.returncode != 0 and "of another training" in result.stdout,
           "went on from a checkpoint of another training", result)
    result = run(folder, parts, "--frames=6")
    expect(result.returncode != 0 and "holds other frames" in result.stdout,
           "took frames of another number", result)

print("\n".join(faults) or "both nets train, go on, and agree")
sys.exit(1 if faults else 0)
