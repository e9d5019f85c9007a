#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real models on real images through the pipeline, against stored results.

    check-results.py CARD SHARED-FOLDER      all cards beside CARD

The stored results (material/RESULTS.json) were made by other code from the same
files. Every detection of at least 0.5 must be found with an IoU of 0.85 and a score
within 0.05, and no other; the best class must be equal; the share of a mask's
classes within 0.02; the mean of a depth map within 3 percent, its range within one.
Of faces the number is stored, and the best of them. Exits 77 where the folder is absent.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

cards, shared = Path(sys.argv[1]).resolve().parent, Path(sys.argv[2]).resolve()
material = shared / "material"
SPELLINGS = {"motorbike": "motorcycle", "aeroplane": "airplane", "sofa": "couch",
             "tvmonitor": "tv", "bg": "background"}
faults = []
compared = set()


def same_name(a, b):
    return SPELLINGS.get(a, a) == SPELLINGS.get(b, b)


def run(card, image, folder):
    """The JSON line of one image."""
    out = folder / "result.json"
    line = ["gst-launch-1.0", "-q", "filesrc", f"location={image}", "!", "gdkpixbufdec",
            "!", "videoconvert", "!", "video/x-raw,format=RGB", "!", "foveainfer",
            f"model={card}", "!", "foveajson", "!", "filesink", f"location={out}"]
    subprocess.run(line, check=True, timeout=300)
    return json.loads(out.read_text(encoding="utf-8").splitlines()[0])


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def check_boxes(name, result, expected, complete=True):
    size = result["resolution"]
    found = []
    for item in result.get("objects", []):
        box = item["detection"]["bounding_box"]
        found.append((item["detection"]["label"], item["detection"]["confidence"],
                      [box["x_min"] * size["width"], box["y_min"] * size["height"],
                       box["x_max"] * size["width"], box["y_max"] * size["height"]]))
    # stored boxes may reach out of the frame, ours are clipped to it
    clip = lambda b: [max(b[0], 0), max(b[1], 0), min(b[2], size["width"]),
                      min(b[3], size["height"])]
    wanted = [(n, s, clip(b)) for n, s, b in expected if s >= 0.5]
    for label, score, box in wanted:
        match = [f for f in found if same_name(f[0], label) and iou(f[2], box) >= 0.85
                 and abs(f[1] - score) <= 0.05]
        if not match:
            faults.append(f"{name}: {label} {score} {box} was not found among {found}")
    if not complete:
        return ""
    extra = [f for f in found if f[1] >= 0.55 and not any(
        same_name(f[0], label) and iou(f[2], box) >= 0.85 for label, _, box in wanted)]
    extra += [f for f in found if 0.5 <= f[1] < 0.55 and not any(
        same_name(f[0], n) and iou(f[2], clip(b)) >= 0.85 for n, s, b in expected
        if s >= 0.45)]
    for item in extra:
        faults.append(f"{name}: found {item}, which is not there")
    return f"{len(wanted)} boxes"


def check_faces(name, result, expected):
    """How many there are, and the best of them."""
    if len(result["objects"]) != expected[0]:
        faults.append(f"{name}: {len(result['objects'])} faces, not {expected[0]}")
    result["objects"] = sorted(result["objects"], key=lambda o: -o["detection"]["confidence"])
    best = [o for o in result["objects"] if any(
        abs(o["detection"]["confidence"] - s) <= 0.05 for _, s, _ in expected[1:])]
    check_boxes(name, {**result, "objects": best}, expected[1:], complete=False)
    return f"{expected[0]} faces"


def check_best(name, result, expected):
    best = max(o["detection"]["confidence"] for o in result["objects"])
    if abs(best - expected["best_face_score"]) > 0.02:
        faults.append(f"{name}: the best face scores {best}, not {expected}")
    return f"best {best:.3f}"


def check_shares(name, result, expected):
    size = result["segmentation"]["width"] * result["segmentation"]["height"]
    for label, share in expected.items():
        got = sum(c["area"] for c in result["segmentation"]["classes"]
                  if same_name(c["label"], label)) / size
        if abs(got - share) > 0.02:
            faults.append(f"{name}: the share of {label} is {got:.3f}, not {share}")
    return "mask shares"


def check_class(name, result, expected):
    got = next(o for o in result["objects"] if o["roi_type"] == "frame")["classes"][0]
    if got["label_id"] != expected[0][0]:
        faults.append(f"{name}: {got} is not class {expected[0]}")
    return f"class {got['label']}"


def check_range(name, result, low, high):
    """Centimetres, as the model gives them; ours lie between them and in metres."""
    got = 100 * result["depth"]["min"], 100 * result["depth"]["max"]
    if abs(got[0] - low) > 0.01 * low or abs(got[1] - high) > 0.01 * high:
        faults.append(f"{name}: depth is {got}, not {low} to {high}")
    return f"depth {got[0]:.1f} to {got[1]:.1f}"


def check_depth(name, result, bands):
    mean = sum(bands) / len(bands)
    got = result["depth"]["mean"]
    if abs(got - mean) > 0.03 * mean:
        faults.append(f"{name}: the mean depth is {got}, not {mean}")
    return f"mean {got:.4f}"


def check(model, expected, folder):
    card = cards / f"{model}.modelinfo"
    if "top3" in expected:
        expected = expected["top3"]
    for file, wanted in expected.items():
        image = material / "images" / file
        if not image.exists():
            print(f"{model} {file}: the image is not in the folder: passed over")
            continue
        compared.add(model)
        result = run(card, image, folder)
        name = f"{model} {file}"
        if "top3" in results[model]:
            what = check_class(name, result, wanted)
        elif isinstance(wanted, list) and isinstance(wanted[0], int):
            what = check_faces(name, result, wanted)
        elif isinstance(wanted, list):
            what = check_boxes(name, result, wanted)
        elif "best_face_score" in wanted:
            what = check_best(name, result, wanted)
        elif "0..1" in wanted: # what tests/data/cards has of three ways to prepare pixels
            what = check_range(name, result, *wanted["0..1"])
        elif isinstance(next(iter(wanted.values())), list):
            what = check_depth(name, result, next(iter(wanted.values())))
        else:
            what = check_shares(name, result, wanted)
        print(f"{name}: {what}", flush=True)


if not (material / "RESULTS.json").exists():
    print(f"{material} is absent: skipped")
    sys.exit(77)
results = json.loads((material / "RESULTS.json").read_text(encoding="utf-8"))
with tempfile.TemporaryDirectory() as scratch:
    for card in sorted(cards.glob("*.modelinfo")):
        check(card.stem, results[card.stem], Path(scratch))
for card in cards.glob("*.modelinfo"):
    if card.stem not in compared:
        faults.append(f"{card.stem}: nothing was compared")
print("\n".join(faults))
sys.exit(1 if faults else 0)
