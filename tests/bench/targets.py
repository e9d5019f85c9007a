#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Fovea is to reach on lavapipe, measured: each row with its target.

    meson devenv -C build ../tests/bench/targets.py [--write ../docs/performance.md]
      [--only PART,...] [--rounds 3] [--runs 10] [--json FILE]

The parts, each told by its name where it fails or is skipped:
- kernels: one product each (kernels.py), work per CPU-second;
- peers: nets beside onnxruntime and ncnn, where they are found (peers.py says how),
  and, of the same runs, their activations' memory;
- start: SegFormer-B0 512 from nothing to the first result, caches empty and warm;
- pipeline: frames per second at 1280x720 against the net alone;
- gaps: for every net its roofline bound and what costs most beyond it;
- quantized: the zoo's 8-bit nets against onnxruntime's 8-bit kernels.

Nets are those of ../shared/bench/models, filled with weights by the script there into
a folder that goes again, or taken from the folder that FOVEA_BENCH_MODELS names.
--write puts the tables into the document's parts of these names, the table of targets
only when all parts were measured; then it ends with 0, whether targets are met or not.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import kernels
import peers
import quantized
import table as models
from report import number, table, write_part

PARTS = ["kernels", "peers", "start", "pipeline", "gaps", "quantized"]
PEERED = ["resnet50_224", "resnet18_224", "mobilenetv3_large_224", "efficientnet_b0_224",
          "regnet_y_tv_op13_128", "deit_tiny_224", "swin_tiny_224", "pvt_v2_b0_224",
          "segformer_b0_512"]
SEGFORMER = "segformer_b0_512"
GFLOP = (35, 45)
START = {"empty": (6.0, 3.0), "warm": (1.0, 0.4)}
PIPELINE = (0.85, 0.95)
MEMORY = (1.2, 1.05)
MOONSHOT = {"onnxruntime": 1.0, "ncnn-vulkan": 2.0}  # ncnn: of the target
PIPELINE_TURNS = 3
GAPS = 3
GAP_RUNS = 5


class Nets:
    """Where the nets are."""

    def __init__(self, scratch):
        self.filled = Path(os.environ.get("FOVEA_BENCH_MODELS", scratch))
        self.source = models.SHARED / "bench/models"

    def all(self):
        return sorted(p.stem for p in self.source.glob("*.onnx"))

    def file(self, name):
        """(nullable)"""
        if (models.SHARED / "zoo" / name).exists():
            return models.SHARED / "zoo" / name / "model.onnx"
        path = self.filled / name / "model.onnx"
        if not path.exists() and (self.source / f"{name}.onnx").exists():
            subprocess.run([sys.executable, self.source / "fill.py", self.filled, name],
                           check=True, stdout=subprocess.DEVNULL)
        return path if path.exists() else None

    def files(self, names):
        """Those that there are; who is absent is told."""
        found = {}
        for name in names:
            path = self.file(name)
            if path:
                found[name] = path.resolve()
            else:
                print(f"{name}: absent, skipped", file=sys.stderr)
        return found


def row(what, measured, target, moonshot, unit, least=True):
    """One of the table; a target is met from it on, or (least=False) up to it."""
    met = [None if measured is None else (measured >= t if least else measured <= t)
           for t in (target, moonshot)]
    return {"what": what, "measured": measured, "target": target, "moonshot": moonshot,
            "unit": unit, "least": least, "passed": met[0], "moonshot_passed": met[1]}


def run_kernels(options, _nets):
    with tempfile.TemporaryDirectory() as scratch:
        made = list(kernels.make(Path(scratch)))
        report = peers.bench(options.fovea, "-n", options.runs, *(path for *_, path in made))
    # of the product as it is defined: Winograd's algorithm does the same with less
    found = [(name, kind, inner, 2e-6 * macs / result["net"]["cpu_ms"], result["net"]["cpu_ms"])
             for (name, kind, inner, macs, _), result in zip(made, report["models"])]
    rows = [row(f"{kind} kernels, K >= 128: the {word} of {len(of_kind)}",
                function(of_kind), *GFLOP, " GFLOP per CPU-second")
            for kind in ("GEMM", "1x1", "3x3")
            for of_kind in [[f[3] for f in found if f[1] == kind]]
            for word, function in (("median", statistics.median), ("least", min))]
    text = table(["product", "kind", "K", "GFLOP per CPU-second", "CPU ms"],
                 [[name, kind, inner, number(rate, 1), number(cpu)]
                  for name, kind, inner, rate, cpu in found])
    return rows, text


def run_peers(options, nets):
    engines = peers.find_engines(options)
    found = peers.measure(engines, list(nets.files(PEERED).values()), options)
    measured = list(peers.rows(found))
    rows = []
    for one in measured:
        if one["target"] is None:
            continue
        moonshot = MOONSHOT[one["engine"]]
        if one["engine"] == "ncnn-vulkan":
            moonshot *= one["target"]
        rows.append(row(f"{one['model']}: speed against {one['engine']}, {one['version']}",
                        one["speed"], one["target"], moonshot, "x"))
    for kind in (peers.OnnxRuntime, peers.Ncnn):
        if kind.name not in [engine.name for engine in engines]:
            rows.append(row(f"speed against {kind.name} (absent here)", None, 0, 0, "x"))
    over = {name: max(run["report"]["arena_bytes"] / max(run["report"]["arena_bound"], 1)
                      for run in by_engine["fovea"])
            for name, by_engine in ((Path(m).parent.name, f) for m, f in found.items())
            if "fovea" in by_engine}
    if over:
        worst = max(over, key=over.get)
        rows.append(row(f"activations over the liveness bound, the worst of {len(over)} nets "
                        f"({worst})", over[worst], *MEMORY, "x", least=False))
    return rows, peers.markdown(measured)


def first_result(options, net, cache):
    env = dict(os.environ, MESA_SHADER_CACHE_DIR=cache, XDG_CACHE_HOME=cache)
    env.pop("FOVEA_CACHE", None)
    report = peers.bench(options.fovea, "-n", 1, net, env=env)
    return report["load_ms"] / 1000 + report["first_frame_ms"] / 1000


def run_start(options, nets):
    net = nets.files([SEGFORMER]).get(SEGFORMER)
    if not net:
        return [], ""
    seconds = {"empty": [], "warm": []}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as cache:
            for state in seconds:
                seconds[state].append(first_result(options, net, cache))
    return [row(f"{SEGFORMER}: start to first result, {state} caches",
                statistics.median(seconds[state]), *START[state], " s", least=False)
            for state in seconds], ""


def run_pipeline(options, nets):
    net = nets.files([SEGFORMER]).get(SEGFORMER)
    if not net:
        return [], ""
    alone, video = [], []
    for _ in range(PIPELINE_TURNS):
        alone.append(peers.bench(options.fovea, "-n", options.runs, net)["net"]["median_ms"])
        video.append(models.measure_pipeline(net, element="foveasegment", frame="1280x720")["ms"])
    net_ms, frame_ms = statistics.median(alone), statistics.median(video)
    return [row(f"{SEGFORMER}: frames/s of foveasegment ! foveaoverlay at 1280x720 "
                f"({frame_ms:.1f} ms) over the net alone ({net_ms:.1f} ms)",
                net_ms / frame_ms, *PIPELINE, "x")], ""


def gaps_of(report):
    """(kernel and tile, milliseconds beyond the bound, those of all, most in which
    node), the largest first."""
    groups = {}
    for dispatch in report["dispatches"]:
        key = " ".join(filter(None, (dispatch["kernel"], dispatch["tile"])))
        groups.setdefault(key, []).append(dispatch)
    found = []
    for key, dispatches in groups.items():
        gap = {id(d): d["ms"] - d["bound_ms"] for d in dispatches}
        most = max(dispatches, key=lambda d: gap[id(d)])
        found.append((key, len(dispatches), sum(gap.values()), sum(d["ms"] for d in dispatches),
                      most["nodes"].split("+")[0] if most["nodes"] else "-"))
    return sorted(found, key=lambda f: -f[2])


def run_gaps(options, nets):
    lines = []
    for name, path in nets.files(nets.all()).items():
        report = peers.bench(options.fovea, "-n", GAP_RUNS, path)
        roofline, net = report.get("roofline"), report["net"]
        if not roofline:
            print("the device has no timestamps: gaps skipped", file=sys.stderr)
            return [], ""
        largest = [f"{key} x{n}: {ms:.1f} ms, {gap:.1f} over (`{node}`)"
                   for key, n, gap, ms, node in gaps_of(report)[:GAPS]]
        lines.append([name, number(report["macs"] / 1e9), report["n_dispatches"],
                      number(net["median_ms"], 1), number(roofline["kernels_ms"], 1),
                      number(roofline["bound_ms"], 1),
                      f"{100 * roofline['bound_ms'] / roofline['kernels_ms']:.0f} %",
                      number(report["gflop_per_cpu_second"], 1)]
                     + largest + ["-"] * (GAPS - len(largest)))
    text = table(["net", "G MAC", "dispatches", "net, ms", "kernels, ms", "bound, ms", "of it",
                  "GFLOP per CPU-second", "largest gap", "second", "third"], lines)
    return [], text


def run_quantized(options, _nets):
    try:
        theirs = peers.OnnxRuntime(options)
    except peers.Absent as why:
        print(f"onnxruntime: absent, skipped: {why}", file=sys.stderr)
        return [], ""
    return [], quantized.compare_all(theirs, peers.Fovea(options), models.SHARED / "zoo", options)


def words(passed):
    return "absent" if passed is None else "pass" if passed else "fail"


def markdown(rows):
    sign = {True: ">=", False: "<="}
    return table(
        ["what", "measured", "target", "", "moonshot", ""],
        [[r["what"], "-" if r["measured"] is None else number(r["measured"]) + r["unit"],
          "-" if r["measured"] is None else f"{sign[r['least']]} {r['target']:g}",
          words(r["passed"]),
          "-" if r["measured"] is None else f"{sign[r['least']]} {r['moonshot']:g}",
          words(r["moonshot_passed"])] for r in rows])


def tell(name, text, document):
    """Into the document at once: what comes after it may fail."""
    if document and text:
        write_part(document, name, text)
    elif text:
        print(f"\n{name}\n\n{text}", flush=True)


def measure_parts(parts, options):
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as scratch:
        nets = Nets(scratch)
        for part in parts:
            print(f"{part} ...", file=sys.stderr)
            try:
                new, text = globals()[f"run_{part}"](options, nets)
            except subprocess.SubprocessError as error:
                print(f"{part}: {error}: {getattr(error, 'stderr', '')}", file=sys.stderr)
                failed.append(part)
                continue
            rows += new
            tell(part, text, options.write)
    # the table of targets is written whole or not at all
    whole = set(parts) == set(PARTS) and not failed
    tell("targets", markdown(rows), options.write if whole else None)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fovea", nargs="?", default="fovea")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,...")
    parser.add_argument("--write", metavar="DOCUMENT")
    peers.add_options(parser)
    options = parser.parse_args()
    parts = options.only.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"--only is '{options.only}', expected some of {','.join(PARTS)}")
    if not models.SHARED.exists():
        print(f"{models.SHARED} is absent: skipped")
        return 77
    return measure_parts(parts, options)


if __name__ == "__main__":
    sys.exit(main())
