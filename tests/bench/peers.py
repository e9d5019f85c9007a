#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fovea beside its peers, on the same machine in the same minutes: one table.

    peers.py FOVEA [--rounds 3] [--runs 10] [--threads 2] [--json FILE] MODEL...

Each round runs every engine once per model, each in a process of its own, in an
order that turns by one from round to round; what is told are medians over all runs
of all rounds, in wall time and in CPU time of the process. MODEL is an ONNX file or
a folder with model.onnx.

Peers are run where they are found, and named where they are not:
- onnxruntime on CPUs: FOVEA_PEERS names a folder in which somebody called
  `npm install --ignore-scripts onnxruntime-node`; node must be there.
- ncnn's Vulkan backend: a `benchncnn` on the PATH that takes param= and shape= (of
  2023 or later); NCNN_PARAMS names the folder of its benchmark's *.param files. It
  loads no ONNX files: a model is compared with the same net there or, by time per
  multiply-accumulate, with the nearest, which the table names. It tells an average
  of its runs, not each. Its first Vulkan device must be that of Fovea.

Speed is of the peer's median wall time to Fovea's: 2.00x is twice as fast as the peer.
Rows with a target say whether it is met. Lavapipe has two threads per processor, as
Fovea sets it (docs/tuning.md), for ncnn too.
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

from report import number, table

HERE = Path(__file__).resolve().parent
TIMEOUT = 900
os.environ.setdefault("LP_NUM_THREADS", str(2 * len(os.sched_getaffinity(0))))
# By how a model's name begins, ncnn's nets, the best first; that the folder has is
# taken. Size of the input, and multiply-accumulates where it is not the same net:
# of the architecture, as published.
VIT_B32 = ("vision_transformer", 384, 13.0e9)
DEIT_T = ("deit_tiny", 224, 1.26e9)
NCNN = {
    "resnet50": [("resnet50", 224, None)], "resnet18": [("resnet18", 224, None)],
    "mobilenetv2": [("mobilenet_v2", 224, None)],
    "mobilenetv3_large": [("mobilenet_v3", 224, None)],
    "efficientnet_b0": [("efficientnet_b0", 224, None)],
    "squeezenet": [("squeezenet", 227, None)],
    "regnet": [("regnety_400m", 224, 0.40e9)],
    "deit_tiny": [("deit_tiny", 224, None), VIT_B32], "deit": [DEIT_T, VIT_B32],
    "clip_vit": [VIT_B32], "swin": [DEIT_T, VIT_B32], "pvt_v2": [DEIT_T, VIT_B32],
    "segformer": [DEIT_T, VIT_B32],
}
# Speed against each peer that is asked for, by how a model's name begins.
TARGETS = {
    "onnxruntime": {"resnet": 0.5, "": 0.35},
    "ncnn-vulkan": {"resnet50": 5, "mobilenetv3": 5, "efficientnet_b0": 5, "regnet": 5,
                    "deit": 10, "swin": 10, "pvt_v2": 10, "segformer": 10},
}


class Absent(Exception):
    pass


def bench(tool, *arguments, env=None):
    """What `fovea bench` reports."""
    done = subprocess.run([tool, "bench", "--json", *map(str, arguments)], check=True, env=env,
                          capture_output=True, text=True, timeout=TIMEOUT)
    return json.loads(done.stdout)


class Fovea:
    name = "fovea"

    def __init__(self, options):
        self.tool = options.fovea

    def run(self, model, options):
        report = bench(self.tool, "-n", options.runs, model)
        net = report["with_host_arrays"]
        return {"ms": [net["median_ms"]], "cpu_ms": [net["cpu_ms"]],
                "load_ms": report["load_ms"] + report["first_frame_ms"],
                "version": report["device"], "macs": report.get("macs"), "report": report}


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
        return self.job(model, inputs, options)

    def job(self, model, inputs, options, **more):
        job = {"model": str(model), "runs": options.runs, "threads": options.threads,
               "inputs": inputs, **more}
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
        self.times, self.asked = {}, set()

    def choose(self, model):
        name = Path(model).parent.name
        nets = next((v for k, v in NCNN.items() if name.startswith(k)), [])
        return next((n for n in nets if (Path(self.params) / f"{n[0]}.param").exists()), None)

    def milliseconds(self, net, size, options):
        # loops, threads, power saving, GPU, cooling down
        line = ["benchncnn", options.runs, options.threads, 0, 0, 0, f"param={net}.param",
                f"shape=[{size},{size},3]"]
        done = subprocess.run([*map(str, line)], cwd=self.params, check=True,
                              capture_output=True, text=True, timeout=TIMEOUT)
        row = re.search(r"min =.*max =.*avg =\s*([\d.]+)", done.stdout + done.stderr)
        if not row:
            raise subprocess.CalledProcessError(0, line, stderr=f"no times for {net}")
        return float(row[1])

    def run(self, model, options):
        chosen = self.choose(model)
        if not chosen:
            return None
        net, size, macs = chosen
        if model in self.asked:  # the next round
            self.times, self.asked = {}, set()
        if net not in self.times:
            self.times[net] = self.milliseconds(net, size, options)
        self.asked.add(model)
        return {"ms": [self.times[net]], "cpu_ms": [], "load_ms": None, "macs": macs,
                "version": f"{net} (nearest, per MAC)" if macs else net}


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
    for turn in range(options.rounds):
        first = turn % len(engines)
        for model in models:
            for engine in engines[first:] + engines[:first]:
                try:
                    result = engine.run(model, options)
                except subprocess.SubprocessError as error:
                    print(f"{model}: {engine.name}: {error}: {error.stderr}", file=sys.stderr)
                    continue
                if result:
                    found[model].setdefault(engine.name, []).append(result)
        print(f"round {turn + 1} of {options.rounds} done", file=sys.stderr)
    return found


def median(results, key):
    values = [v for r in results
              for v in (r[key] if isinstance(r[key], list) else [r[key]]) if v is not None]
    return statistics.median(values) if values else None


def target(model, engine):
    return next((v for k, v in TARGETS.get(engine, {}).items() if model.startswith(k)), None)


def speed(own, peer):
    """How often the peer's time goes into ours; per multiply-accumulate where the nets
    are not the same."""
    if not own:
        return None
    macs = peer[0].get("macs")
    return median(peer, "ms") / median(own, "ms") * (own[0]["macs"] / macs if macs else 1)


def rows(found):
    for model, by_engine in found.items():
        own, name = by_engine.get("fovea"), Path(model).parent.name
        for engine, results in by_engine.items():
            ratio = None if engine == "fovea" else speed(own, results)
            wanted = target(name, engine)
            yield {"model": name, "engine": engine, "target": wanted,
                   "version": results[0]["version"], "ms": median(results, "ms"),
                   "cpu_ms": median(results, "cpu_ms"), "start_ms": median(results, "load_ms"),
                   "speed": ratio,
                   "passed": None if ratio is None or wanted is None else ratio >= wanted}


def judge(row):
    if row["passed"] is None:
        return ""
    return f">= {row['target']:g}x: {'pass' if row['passed'] else 'fail'}"


def markdown(table_rows):
    return table(
        ["model", "engine", "what", "ms", "CPU ms", "start to first result, ms", "Fovea's speed",
         "target"],
        [[row["model"], row["engine"], row["version"], number(row["ms"]), number(row["cpu_ms"]),
          number(row["start_ms"], 0), "" if row["speed"] is None else f"{row['speed']:.2f}x",
          judge(row)] for row in table_rows])


def model_file(path):
    path = Path(path).resolve()
    return path / "model.onnx" if path.is_dir() else path


def add_options(parser):
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fovea")
    parser.add_argument("models", nargs="+", metavar="MODEL")
    add_options(parser)
    options = parser.parse_args()
    models = [model_file(m) for m in options.models]
    for model in models:
        if not model.exists():
            print(f"{model} is absent: skipped")
            return 77
    found = measure(find_engines(options), models, options)
    table_rows = list(rows(found))
    print(markdown(table_rows))
    if options.json:
        Path(options.json).write_text(json.dumps(table_rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(by_engine.get("fovea") for by_engine in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
