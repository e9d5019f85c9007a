#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the two nets on foveascenesrc and writes their ONNX files and cards.

    models/train/train.py --folder scratch

Frames are made in the folder first, once for both. Each net is trained by one thread,
both at the same time; training is deterministic for one version of PyTorch, and goes
on from the last checkpoint in the folder when it was interrupted.
"""
import argparse
import math
import multiprocessing
import os
import sys
import time
from pathlib import Path

# Debian's OpenBLAS would start threads of its own beside PyTorch's.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from export import export  # noqa: E402
from losses import class_weights, depth_loss, detection_loss  # noqa: E402
from losses import segmentation_loss  # noqa: E402
from nets import NETS, SceneNet  # noqa: E402
from scenes import CLASSES, INPUT, THINGS, Scenes, lookup_miou  # noqa: E402

MEAN, STD = (0.45, 0.45, 0.45), (0.25, 0.25, 0.25)
SEEDS = {"train": 1000, "test": 900000}
# The first steps see frames at this size, which costs half and shows things smaller.
SMALL, SMALL_STEPS = (256, 160), 0.4
# Then all goes on from the mean of the weights, for this part of the steps before, with
# the detector counting more: it is the slowest to learn.
MORE_STEPS, MORE_RATE, MORE_DETECTOR = 0.15, 0.6, 1.5


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--net", choices=sorted(NETS), nargs="+", default=sorted(NETS))
    parser.add_argument("--folder", required=True, help="for frames and checkpoints")
    parser.add_argument("--frames", type=int, default=14000)
    parser.add_argument("--test-frames", type=int, default=250)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop", type=int, metavar="STEPS",
                        help="stop after so many steps; a later run goes on")
    parser.add_argument("--output", default=str(Path(__file__).parent.parent))
    return parser.parse_args()


def to_input(rgb):
    x = torch.from_numpy(np.ascontiguousarray(rgb)).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def batch_of(scenes, indices, random):
    """Frames mirrored by half and with other light, and their truth."""
    rgb = scenes.rgb[indices].astype(np.float32)
    classes, boxes = scenes.classes[indices].copy(), scenes.boxes[indices].copy()
    depth = scenes.depth[indices].astype(np.float32) / 1000
    mirrored = random.random(len(indices)) < 0.5
    for i in np.flatnonzero(mirrored):
        rgb[i], classes[i], depth[i] = rgb[i, :, ::-1], classes[i, :, ::-1], depth[i, :, ::-1]
        left, right = boxes[i, :, 1].copy(), boxes[i, :, 3].copy()
        boxes[i, :, 1], boxes[i, :, 3] = 1 - right, 1 - left
    gain = np.exp(random.uniform(-0.2, 0.2, (len(indices), 1, 1, 3)))
    shift = random.uniform(-15, 15, (len(indices), 1, 1, 1))
    rgb = np.clip(rgb * gain + shift, 0, 255).astype(np.float32)
    return (to_input(rgb), torch.from_numpy(classes).long(), torch.from_numpy(depth),
            torch.from_numpy(boxes))


def loss_of(net, size, weights, detector, images, classes, depth, boxes):
    if size != INPUT:
        images = F.interpolate(images, size=size[::-1], mode="bilinear",
                               align_corners=False, antialias=True)
    images = images.contiguous(memory_format=torch.channels_last)
    logits, metres, scores, sides = net(images)
    parts = [segmentation_loss(logits, classes, weights), depth_loss(metres, depth),
             *detection_loss(scores, sides, boxes, size)]
    return sum(w * part for w, part in zip((1, 1, 1.5 * detector, 2.5 * detector), parts)), parts


def rate_at(step, steps, rate):
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return rate * (step + 1) / warm
    return rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm)
                                                     / max(steps - warm, 1))))


class Training:
    def __init__(self, net, arguments):
        self.name, self.arguments = net, arguments
        torch.manual_seed(arguments.seed)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        self.net = SceneNet(NETS[net], len(CLASSES), len(THINGS))
        self.net = self.net.to(memory_format=torch.channels_last)
        decayed = [p for p in self.net.parameters() if p.dim() > 1]
        others = [p for p in self.net.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.02},
             {"params": others, "weight_decay": 0}], arguments.rate)
        self.mean = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.step = 0
        self.path = Path(arguments.folder) / f"{net}.pt"

    def restore(self):
        if not self.path.exists():
            return
        state = torch.load(self.path)
        if state["arguments"] != self.identity():
            raise SystemExit(f"{self.path} is of another training "
                             f"({state['arguments']}); remove it")
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.mean, self.step = state["mean"], state["step"]
        print(f"goes on at step {self.step}")

    def identity(self):
        return {k: v for k, v in vars(self.arguments).items()
                if k not in ("folder", "output", "net", "stop")}

    def save(self):
        temporary = self.path.with_suffix(".new")
        torch.save({"arguments": self.identity(), "net": self.net.state_dict(),
                    "optimizer": self.optimizer.state_dict(), "mean": self.mean,
                    "step": self.step}, temporary)
        os.replace(temporary, self.path)

    def update_mean(self):
        """The running mean of the weights, which is what is exported."""
        keep = min(0.995, (1 + self.step) / (10 + self.step))
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.mean[name].mul_(keep).add_(value, alpha=1 - keep)
            else:
                self.mean[name].copy_(value)

    def step_on(self, scenes, weights, steps, more):
        a, per_epoch = self.arguments, scenes.frames // self.arguments.batch
        epoch, at = divmod(self.step, per_epoch)
        order = np.random.default_rng([a.seed, epoch]).permutation(scenes.frames)
        indices = np.sort(order[at * a.batch:(at + 1) * a.batch])
        random = np.random.default_rng([a.seed, epoch, at])
        is_more = self.step >= steps
        if self.step == steps:
            self.net.load_state_dict(self.mean)
            self.optimizer.state.clear()
        for group in self.optimizer.param_groups:
            group["lr"] = (rate_at(self.step - steps, more, MORE_RATE * a.rate)
                           if is_more else rate_at(self.step, steps, a.rate))
        size = SMALL if self.step < SMALL_STEPS * steps else INPUT
        self.net.train()
        loss, parts = loss_of(self.net, size, weights, MORE_DETECTOR if is_more else 1,
                              *batch_of(scenes, indices, random))
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        self.update_mean()
        return parts

    def run(self, scenes):
        """Whether the last step was done."""
        steps = scenes.frames // self.arguments.batch * self.arguments.epochs
        more = int(MORE_STEPS * steps)
        all_steps = steps + more
        last = min(all_steps, self.step + (self.arguments.stop or all_steps))
        weights, start, first = class_weights(scenes), time.time(), self.step
        while self.step < last:
            parts = self.step_on(scenes, weights, steps, more)
            if self.step % 20 == 0 or self.step == last:
                spent = time.time() - start
                left = spent / (self.step - first) * (all_steps - self.step)
                print(f"{self.name} {self.step}/{all_steps} loss "
                      + " ".join(f"{p.item():.3f}" for p in parts)
                      + f", {left / 60:.0f} minutes left", flush=True)
            if self.step % 500 == 0 or self.step == last:
                self.save()
        print(f"{self.name}: {time.process_time() / 60:.1f} minutes of one core")
        return self.step == all_steps

    def trained(self):
        self.net.load_state_dict(self.mean)
        return self.net.eval()


def train(net, arguments, scenes, test):
    training = Training(net, arguments)
    training.restore()
    Path(arguments.output).mkdir(parents=True, exist_ok=True)
    if training.run(scenes):
        export(training.trained(), net, arguments.output, test, to_input, MEAN, STD)


def main():
    arguments = options()
    folder = Path(arguments.folder)
    scenes = Scenes(folder / "train", arguments.frames, SEEDS["train"])
    test = Scenes(folder / "test", arguments.test_frames, SEEDS["test"])
    print(f"mIoU by colour alone: {lookup_miou(scenes, test):.3f}", flush=True)
    # Forked: all have the frames in the same memory.
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=train, args=(net, arguments, scenes, test))
               for net in arguments.net]
    for process in running:
        process.start()
    for process in running:
        process.join()
    sys.exit(any(process.exitcode for process in running))


if __name__ == "__main__":
    main()
