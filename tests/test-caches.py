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
SMALL = 1024  # bytes: the least pipeline has three times as many


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
        """Mesa's driver keeps one file per piece of code that it compiled: a pipeline,
        and since 23.3 each small function too by which one of a kind of texel buffers
        is read."""
        env = {"MESA_SHADER_CACHE_DIR": str(self.path), "MESA_DISK_CACHE_MULTI_FILE": "1"}
        plan = json.loads(fovea("info", "--plan", "--json", MODEL).stdout)
        for _ in range(2):
            fovea("check", MODEL, **env)
            sizes = [p.stat().st_size for p in self.path.rglob("*")
                     if p.is_file() and p.name != "index"]
            functions = sum(size < SMALL for size in sizes)
            self.assertEqual(len(sizes) - functions, plan["n_pipelines"])
            self.assertLessEqual(functions, plan["n_pipelines"])

    def start(self, name, **env):
        """`fovea run`, whose results go into the folder @name."""
        env = dict(os.environ, **env)
        source = MODEL / "test_data_set_0/input_0.pb"
        return subprocess.Popen([FOVEA, "run", MODEL, "-i", source, "-o", self.path / name],
                                env=env, text=True, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def end(self, process):
        _, errors = process.communicate(timeout=250)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(errors, "")

    def results(self, name):
        return {p.name: p.read_bytes() for p in (self.path / name).iterdir()}

    def test_equal_results(self):
        """Cold, warm, two at once, and where there is no cache and no home."""
        both = {"XDG_CACHE_HOME": str(self.path / "cache")}
        self.end(self.start("cold", **both))
        cold = self.results("cold")
        self.assertTrue(cold)
        pair = [self.start("warm", **both), self.start("beside", **both)]
        for process in pair:
            self.end(process)
        nowhere = "/proc/nowhere"
        self.end(self.start("homeless", HOME=nowhere, XDG_CACHE_HOME=nowhere,
                            FOVEA_CACHE="", MESA_SHADER_CACHE_DIR=str(self.path)))
        for name in ("warm", "beside", "homeless"):
            self.assertEqual(self.results(name), cold, name)


if __name__ == "__main__":
    if not MODEL.exists():
        print(f"{MODEL} is absent: skipped")
        sys.exit(77)
    unittest.main()
