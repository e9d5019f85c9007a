#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `fovea` from outside: what it prints and how it exits.

    test-command.py FOVEA
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

FOVEA = sys.argv.pop(1)
COMMANDS = ["devices", "info", "check", "run", "bench", "tune"]
REFERENCE = ["--device", "reference"]


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A protobuf field: an integer, text, or bytes of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name, shape):
    dims = b"".join(field(1, field(2, s) if isinstance(s, str) else field(1, s))
                    for s in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def node(op, inputs, outputs):
    return (b"".join(field(1, i) for i in inputs)
            + b"".join(field(2, o) for o in outputs) + field(4, op))


def model(nodes, shape, constants=b""):
    """@shape None: of unknown rank. @constants: as initializer() makes them."""
    x = (value_info("x", shape) if shape is not None
         else field(1, "x") + field(2, field(1, field(1, 1))))
    graph = (b"".join(field(1, n) for n in nodes) + field(2, "g") + constants
             + field(11, x) + field(12, field(1, "y")))
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def initializer(name, *values):
    """An int64 list, as a field of the graph."""
    data = struct.pack(f"<{len(values)}q", *values)
    return field(5, field(1, len(values)) + field(2, 7) + field(8, name) + field(9, data))


def tensor(values, shape):
    data = struct.pack(f"<{len(values)}f", *values)
    return b"".join(field(1, s) for s in shape) + field(2, 1) + field(9, data)


def npy(values, shape):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return (b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head
            + struct.pack(f"<{len(values)}f", *values))


def fovea(*args, **more):
    return subprocess.run([FOVEA, *map(str, args)], capture_output=True, text=True,
                          timeout=120, check=False, **more)


HAS_DEVICE = fovea("devices").returncode == 0
NEEDS_DEVICE = unittest.skipUnless(HAS_DEVICE, "no Vulkan device")


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        (self.path / "model.onnx").write_bytes(
            model([node("Relu", ["x"], ["a"]), node("Sigmoid", ["a"], ["y"])],
                  [1, "n"]))
        for number, values in enumerate([[-1.0, 0.0, 2.0], [1.0, -3.0]]):
            results = [1 / (1 + 2.718281828459045 ** -max(v, 0)) for v in values]
            self.data_set(number, values, results)

    def tearDown(self):
        self.folder.cleanup()

    def data_set(self, number, values, results):
        folder = self.path / f"test_data_set_{number}"
        folder.mkdir(exist_ok=True)
        shape = [1, len(values)]
        (folder / "input_0.pb").write_bytes(tensor(values, shape))
        (folder / "output_0.pb").write_bytes(tensor(results, shape))

    def fails(self, code, text, *args, **more):
        done = fovea(*args, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr + done.stdout)
        return done

    def succeeds(self, *args):
        done = fovea(*args)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout

    def json(self, *args):
        return json.loads(self.succeeds(*args, "--json"))

    def test_help(self):
        text = self.succeeds("--help")
        for command in COMMANDS:
            self.assertIn(f"  {command}", text)
            own = self.succeeds(command, "--help")
            for option in ("--device", "--json", f"fovea {command}"):
                self.assertIn(option, own)
        self.assertIn("--plan", self.succeeds("info", "--help"))
        self.assertIn("--layers", self.succeeds("check", "--help"))
        self.assertRegex(self.succeeds("--version"), r"^fovea \d+\.\d+")

    def test_names(self):
        net = self.path / "shipped" / "net.onnx"
        net.parent.mkdir()
        net.write_bytes((self.path / "model.onnx").read_bytes())
        with_path = dict(os.environ, FOVEA_MODEL_PATH=str(net.parent))
        done = fovea("info", "net", env=with_path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.fails(1, f"no model of that name; there are: {net.parent} (net), ",
                   "info", "nte", env=with_path)
        self.fails(1, "nte", "bench", "nte", env=with_path)
        self.fails(1, "nte", "run", "nte", "--input", "x.npy", "--output", "y", env=with_path)

    def test_usage(self):
        self.fails(2, "Usage:")
        self.fails(2, "'dance' is not a command", "dance")
        for command in COMMANDS:
            self.fails(2, "--dance", command, "--dance")
        for command in COMMANDS[1:]:
            self.fails(2, "expected", command)
        self.fails(2, "one argument too many", "info", "a", "b")
        self.fails(2, "--precision is 'f12'", "bench", "m", "--precision", "f12")
        self.fails(2, "--runs is 0", "bench", "m", "--runs", "0")
        self.fails(2, "needs a device", "check", *REFERENCE, "--layers", "m")

    def test_bad_models(self):
        garbage = self.path / "garbage.onnx"
        garbage.write_bytes(bytes(range(256)) * 9)
        image = self.path / "image.onnx"
        image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
        for command in ("info", "run", "bench"):
            for path, text in ((self.path / "none.onnx", "none.onnx"),
                               (garbage, "damaged, cut short"),
                               (image, "a PNG image")):
                self.fails(1, text, command, *REFERENCE, path)
                done = self.fails(1, text, command, *REFERENCE, "--json", path)
                self.assertIn(text, json.loads(done.stdout)["error"])

    def test_unknown_operator(self):
        path = self.path / "odd.onnx"
        path.write_bytes(model([node("Frobnicate", ["x"], ["y"])], [1, 4]))
        self.fails(1, "Frobnicate", "bench", *REFERENCE, path)

    def test_greedy_models(self):
        """Shapes and constants beyond all measure: refused, and soon."""
        big = 1 << 20
        tiles = [node("Tile", ["c" if i == 0 else f"c{i}", "t"], [f"c{i + 1}"])
                 for i in range(12)]
        fills = [node("ConstantOfShape", ["s"], [f"c{i}"]) for i in range(400)]
        relu = [node("Relu", ["x"], ["y"])]
        largest = [node("Max", [f"c{i}" for i in range(400)], ["y"])]
        cases = [
            ("is over the limit", model([node("ConstantOfShape", ["s"], ["y"])],
                                        [1, 4], initializer("s", big, big))),
            ("is over the limit", model([node("Expand", ["x", "s"], ["y"])], [1, 4],
                                        initializer("s", big, big, 1, 4))),
            ("is over the limit", model(
                [node("ConstantOfShape", ["s"], ["c"])] + tiles
                + [node("Relu", ["c12"], ["y"])], [1, 4],
                initializer("s", 10) + initializer("t", 10))),
            ("takes too much work", model(fills + largest, [1, 4],
                                          initializer("s", 16000000))),
            ("4611686018427387904", model([node("ConstantOfShape", ["s"], ["y"])],
                                          [1, 4], initializer("s", 1 << 62, 4, 4))),
            ("too large", model(relu, [1, 1 << 40])),
            ("has no rank", model(relu, None)),
            ("has the size 0", model(relu, [1, 0])),
        ]
        path = self.path / "greedy.onnx"
        for text, data in cases:
            path.write_bytes(data)
            start = time.monotonic()
            self.fails(1, text, "bench", *REFERENCE, path)
            self.assertLess(time.monotonic() - start, 10)

    def test_devices(self):
        self.fails(1, "no-such-gpu", "info", "-d", "no-such-gpu", "--plan",
                   self.path / "model.onnx")
        none = dict(os.environ, VK_DRIVER_FILES="/nowhere", VK_ICD_FILENAMES="/nowhere")
        done = self.fails(1, "fovea devices: ", "devices", env=none)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.fails(1, "fovea bench: ", "bench", self.path / "model.onnx", env=none)
        done = fovea("check", *REFERENCE, self.path, env=none)
        self.assertEqual(done.returncode, 0, done.stderr)

    @NEEDS_DEVICE
    def test_device_list(self):
        devices = self.json("devices")["devices"]
        self.assertEqual(sum(d["default"] for d in devices), 1)
        for device in devices:
            self.assertIn(device["uuid"], self.succeeds("devices"))
            if device["usable"]:
                self.assertIn(device["tier"], ("subgroup", "workgroup"))
                one = self.json("devices", "-d", device["uuid"])["devices"]
                self.assertEqual(one[0]["name"], device["name"])

    def test_info(self):
        text = self.succeeds("info", *REFERENCE, self.path)
        for part in ("opset 17", "x  f32 [1, n]", "Relu 1"):
            self.assertIn(part, text)
        info = self.json("info", *REFERENCE, self.path / "model.onnx")
        self.assertEqual(info["operators"], {"Relu": 1, "Sigmoid": 1})
        self.assertEqual(info["inputs"][0]["shape"], [1, -1])
        self.assertEqual(info["parameters"], 0)

    def test_check(self):
        text = self.succeeds("check", *REFERENCE, self.path)
        self.assertEqual(text.count("ok    data set"), 2)
        self.assertIn("1 of 1 passed", text)
        report = self.json("check", *REFERENCE, self.path, self.path)
        self.assertTrue(report["passed"])
        sets = report["folders"][1]["data_sets"]
        self.assertEqual([s["number"] for s in sets], [0, 1])
        self.assertLess(sets[0]["outputs"][0]["error"], 1e-6)

    def test_check_fails(self):
        self.data_set(1, [1.0, -3.0], [0.7, 0.5])
        done = self.fails(1, "FAIL  data set 1", "check", *REFERENCE, self.path)
        self.assertIn("relative L2", done.stdout)
        self.assertIn("0 of 1 passed", done.stdout)
        (self.path / "test_data_set_1/output_0.pb").write_bytes(tensor([0.7], [1, 1]))
        self.fails(1, "shape [1, 2] instead of [1, 1]", "check", *REFERENCE, self.path)
        (self.path / "test_data_set_1/output_0.pb").unlink()
        done = self.fails(1, "output_0.pb", "check", *REFERENCE, "--json", self.path)
        report = json.loads(done.stdout)
        self.assertFalse(report["passed"])
        self.assertIn("output_0.pb", report["folders"][0]["error"])
        self.assertTrue(report["folders"][0]["data_sets"][0]["passed"])
        with tempfile.TemporaryDirectory() as empty:
            self.fails(1, "has no folder test_data_set_0", "check", *REFERENCE, empty)
        self.fails(1, "/nowhere", "check", *REFERENCE, "/nowhere")

    def test_check_f16_wrong(self):
        """What is stored is wrong: that the references say so too is no excuse."""
        self.data_set(1, [1.0, -3.0], [0.4, 0.4])
        done = self.fails(1, "FAIL  data set 1", "check", "--precision", "f16", self.path)
        self.assertIn("is over 0.01", done.stdout)

    def quantized(self, name, results):
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        scale = node("Constant", [], ["s"]) + field(
            5, field(1, "value") + field(5, tensor([0.5], [1])) + field(20, 4))
        (folder / "model.onnx").write_bytes(
            model([scale, node("QuantizeLinear", ["x", "s"], ["q"]),
                   node("DequantizeLinear", ["q", "s"], ["a"]),
                   node("Relu", ["a"], ["y"])], [1, "n"]))
        data = folder / "test_data_set_0"
        data.mkdir(exist_ok=True)
        (data / "input_0.pb").write_bytes(tensor([-1.0, 0.75, 3.1], [1, 3]))
        (data / "output_0.pb").write_bytes(tensor(results, [1, 3]))
        return folder

    def test_check_quantized(self):
        exact = [0.0, 1.0, 3.0]  # 0.75 / 0.5 is rounded to even
        near = [0.0, 1.0, 2.8]
        self.succeeds("check", *REFERENCE, self.quantized("exact", exact))
        self.succeeds("check", *REFERENCE, self.quantized("near_int8", near))
        self.fails(1, "is over 0.001", "check", *REFERENCE,
                   self.quantized("near", near))
        self.fails(1, "is over 0.15", "check", *REFERENCE,
                   self.quantized("far_int8", [0.0, 1.0, 2.0]))

    @NEEDS_DEVICE
    def test_check_steps(self):
        folder = self.quantized("exact_int8", [0.0, 1.0, 3.0])
        self.assertIn("every QuantizeLinear  steps 0 <= 1",
                      self.succeeds("check", "-p", "f32", folder))
        sets = self.json("check", "-p", "f32", folder)["folders"][0]["data_sets"]
        self.assertEqual(sets[0]["worst_steps"], 0)

    @NEEDS_DEVICE
    def test_check_device(self):
        for precision in ("f32", "f16"):
            self.succeeds("check", "--precision", precision, self.path)
        self.data_set(1, [1.0, -3.0], [0.2, 0.5])
        self.fails(1, "every node is within tolerance of its C reference", "check",
                   "--layers", self.path)
        done = self.fails(1, "", "check", "--layers", "--json", self.path)
        sets = json.loads(done.stdout)["folders"][0]["data_sets"]
        self.assertIsNone(sets[1]["first_bad_node"])

    def test_run(self):
        source = self.path / "x.npy"
        source.write_bytes(npy([0.0, 4.0, -2.0], (1, 3)))
        target = self.path / "out"
        for device in [REFERENCE] + ([[]] if HAS_DEVICE else []):
            self.succeeds("run", *device, self.path, "--input", source, "-o", target)
            data = (target / "y.npy").read_bytes()
            values = struct.unpack("<3f", data[-12:])
            for got, want in zip(values, (0.5, 0.98201379, 0.5)):
                self.assertAlmostEqual(got, want, places=5)
        report = self.json("run", *REFERENCE, self.path, "-i",
                           f"x={self.path}/test_data_set_1/input_0.pb")
        self.assertEqual(report["outputs"][0]["shape"], [1, 2])
        self.assertAlmostEqual(report["outputs"][0]["max"], 0.7310585, places=5)

    def test_run_fails(self):
        run = ("run", *REFERENCE, self.path)
        self.fails(1, "the input 'x' (f32 [1, ?]) is missing", *run)
        self.fails(1, "/nowhere.npy", *run, "-i", "/nowhere.npy")
        self.fails(1, "cannot fill the input 'x' as an image", *run, "-i", "a.png")
        source = self.path / "x.npy"
        source.write_bytes(npy([0.0], (1,)))
        self.fails(1, "no card", *run, "-i", source, "--card", "/no card")
        self.fails(1, "rank", *run, "-i", source)
        source.write_bytes(npy([0.0], (1, 1)))
        self.fails(1, "one input too many", *run, "-i", source, "-i", source)
        self.fails(1, "cannot be made", *run, "-i", source, "-o", source / "out")

    def test_host_tail(self):
        """What begins it, what it holds and what it took."""
        path = self.path / "tail.onnx"
        path.write_bytes(model([node("NonZero", ["x"], ["n"]),
                                node("Neg", ["n"], ["y"])], [1, 4]))
        reason = "node 'NonZero_0' (NonZero): the result's shape depends on the data"
        source = self.path / "x.npy"
        source.write_bytes(npy([0.0, 1.0, 2.0, 0.0], (1, 4)))
        text = self.succeeds("run", *REFERENCE, path, "-i", source)
        self.assertRegex(text, r"the last 2 nodes took [\d.]+ ms on the host")
        self.assertIn(reason, text)
        report = self.json("bench", *REFERENCE, path, "--runs", "2")
        self.assertEqual(report["tail_nodes"], 2)
        self.assertGreater(report["tail_ms"], 0)
        if HAS_DEVICE:
            text = self.succeeds("info", "--plan", path)
            self.assertIn(f"host tail   2 nodes, the first: {reason}", text)
            self.assertRegex(text, r"host  Neg +Neg_1: behind 'NonZero_0'")

    def bench_costs(self, report, text):
        """Each dispatch, kernel and the net against what the device does at best."""
        self.assertEqual(len(report["dispatches"]), report["n_dispatches"])
        for name in ("dispatches", "kernels"):
            self.assertAlmostEqual(sum(c["share"] for c in report[name]), 1, places=6)
        dispatch, peaks = report["dispatches"][0], report["roofline"]
        self.assertEqual(dispatch["kernel"], "elementwise")
        self.assertIn("Sigmoid", dispatch["nodes"])
        self.assertEqual(len(dispatch["groups"]), 3)
        self.assertGreater(dispatch["ms"], 0)
        bound = max(dispatch["flops"] / peaks["gflop_per_second"],
                    dispatch["bytes"] / peaks["gb_per_second"]) * 1e-6
        self.assertAlmostEqual(dispatch["bound_ms"] / bound, 1, places=3)
        self.assertAlmostEqual(peaks["bound_ms"] / bound, 1, places=3)
        self.assertRegex(text, r"\n +0 elementwise .*Sigmoid")
        self.assertIn("the device's best", text)

    def test_bench(self):
        shape = ("--input-shape", "1x640")
        for device in [REFERENCE] + ([[]] if HAS_DEVICE else []):
            report = self.json("bench", *device, self.path, *shape, "--runs", "3")
            for key in ("load_ms", "first_frame_ms", "peak_rss_bytes"):
                self.assertGreater(report[key], 0)
            self.assertEqual(report["host_bytes"], 2 * 4 * 640)
            self.assertEqual(report["with_host_arrays"]["runs"], 3)
            self.assertEqual("net" in report, device != REFERENCE)
            parts = [p["part"] for p in report.get("load_parts", [])]
            self.assertEqual("plan" in parts and "first run" in parts, device != REFERENCE)
            text = self.succeeds("bench", *device, self.path, *shape, "-n", "2", "-D")
            self.assertIn("p95", text)
            if device != REFERENCE:
                self.bench_costs(report, text)
            both = self.json("bench", *device, self.path, self.path, *shape, "-n", "2")
            self.assertEqual([m["with_host_arrays"]["runs"] for m in both["models"]], [2, 2])
            self.assertEqual(self.succeeds("bench", *device, self.path, self.path, *shape,
                                           "-n", "2").count("p95"), 2 * text.count("p95"))
        self.fails(1, "none.onnx", "bench", *REFERENCE, self.path, self.path / "none.onnx",
                   *shape)
        self.fails(1, "expected sizes like", "bench", *REFERENCE, self.path,
                   "--input-shape", "1xpig")
        self.fails(1, "no such input", "bench", *REFERENCE, self.path,
                   "--input-shape", "z=1x2")
        self.fails(1, "(n)", "bench", *REFERENCE, self.path)


if __name__ == "__main__":
    unittest.main()
