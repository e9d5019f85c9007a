#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs every gst-launch-1.0 line of the documentation, and follows its links.

    check-docs.py ROOT

Lines are taken from *.md and from the comments of plugins/*.c. A camera becomes
three frames of videotestsrc, a window a fakesink, and a model or clip that the
reader is to bring one that the script makes; everything else runs as it stands.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(sys.argv[1])
faults = []
FRAMES = "videotestsrc num-buffers=3 ! video/x-raw,width=320,height=180"


def documents():
    return [root / "README.md", root / "CONTRIBUTING.md", root / "NEWS.md",
            *sorted((root / "docs").glob("*.md")), *sorted((root / "models").glob("*.md")),
            *sorted((root / "pipelines").glob("*.md"))]


def launch_lines():
    """(file, line) of each, continuation lines joined."""
    for path in documents() + sorted((root / "plugins").glob("*.c")):
        if not path.exists():
            continue
        text = re.sub(r"\\\n[ *]*", " ", path.read_text(encoding="utf-8"))
        if path.suffix == ".c":
            blocks = re.findall(r"\|\[(.*?)\]\|", text, re.S)
            lines = [re.sub(r"\n \*", " ", block) for block in blocks]
        else:
            lines = [l for l in text.splitlines()
                     if l.startswith("    ") or l.startswith("gst-launch")]
        for line in lines:
            match = re.search(r"gst-launch-1\.0\b(.*)", line, re.S)
            if match:
                yield path.relative_to(root), " ".join(match.group(1).split())


def adapt(line, scratch):
    """The line on what the script made."""
    line = re.sub(r"\bv4l2src[^!]*", FRAMES + " ", line)
    line = re.sub(r"\bvideotestsrc(?! num-buffers)", "videotestsrc num-buffers=3", line)
    line = re.sub(r"\b(autovideosink|glimagesink|waylandsink)\b", "fakesink", line)
    line = re.sub(r"\b(uridecodebin|filesrc)\s[^!]*!(\s*decodebin\s*!)?", FRAMES + " ! ", line)
    line = re.sub(r"(model=)(?!scene-\w+ )(\S+)", rf"\1{scratch}/colours.onnx", line)
    line = re.sub(r"(labels-file=)(\S+)", rf"\1{scratch}/colours.labels", line)
    line = re.sub(r"(filesink\s+location=)(\S+)", rf"\1{scratch}/out", line)
    line = re.sub(r"num-buffers=\d{3,}", "num-buffers=50", line)
    # the colour net has one head; properties are the same on all of them
    return re.sub(r"\bfovea(classify|detect|depth)\b", "foveainfer", line)


def run(path, line, scratch):
    # exec: what hangs is killed itself, not the shell around it
    command = "exec gst-launch-1.0 -q " + line
    try:
        done = subprocess.run(command, shell=True, timeout=120, capture_output=True,
                              text=True, cwd=scratch, check=False,
                              env=dict(os.environ, FOVEA_MODEL_PATH=str(root / "models")))
    except subprocess.TimeoutExpired:
        faults.append(f"{path}: hangs: {line}")
        return
    if done.returncode or "ERROR" in done.stderr:
        faults.append(f"{path}: {line}\n    ran as: {command}\n    {done.stderr.strip()[:600]}")


def check_links():
    for path in documents():
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if "://" not in target and not (path.parent / target).exists():
                faults.append(f"{path.relative_to(root)}: no such file: {target}")
        for target in re.findall(r"`((?:docs|tests|pipelines|models)/[\w./-]+\.\w+)`", text):
            if not (root / target).exists():
                faults.append(f"{path.relative_to(root)}: no such file: {target}")


with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["/usr/bin/python3", str(root / "models/make-colours.py"), folder],
                   check=True)
    n = 0
    for where, words in launch_lines():
        run(where, adapt(words, folder), folder)
        n += 1
    check_links()
print(f"{n} launch lines run")
print("\n".join(faults))
sys.exit(1 if faults or not n else 0)
