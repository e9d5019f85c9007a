# SPDX-License-Identifier: LGPL-2.1-or-later
"""Frames of foveascenesrc with their truth, on disk as arrays.

A pipeline writes frames, class maps, depth and boxes; they are kept at the size
that the nets take: frames resized as the elements do it (bilinear with antialias),
truth at half of that, at the nearest pixel.
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

FRAME = (640, 360)  # width, height of the video
INPUT = (384, 224)  # of the nets
TRUTH = (INPUT[0] // 2, INPUT[1] // 2)
CLASSES = ["sky", "ground", "pavement", "grass", "wall", "tree", "pole",
           "furniture", "person", "car", "ball", "crate", "dog"]
THINGS = ["person", "car", "ball", "crate", "dog"]
MOST_BOXES = 48  # of a frame, the largest
PART = 250  # frames that one pipeline makes
# One frame in 80 of what a camera would see: three of each scene of `mixed`.
SPEED = 80


def pipeline(seed, frames, folder, difficulty):
    """The launch line that writes a part."""
    width, height = FRAME
    sink = "filesink location=" + folder + "/"
    return (f"foveascenesrc seed={seed} num-buffers={frames} scene=mixed "
            f"pattern-speed={SPEED} difficulty={difficulty} "
            f"! video/x-raw,format=RGB,width={width},height={height},framerate=30/1 "
            f"! tee name=t "
            f"t. ! queue ! {sink}frames "
            f"t. ! queue ! foveaextract what=mask source=truth ! {sink}classes "
            f"t. ! queue ! foveaextract what=depth source=truth ! {sink}depth "
            f"t. ! queue ! foveajson source=truth ! {sink}boxes")


def nearest(planes, size):
    """Every plane at @size, by the pixel whose centre is nearest."""
    rows = ((np.arange(size[1]) + 0.5) * planes.shape[1] / size[1]).astype(int)
    columns = ((np.arange(size[0]) + 0.5) * planes.shape[2] / size[0]).astype(int)
    return planes[:, rows][:, :, columns]


def read_boxes(path, frames):
    """class, x0, y0, x1, y1 (0..1) and occlusion of things; -1: no more."""
    boxes = np.full((frames, MOST_BOXES, 6), -1, np.float32)
    with open(path) as lines:
        for i, line in enumerate(lines):
            found = []
            for item in json.loads(line).get("objects", []):
                box = item["detection"]["bounding_box"]
                found.append((THINGS.index(item["detection"]["label"]),
                              box["x_min"], box["y_min"], box["x_max"], box["y_max"],
                              item["detection"].get("occlusion", 0)))
            found.sort(key=lambda b: -(b[3] - b[1]) * (b[4] - b[2]))
            for k, box in enumerate(found[:MOST_BOXES]):
                boxes[i, k] = box
    return boxes


def make_part(seed, frames, difficulty):
    width, height = FRAME
    with tempfile.TemporaryDirectory() as folder:
        line = pipeline(seed, frames, folder, difficulty)
        subprocess.run(["gst-launch-1.0", "-q"] + line.split(), check=True)
        rgb = np.fromfile(folder + "/frames", np.uint8).reshape(-1, height, width, 3)
        classes = np.fromfile(folder + "/classes", np.uint8)
        depth = np.fromfile(folder + "/depth", np.uint16)
        boxes = read_boxes(folder + "/boxes", frames)
    classes = nearest(classes.reshape(-1, height, width), TRUTH)
    depth = nearest(depth.reshape(-1, height, width), TRUTH)
    depth = np.where(depth == 0xffff, 0, depth)  # farther than millimetres reach
    small = np.stack([np.asarray(Image.fromarray(f).resize(INPUT, Image.BILINEAR))
                      for f in rgb])
    return small, classes, depth, boxes


class Scenes:
    """@frames frames from @seed on in @folder: made where they are not yet there."""

    def __init__(self, folder, frames, seed, difficulty=0.5, log=sys.stderr):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.frames = frames
        shapes = {"rgb": ((frames, INPUT[1], INPUT[0], 3), np.uint8),
                  "classes": ((frames, TRUTH[1], TRUTH[0]), np.uint8),
                  "depth": ((frames, TRUTH[1], TRUTH[0]), np.uint16),
                  "boxes": ((frames, MOST_BOXES, 6), np.float32)}
        what = {"frames": frames, "seed": seed, "difficulty": difficulty,
                "speed": SPEED, "input": list(INPUT)}
        about, done = self.folder / "about.json", 0
        if about.exists():
            stored = json.loads(about.read_text())
            done = stored.pop("done")
            if stored != what:
                raise SystemExit(f"{folder} holds other frames ({stored}); "
                                 f"expected {what}: remove it or name another")
        mode = "r+" if done else "w+"
        self.arrays = {name: np.lib.format.open_memmap(
            self.folder / f"{name}.npy", mode,
            dtype=kind, shape=shape) for name, (shape, kind) in shapes.items()}
        starts = range(done, frames, PART)
        with ThreadPoolExecutor(2) as makers:
            parts = makers.map(lambda at: make_part(
                seed + at // PART, min(PART, frames - at), difficulty), starts)
            for at, part in zip(starts, parts):
                for array, values in zip(self.arrays.values(), part):
                    array[at:at + len(values)] = values
                    array.flush()
                done = at + len(part[0])
                temporary = about.with_suffix(".new")
                temporary.write_text(json.dumps(dict(what, done=done)))
                os.replace(temporary, about)
                print(f"{done} of {frames} frames", file=log, flush=True)

    def __getattr__(self, name):
        if name == "arrays" or name not in self.arrays:
            raise AttributeError(name)
        return self.arrays[name]


def lookup_miou(train, test):
    """mIoU of the class that each colour (5 bits a channel) most often has: what
    one reaches without looking at shapes."""
    def colours(scenes, i):
        rgb = nearest(np.asarray(scenes.rgb[i:i + 1]).reshape(1, INPUT[1], -1),
                      (INPUT[0] * 3, TRUTH[1])).reshape(TRUTH[1], INPUT[0], 3)
        c = rgb[:, ::2].astype(np.int64) >> 3
        return c[..., 0] << 10 | c[..., 1] << 5 | c[..., 2]

    n = len(CLASSES)
    votes = np.zeros((1 << 15, n), np.int64)
    for i in range(train.frames):
        np.add.at(votes, (colours(train, i).ravel(), train.classes[i].ravel()), 1)
    table = votes.argmax(1)
    confusion = np.zeros((n, n), np.int64)
    for i in range(test.frames):
        found = table[colours(test, i)]
        confusion += np.bincount(test.classes[i].ravel() * n + found.ravel(),
                                 minlength=n * n).reshape(n, n)
    both = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - both
    return float(np.mean((both / np.maximum(union, 1))[confusion.sum(1) > 0]))
