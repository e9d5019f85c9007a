#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many dispatches full-size nets take, so that a lost fusion shows.

    test-dispatches.py FOVEA SHARED
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# A dispatch per convolution and per pool, with what follows it, six per block with
# squeeze-and-excitation; seven per block of a transformer with what stands around them.
MOST = {"resnet50_224": 60, "deit_tiny_224": 90, "efficientnet_b0_224": 99}


def main():
    fovea, shared = Path(sys.argv[1]), Path(sys.argv[2])
    fill = shared / "bench/models/fill.py"
    if not fill.exists():
        print(f"{fill} is absent: skipped")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, fill, folder, *MOST], check=True,
                       stdout=subprocess.DEVNULL)
        for name, most in MOST.items():
            done = subprocess.run([fovea, "info", "--plan", "--json",
                                   f"{folder}/{name}/model.onnx"],
                                  check=True, capture_output=True)
            n = json.loads(done.stdout)["n_dispatches"]
            print(f"{name}: {n} dispatches, at most {most}")
            failed += n > most
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
