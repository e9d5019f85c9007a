#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a program that runs for the second time finds of the first.

    test-caches.py FOVEA SHARED
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SHARED = Path(sys.argv.pop(2))
FOVEA = sys.argv.pop(1)
MODEL = SHARED / "zoo/segformer_b0_hf_op17_128x160"


def fovea(*args, **env):
    done = subprocess.run([FOVEA, *map(str, args)], capture_output=True, text=True,
                          timeout=250, check=False, env=dict(os.environ, **env))
    if done.returncode:
        raise AssertionError(done.stderr + done.stdout)
    return done


def device_name():
    done = subprocess.run([FOVEA, "devices", "--json"], capture_output=True, check=False)
    devices = [] if done.returncode else json.loads(done.stdout)["devices"]
    return next((d["name"] for d in devices if d["default"]), "none")


class CachesTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    @unittest.skipUnless(device_name().startswith("llvmpipe"), "another driver")
    def test_one_compilation_per_pipeline(self):
        """Mesa's driver keeps one file per piece of code that it compiled."""
        plan = json.loads(fovea("info", "--plan", "--json", MODEL).stdout)
        for _ in range(2):
            fovea("check", MODEL, MESA_SHADER_CACHE_DIR=str(self.path))
            files = [p for p in self.path.rglob("*") if p.is_file() and p.name != "index"]
            self.assertEqual(len(files), plan["n_pipelines"])


if __name__ == "__main__":
    if not MODEL.exists():
        print(f"{MODEL} is absent: skipped")
        sys.exit(77)
    unittest.main()
