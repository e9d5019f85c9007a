#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the formulas guess, what the tuner chooses, what an exhaustive sweep finds.

    meson devenv -C build ../tests/bench/tuning.py [--write ../docs/tuning.md]
      [--part debian12] [--runs 5] [NET...]

Each net is tuned from nothing, then run as a whole with each candidate in turn, by
`fovea tune --sweep`. Nets are those of ../shared/bench/models, as targets.py has them.
--write puts the tables into the document's part of that name, one per driver.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import table as models
from report import number, table, write_part
from targets import Nets

NETS = ["resnet18_224", "mobilenetv3_large_224", "deit_tiny_224", "pvt_v2_b0_224",
        "segformer_b0_depthlike_256x320"]
TIMEOUT = 900  # seconds a net
WITHIN = 1.05  # as good as the best
WEIGHT = 0.03  # of a net's kernels: classes that the second table has


def tune(tool, path, runs):
    """What `fovea tune` reports of a net that nothing is known of yet."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [tool, "tune", "--json", "--sweep", "-n", str(runs), path], check=True,
            env=dict(os.environ, FOVEA_CACHE=cache), stdout=subprocess.PIPE, text=True,
            timeout=TIMEOUT)
    return json.loads(done.stdout)["models"][0]


class Class:
    """One of the shapes that a net has kernels for."""

    def __init__(self, report):
        self.name = f"{report['kernel']} {report['class']}"
        self.uses, self.is_way = report["uses"], report["way"]
        self.chosen, self.guessed = report["chosen"], report["guessed"]
        self.tuned = {c["name"]: c["ms"] for c in report["candidates"] if "ms" in c}
        self.swept = {c["name"]: c["sweep_ms"] for c in report["candidates"] if "sweep_ms" in c}

    def best(self):
        return min(self.swept, key=self.swept.get)

    def of_best(self, name):
        """How much longer a candidate takes than the sweep's best, in the whole net."""
        return self.swept[name] / self.swept[self.best()] if name in self.swept else None

    def guess_of_tuned(self):
        """(nullable) The guess against the tuner's choice, as the tuner measured them."""
        if self.guessed not in self.tuned:
            return None
        return self.tuned[self.guessed] / self.tuned[self.chosen]


def ratio_of_all(classes, name_of):
    """The time by candidates that name_of() picks over that by the sweep's best."""
    known = [c for c in classes if name_of(c) in c.swept]
    best = sum(c.swept[c.best()] for c in known)
    return sum(c.swept[name_of(c)] for c in known) / best if best else None


def net_row(name, report, classes):
    tiles = [c for c in classes if not c.is_way]
    found = sum(c.of_best(c.chosen) is not None and c.of_best(c.chosen) <= WITHIN for c in classes)
    return [name, len(classes), number(report["spent_ms"] / 1000, 1),
            number(report["guessed_cpu_ms"], 1), number(report["tuned_cpu_ms"], 1),
            number(report["guessed_cpu_ms"] / report["tuned_cpu_ms"]) + "x",
            f"{number(ratio_of_all(tiles, lambda c: c.guessed))}x",
            f"{number(ratio_of_all(tiles, lambda c: c.chosen))}x", f"{found} of {len(classes)}",
            f"{report['guessed_pipelines']}, {report['tuned_pipelines']}"]


def class_rows(name, classes):
    whole = sum(c.swept[c.best()] for c in classes if not c.is_way and c.swept)
    for c in sorted(classes, key=lambda c: -max(c.swept.values(), default=0)):
        if c.swept and c.swept[c.best()] >= WEIGHT * whole:
            yield [name, f"`{c.name}`", c.uses, c.guessed, c.chosen, c.best(),
                   number(c.guess_of_tuned()) + ("x" if c.guess_of_tuned() else ""),
                   number(c.of_best(c.guessed)) + "x", number(c.of_best(c.chosen)) + "x"]


def markdown(device, reports):
    nets, rows = [], []
    for name, report in reports.items():
        classes = [Class(c) for c in report["classes"]]
        nets.append(net_row(name, report, classes))
        rows += class_rows(name, classes)
    return "\n\n".join([
        f"On {device}:",
        table(["net", "classes", "tuner, s", "guessed, CPU ms", "tuned, CPU ms", "guessed / tuned",
               "sweep: guessed / best", "sweep: tuned / best", f"tuner within {WITHIN:g}x of best",
               "pipelines guessed, tuned"], nets),
        table(["net", "class", "n", "guess", "tuner", "sweep", "guess / tuner, by the tuner",
               "guess / best, by the sweep", "tuner / best, by the sweep"], rows)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*", default=NETS, metavar="NET")
    parser.add_argument("--fovea", default="fovea")
    parser.add_argument("--write", metavar="DOCUMENT")
    parser.add_argument("--part", default="debian12")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if not models.SHARED.exists():
        print(f"{models.SHARED} is absent: skipped")
        return 77
    reports = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, path in Nets(scratch).files(options.nets).items():
            print(f"{name} ...", file=sys.stderr)
            reports[name] = tune(options.fovea, path, options.runs)
    if not reports:
        print("none of the nets is there: skipped")
        return 77
    text = markdown(next(iter(reports.values()))["device"], reports)
    if options.write:
        write_part(options.write, options.part, text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
