#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fovea beside its peers, on the same machine in the same minutes: one table.

    peers.py FOVEA [--rounds 5] [--runs 10] [--threads 2] [--json FILE] MODEL...

Each round runs every engine once per model, each in a process of its own, in an
order that turns by one from round to round; what is told are medians over all runs
of all rounds, in wall time and in CPU time of the process. MODEL is an ONNX file or
a folder with model.onnx.

Peers are run where they are found, and named where they are not:
- onnxruntime on CPUs: FOVEA_PEERS names a folder in which somebody called
  `npm install --ignore-scripts onnxruntime-node`; node must be there.
- ncnn's Vulkan backend: a `benchncnn` on the PATH; NCNN_PARAMS names the folder of
  its benchmark's *.param files. It loads no ONNX files: a model is compared with the
  net of that benchmark that is the same or nearest, which the table names.

Speed is of the peer's median wall time to Fovea's: 2.00x is twice as fast as the peer.
Rows with a target say whether it is met.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIMEOUT = 900
# By how a model's name begins: ncnn's net, and whether it is the same one.
NCNN = {
    "resnet50": ("resnet50", True), "resnet18": ("resnet18", True),
    "mobilenetv2": ("mobilenet_v2", True), "mobilenetv3_large": ("mobilenet_v3", True),
    "efficientnet_b0": ("efficientnet_b0", True), "squeezenet": ("squeezenet", True),
    "regnet": ("regnety_400m", False), "deit": ("vision_transformer", False),
    "clip_vit": ("vision_transformer", False),
}


# Speed against each peer that is asked for, by how a model's name begins.
TARGETS = {
    "onnxruntime": {"resnet50": 0.5, "": 0.35},
    "ncnn-vulkan": {"resnet50": 5, "mobilenetv3": 5, "efficientnet_b0": 5, "regnet": 5,
                    "deit": 10, "swin": 10, "pvt_v2": 10, "segformer": 10},
}


class Absent(Exception):
    pass


class Fovea:
    name = "fovea"

    def __init__(self, options):
        self.tool = options.fovea

    def run(self, model, options):
        done = subprocess.run([self.tool, "bench", "--json", "-n", str(options.runs), model],
                              check=True, capture_output=True, text=True, timeout=TIMEOUT)
        report = json.loads(done.stdout)
        net = report["with_host_arrays"]
        return {"ms": [net["median_ms"]], "cpu_ms": [net["cpu_ms"]],
                "load_ms": report["load_ms"] + report["first_frame_ms"],
                "version": report["device"]}


class OnnxRuntime:
    name = "onnxruntime"

    def __init__(self, options):
        self.folder = os.environ.get("FOVEA_PEERS")
        self.tool = options.fovea
        if not shutil.which("node"):
            raise Absent("node is not on the PATH")
        if not self.folder or not (Path(self.folder) / "node_modules/onnxruntime-node").exists():
            raise Absent("FOVEA_PEERS names no folder with node_modules/onnxruntime-node")

    def run(self, model, options):
        info = json.loads(subprocess.run(
            [self.tool, "info", "--json", "--device", "reference", model], check=True,
            capture_output=True, text=True, timeout=TIMEOUT).stdout)
        inputs = [{k: i[k] for k in ("name", "type", "shape")} for i in info["inputs"]]
        job = {"model": str(model), "runs": options.runs, "threads": options.threads,
               "inputs": inputs}
        done = subprocess.run(["node", HERE / "onnxruntime.js", Path(self.folder).resolve(),
                               json.dumps(job)],
                              check=True, capture_output=True, text=True, timeout=TIMEOUT)
        return json.loads(done.stdout)


class Ncnn:
    name = "ncnn-vulkan"

    def __init__(self, options):
        self.params = os.environ.get("NCNN_PARAMS")
        if not shutil.which("benchncnn"):
            raise Absent("benchncnn is not on the PATH")
        if not self.params:
            raise Absent("NCNN_PARAMS does not name the folder of its *.param files")
        self.output, self.asked = "", set()

    def bench(self, model, options):
        """It runs all its nets each time: once per round."""
        if not self.output or model in self.asked:
            # loops, threads, power saving, GPU, cooling down
            numbers = [options.runs, options.threads, 0, 0, 0]
            done = subprocess.run(["benchncnn", *map(str, numbers)], cwd=self.params,
                                  check=False, capture_output=True, text=True, timeout=TIMEOUT)
            self.output, self.asked = done.stdout + done.stderr, set()
        self.asked.add(model)
        return self.output

    def run(self, model, options):
        name = Path(model).parent.name
        net, is_same = next((v for k, v in NCNN.items() if name.startswith(k)), (None, False))
        if not net:
            return None
        row = re.search(rf"^\s*{net}\s+min =.*avg =\s*([\d.]+)",
                        self.bench(model, options), re.M)
        if not row:
            return None
        return {"ms": [float(row[1])], "cpu_ms": [], "load_ms": None,
                "version": net if is_same else f"{net} (nearest)"}


def find_engines(options):
    engines = []
    for kind in (Fovea, OnnxRuntime, Ncnn):
        try:
            engines.append(kind(options))
        except Absent as why:
            print(f"{kind.name}: absent, skipped: {why}", file=sys.stderr)
    return engines


def measure(engines, models, options):
    """By model and engine: all that their runs gave."""
    found = {model: {} for model in models}
    for number in range(options.rounds):
        turn = number % len(engines)
        for model in models:
            for engine in engines[turn:] + engines[:turn]:
                try:
                    result = engine.run(model, options)
                except subprocess.CalledProcessError as error:
                    print(f"{model}: {engine.name}: {error.stderr.strip()}", file=sys.stderr)
                    continue
                if result:
                    found[model].setdefault(engine.name, []).append(result)
        print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    return found


def median(results, key):
    values = [v for r in results
              for v in (r[key] if isinstance(r[key], list) else [r[key]]) if v is not None]
    return statistics.median(values) if values else None


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def target(model, engine):
    return next((v for k, v in TARGETS.get(engine, {}).items() if model.startswith(k)), None)


def judge(speed, wanted):
    if speed is None or wanted is None:
        return ""
    return f">= {wanted:g}x: {'pass' if speed >= wanted else 'fail'}"


def rows(found):
    for model, by_engine in found.items():
        own = by_engine.get("fovea")
        for engine, results in by_engine.items():
            ms, name = median(results, "ms"), Path(model).parent.name
            yield {"model": name, "engine": engine, "target": target(name, engine),
                   "version": results[0]["version"], "ms": ms,
                   "cpu_ms": median(results, "cpu_ms"), "start_ms": median(results, "load_ms"),
                   "speed": ms / median(own, "ms") if own and engine != "fovea" else None}


def print_table(table):
    print("| model | engine | what | ms | CPU ms | start to first result, ms | Fovea's speed | target |")
    print("| --- " * 8 + "|")
    for row in table:
        speed = "" if row["speed"] is None else f"{row['speed']:.2f}x"
        print(f"| {row['model']} | {row['engine']} | {row['version']} | {number(row['ms'])} | "
              f"{number(row['cpu_ms'])} | {number(row['start_ms'], 0)} | {speed} | "
              f"{judge(row['speed'], row['target'])} |")


def model_file(path):
    path = Path(path).resolve()
    return path / "model.onnx" if path.is_dir() else path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fovea")
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    models = [model_file(m) for m in options.models]
    for model in models:
        if not model.exists():
            print(f"{model} is absent: skipped")
            return 77
    found = measure(find_engines(options), models, options)
    table = list(rows(found))
    print_table(table)
    if options.json:
        Path(options.json).write_text(json.dumps(table, indent=1) + "\n")
    return 0 if all(by_engine.get("fovea") for by_engine in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
