#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must hold for every file of the tree: sizes, includes, white space.

    check-tree.py ROOT          functions, files, includes, characters
    check-tree.py ROOT format   clang-format 14 (exit 77 where it is missing)
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

FUNCTION_LINES, FILE_LINES, SHADER_LINES = 80, 800, 200
# What a layer may include of the others, the layer itself aside.
LAYERS = {
    "gst/onnx": [],
    "gst/engine": ["gst/onnx", "shaders"],
    "gst/ops": ["gst/onnx", "gst/engine", "shaders"],
    "gst/card": ["gst/onnx"],
    "gst/world": ["gst/onnx", "gst/engine", "shaders"],
    "gst/tools": ["gst/onnx", "gst/engine", "gst/card"],
    "gst/video": ["gst/onnx", "gst/engine", "gst/card", "shaders"],
    "plugins": ["gst/video", "gst/engine", "gst/onnx", "gst/card", "gst/world"],
}
root = Path(sys.argv[1])
faults = []


def tracked():
    git = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-co",
           "--exclude-standard"]
    try:
        names = subprocess.run(git, capture_output=True, check=True, text=True)
        return [root / name for name in names.stdout.splitlines()]
    except (OSError, subprocess.CalledProcessError):  # a tarball
        return [p for p in root.rglob("*") if "build" not in str(p)]


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > FUNCTION_LINES:
                faults.append(f"{path}:{start}: function of "
                              f"{number - start - 1} lines (at most {FUNCTION_LINES})")
            start = None


def check_includes(path, text):
    layer = next((k for k in LAYERS if str(path).startswith(k + "/")), None)
    if not layer:
        return
    for name in re.findall(r'^#include "([^"]+)"', text, re.M):
        folder = name.rsplit("/", 1)[0] if "/" in name else ""
        if folder and folder != layer and folder not in LAYERS[layer]:
            faults.append(f"{path}: includes {name}: {layer} may use "
                          f"{LAYERS[layer] or 'nothing else'}")
    if layer == "plugins" and "vulkan/vulkan.h" in text:
        faults.append(f"{path}: elements never include vulkan.h")


def check_file(path):
    name = path.relative_to(root)
    if name.suffix not in (".c", ".h", ".comp", ".glsl", ".py", ".sh", ".md", ".build",
                           ".txt", ".proto", ".in"):
        return
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    limit = SHADER_LINES if name.suffix in (".comp", ".glsl") else FILE_LINES
    if name.suffix != ".md" and len(lines) > limit:
        faults.append(f"{name}: {len(lines)} lines (at most {limit})")
    if name.suffix == ".c":
        check_functions(name, lines)
    if name.suffix in (".c", ".h"):
        check_includes(name, text)
        if "SPDX-License-Identifier" not in lines[0]:
            faults.append(f"{name}: no SPDX line")
    if text and not text.endswith("\n"):
        faults.append(f"{name}: no newline at the end")
    for number, line in enumerate(lines, 1):
        if "\t" in line or line != line.rstrip():
            faults.append(f"{name}:{number}: a tab or trailing blank")
        if re.search("[\u200b-\u200f\u202a-\u202e\ufeff\u00a0]", line):
            faults.append(f"{name}:{number}: an invisible character")


def check_format():
    tool = shutil.which("clang-format-14")
    if not tool:
        print("clang-format 14 is missing: skipped")
        sys.exit(77)
    files = [str(p) for p in tracked() if p.suffix in (".c", ".h") and p.exists()]
    run = subprocess.run([tool, "--dry-run", "-Werror"] + files,
                         capture_output=True, text=True)
    if run.returncode:
        faults.extend(sorted({line for line in run.stderr.splitlines()
                              if "error:" in line})[:40])


if sys.argv[2:] == ["format"]:
    check_format()
else:
    for file in tracked():
        if file.is_file() and file.name != "COPYING":
            check_file(file)
print("\n".join(faults))
sys.exit(1 if faults else 0)
