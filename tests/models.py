#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every model of the folder beside the tree: runs, and what it takes.

    models.py FOVEA SHARED docs/models.md [--write [--half]]

What stands in the document before its part `All models` is left as it is.

Runs `fovea check` in f32 on all folders of SHARED/zoo and SHARED/material/models,
and compares what does not depend on the machine with the table in the document:
which models there are, their families, operators, nodes, dispatches, copies and
activations, on llvmpipe. --write prints the document anew, with errors, times and memory; the
errors in f16 with --half alone, else they stay as they are. A plan whose activations
are over 1.3 times the least possible fails, and one of Swin or SegFormer that copies.
"""
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

MOST = 1.3
# Families whose kernels permute on the way: no dispatch may only move data.
WITHOUT_COPIES = ["Swin v1", "MiT/SegFormer-B0"]
RUNS = 5
# What the manifest of the real models leaves to be read from their names.
FAMILIES = {
    "FastestDet": "ShuffleNetV2 detector", "deeplabv3_mnv2_dm05_257": "DeepLabV3",
    "deimv2_hgnetv2_atto_coco": "RT-DETR/DEIM", "meter_xxs_nyu": "METER (MobileViT)",
    "mobile_pydnet_kitti_192x640": "PyD-Net", "nanodet_m": "NanoDet",
    "mp_face_detection_short_range": "BlazeFace",
    "mp_selfie_segmentation_landscape": "MobileNetV3 segmentation",
    "resnet20_cifar10": "ResNet", "sinet_portrait_224": "SINet",
    "squeezenet1_1": "SqueezeNet", "ultraface_version-RFB-320": "UltraFace (SSD)",
    "yolov8n_320_deq": "YOLO", "yolox_nano": "YOLO", "yunet_n_dynamic": "YuNet"}
PART = "## All models\n"
HEAD = PART + """
All models that the tests run, as `tests/models.py` printed them: on each change they are run again, and what does not depend on the machine
is compared with this table. Models of `zoo` have random weights and the structure of the real ones; those of `material` are real.

- *operators*: nodes of the file, and how many kinds of them; *nodes*: what is left once it is folded and fused.
- *error*: the largest relative L2 over all outputs and data sets, against what onnxruntime gives; integers are equal. *d*: a ranking or comparison
  stands before the outputs, and in f16 it may turn out otherwise where two are almost the same: compared decision by decision
  ([command.md](command.md)). Quantised nets are run in f32 alone.
- *dispatches*: of one run; *copies*: those that only move data; *on the host*: nodes behind a shape that depends on data.
- *ms*: host to host, the median of {runs} runs, on {device}, two cores, while other work may run.
- *activations*: in f32, and by how much they are over the most that lives at once (at most {most}); *device*: all memory there.

| model | family | source | made by | opset | operators | error f32 | error f16 | nodes | dispatches | copies | on the host | ms | activations, kB | over the least | device, MB |
{line}|
"""
COLUMNS = 16
HALF = 7
STABLE = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 13, 14]


def manifest(shared):
    """(family, source) by folder."""
    found = {}
    with open(shared / "zoo/MANIFEST.tsv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found[row["name"]] = (row["seed_row"], row["source"].strip())
    name = None
    for line in (shared / "material/MANIFEST.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## models/"):
            name = line.removeprefix("## models/").strip()
        elif line.startswith("- source:") and name not in found:
            found[name] = (FAMILIES.get(name, ""), line.split(":", 1)[1].split("@")[0].strip())
    return found


def check(fovea, folders, precision, runs):
    line = [fovea, "check", "--json", "--precision", precision, "--runs", str(runs), *folders]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(done.stderr)
    report = json.loads(done.stdout)
    return report["device"], {Path(f["folder"]).name: f for f in report["folders"]}


def moves(plan):
    """Dispatches that only move data."""
    return sum(plan["kernels"].get(kernel, 0) for kernel in ("copy", "join", "remap"))


def problems(folder, family):
    """What is wrong with one folder's report."""
    name = Path(folder["folder"]).name
    if "error" in folder:
        yield f"{name}: {folder['error']}"
    for data_set in folder["data_sets"]:
        for output in data_set["outputs"]:
            if not output["passed"]:
                yield f"{name}: {output['name']}: {output['problem']}"
        if data_set["arena_bytes"] > MOST * data_set["arena_bound"]:
            yield (f"{name}: activations take {data_set['arena_bytes']} bytes, over {MOST} "
                   f"times the {data_set['arena_bound']} that live at once")
        copies = moves(data_set)
        if copies and family in WITHOUT_COPIES:
            yield f"{name}: {copies} copies, expected none"
    if not folder["passed"]:
        yield f"{name}: failed"


def error(folder):
    outputs = [o for s in folder["data_sets"] for o in s["outputs"]]
    worst = max((o["error"] for o in outputs if o["measure"] == "relative L2"), default=0)
    return f"{worst:.1e}" + ("d" if any(o["how"] for o in outputs) else "")


def row(name, entry, single, half, old):
    family, source = entry
    plan = single["data_sets"][0]
    over = plan["arena_bytes"] / max(plan["arena_bound"], 1)
    cells = [
        name, family, source, single["producer"], single["opset"],
        f"{single['nodes']} ({len(single['operators'])})",
        error(single), error(half) if half else old[HALF] if old else "-",
        plan["n_nodes"], plan["n_dispatches"], moves(plan), plan.get("tail_nodes", 0),
        f"{plan['seconds'] * 1000:.1f}", f"{plan['arena_bytes'] / 1000:.1f}", f"{over:.2f}",
        f"{plan['device_bytes'] / 1e6:.1f}"]
    return [str(c).replace("|", "/") for c in cells]


def read_table(path):
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip("|").split(" | ")]
        if len(cells) == COLUMNS and cells[0] not in ("model", "---"):
            rows[cells[0]] = cells
    return rows


def compare(rows, old, names):
    for name in sorted(set(old) - set(rows)):
        yield f"{name}: in the table, but there is no such folder"
    for name, cells in rows.items():
        for i in STABLE:
            if name not in old:
                yield f"{name}: not in the table"
                break
            if cells[i] != old[name][i]:
                yield f"{name}: {names[i]}: {cells[i]}, the table says {old[name][i]}"


def main():
    fovea, shared, document = (Path(a) for a in sys.argv[1:4])
    write = "--write" in sys.argv[4:]
    if not (shared / "zoo").exists():
        print(f"{shared} is absent: skipped")
        return 77
    folders = [p for part in ("zoo", "material/models") for p in sorted((shared / part).iterdir())
               if p.is_dir()]
    entries = manifest(shared)
    device, single = check(fovea, folders, "f32", RUNS if write else 1)
    half = {}
    if "--half" in sys.argv[4:]:
        _, half = check(fovea, [f for f in folders if not f.name.endswith("_int8")], "f16", 1)
    failed = [p for reports in (single, half) for name, report in reports.items()
              for p in problems(report, entries[name][0])]
    if failed:
        print("\n".join(failed))
        return 1
    old = read_table(document) if document.exists() else {}
    rows = {f.name: row(f.name, entries[f.name], single[f.name], half.get(f.name),
                        old.get(f.name)) for f in folders}
    if write:
        text = HEAD.format(runs=RUNS, device=device, most=MOST, line="| --- " * COLUMNS)
        text += "".join("| " + " | ".join(cells) + " |\n" for cells in rows.values())
        before = document.read_text(encoding="utf-8") if document.exists() else "# Models\n\n"
        document.write_text(before.split(PART)[0] + text, encoding="utf-8")
        return 0
    if "llvmpipe" not in device:
        print(f"plans are compared on llvmpipe alone, this is {device}")
        return 0
    names = [c.strip() for c in HEAD.splitlines()[-2].strip("|").split(" | ")]
    stale = list(compare(rows, old, names))
    if stale:
        print("\n".join(stale))
        print(f"{document} is stale, or a fusion is lost; if that is meant: "
              f"{os.path.basename(__file__)} FOVEA SHARED {document} --write")
    return 1 if stale else 0


sys.exit(main())
