#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The scripts of tests/bench, with peers that are absent and with stand-ins for them.

    test-peers.py FOVEA SHARED

A stand-in prints what the real program does, so that a row's figures are known.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

FOVEA, SHARED = sys.argv[1], Path(sys.argv[2])
BENCH = Path(__file__).resolve().parent / "bench"
MODEL = SHARED / "zoo/segformer_b0_hf_op17_128x160"
NCNN = """#!/bin/sh
[ "$1 $2 $3 $4 $5 $6 $7" = '1 2 0 0 0 param=deit_tiny.param shape=[224,224,3]' ] || exit 1
echo 'loop_count = 1' >&2
echo ' deit_tiny.param  min =  900.00  max = 1100.00  avg = 1000000.00' >&2
"""
NODE = """#!/bin/sh
echo '{"version": "9.9", "load_ms": 5, "ms": [0.001], "cpu_ms": [0.002], "outputs": []}'
"""


def script(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


class Peers(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.path = Path(scratch.name)

    def peers(self, **more):
        env = {k: v for k, v in os.environ.items() if k not in ("FOVEA_PEERS", "NCNN_PARAMS")}
        line = [sys.executable, BENCH / "peers.py", FOVEA, "--rounds", "1", "--runs", "1",
                "--json", self.path / "rows.json", MODEL]
        done = subprocess.run(line, env={**env, **more}, capture_output=True, text=True,
                              timeout=200, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads((self.path / "rows.json").read_text(encoding="utf-8"))
        return done, {row["engine"]: row for row in rows}

    def test_absent(self):
        done, rows = self.peers()
        self.assertEqual(list(rows), ["fovea"])
        self.assertIn("onnxruntime: absent, skipped", done.stderr)
        self.assertIn("ncnn-vulkan: absent, skipped", done.stderr)

    def test_present(self):
        for name, text in (("benchncnn", NCNN), ("node", NODE)):
            script(self.path / name, text)
        (self.path / "node_modules/onnxruntime-node").mkdir(parents=True)
        (self.path / "deit_tiny.param").touch()
        done, rows = self.peers(PATH=f"{self.path}:{os.environ['PATH']}",
                                FOVEA_PEERS=str(self.path), NCNN_PARAMS=str(self.path))
        self.assertNotIn("absent", done.stderr)
        ncnn, other = rows["ncnn-vulkan"], rows["onnxruntime"]
        self.assertEqual((ncnn["ms"], ncnn["version"]), (1e6, "deit_tiny (nearest, per MAC)"))
        self.assertTrue(ncnn["passed"])
        self.assertGreater(ncnn["speed"], 10)
        self.assertLess(ncnn["speed"], 1e6 / rows["fovea"]["ms"])
        self.assertEqual((other["ms"], other["version"], other["passed"]), (0.001, "9.9", False))
        self.assertIn(">= 10x: pass", done.stdout)
        self.assertIn(">= 0.35x: fail", done.stdout)

    def test_targets(self):
        """The kernels' part, into a document."""
        page = self.path / "page.md"
        page.write_text("a\n<!-- begin kernels -->\nold\n<!-- end kernels -->\nb\n")
        line = [BENCH / "targets.py", FOVEA, "--only", "kernels", "--runs", "1",
                "--write", page]
        done = subprocess.run(line, capture_output=True, text=True, timeout=200, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("a\n<!-- begin kernels -->\n| product"), text)
        self.assertTrue(text.endswith("|\n<!-- end kernels -->\nb\n"), text)
        self.assertNotIn("old", text)
        self.assertIn("3x3 kernels, K >= 128", done.stdout)


if __name__ == "__main__":
    if not MODEL.exists():
        print(f"{MODEL} is absent: skipped")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
