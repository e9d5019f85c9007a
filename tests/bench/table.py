#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the table of thirteen models in docs/performance.md, from one run.

    meson devenv -C build ../tests/bench/table.py [--write DOCUMENT | MODEL-NAME...]

Each model is measured alone by `fovea bench`, in a process of its own with an empty
cache of compiled kernels (load, first frame), and in the pipeline
videotestsrc ! foveainfer ! foveaoverlay ! fakesink at 640x360 (I420).
CLIP=FILE in the environment takes the frames from a file instead, scaled to that
size. Needs the folder of models beside the tree, python3-gi and the plugin.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import bench
from report import table, write_part

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("FOVEA_SHARED", ROOT.parent / "shared"))
CARDS = ROOT / "tests/data/cards"
MATERIAL = ["squeezenet1_1", "yolox_nano", "yolov8n_320_deq",
            "mp_selfie_segmentation_landscape", "sinet_portrait_224",
            "mobile_pydnet_kitti_192x640"]
ZOO = ["resnet50_tv_op17_136x200", "mobilenetv3_large_tv_op17_160",
       "efficientnet_b0_tv_op17_128", "deit_distilled_timm_op17_96",
       "pvt_v2_b0_timm_op17_128x160", "segformer_b0_hf_op17_128x160",
       "glpn_hf_op17_128x160"]
SHAPES = {"resnet50_tv_op17_136x200": ["--input-shape", "1x3x136x200"]}
SIZES = {"resnet50_tv_op17_136x200": "input-width=200 input-height=136"}
# foveainfer cannot tell a depth map without a card from a mask
ELEMENTS = {"glpn_hf_op17_128x160": "foveadepth"}
FRAMES = 60


def bench_cold(name, folder):
    with tempfile.TemporaryDirectory() as cache:
        env = dict(os.environ, MESA_SHADER_CACHE_DIR=cache, XDG_CACHE_HOME=cache)
        return bench("fovea", folder / "model.onnx", *SHAPES.get(name, []), env=env)


def pipeline(model, size, element, frame):
    """Milliseconds a frame, bytes a frame and peak memory, in this process."""
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
    Gst.init(None)
    clip = os.environ.get("CLIP")
    source = (f'filesrc location="{clip}" ! decodebin ! videoconvertscale ! '
              f"identity eos-after={FRAMES + 1}" if clip else
              f"videotestsrc num-buffers={FRAMES} pattern=ball")
    width, height = frame.split("x")
    line = (f"{source} ! video/x-raw,format=I420,width={width},height={height} ! "
            f"{element} name=infer model={model} {size} ! foveaoverlay ! "
            "fakesink name=sink signal-handoffs=true")
    stamps = []
    pipe = Gst.parse_launch(line)
    pipe.get_by_name("sink").connect("handoff", lambda *_: stamps.append(time.monotonic()))
    pipe.set_state(Gst.State.PLAYING)
    message = pipe.get_bus().timed_pop_filtered(
        600 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    if message is None or message.type == Gst.MessageType.ERROR:
        pipe.set_state(Gst.State.NULL)
        raise SystemExit(f"{model}: {message and message.parse_error()}")
    stats = pipe.get_by_name("infer").get_property("stats")
    moved = sum(stats.get_value(k) for k in ("bytes-uploaded", "bytes-downloaded"))
    pipe.set_state(Gst.State.NULL)
    steps = sorted(b - a for a, b in zip(stamps, stamps[1:]))
    print(json.dumps({
        "ms": 1000 * steps[len(steps) // 2], "bytes": moved / len(stamps),
        "rss": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


def measure_pipeline(model, size="", element="foveainfer", frame="640x360"):
    """The same in a process of its own."""
    line = [sys.executable, __file__, "--pipeline", str(model), size, element, frame]
    done = subprocess.run(line, check=True, timeout=600, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(name, folder):
    card = CARDS / f"{name}.modelinfo"
    net = bench_cold(name, folder)
    video = measure_pipeline(card if card.exists() else folder / "model.onnx",
                             SIZES.get(name, ""), ELEMENTS.get(name, "foveainfer"))
    return [name, f"{net['load_ms']:.0f}", f"{net['first_frame_ms']:.1f}",
            f"{net['net']['median_ms']:.2f}", f"{video['ms']:.2f}",
            f"{net['gflop_per_cpu_second']:.1f}", net["n_dispatches"],
            f"{video['bytes'] / 1000:.0f}", f"{video['rss'] / 1e6:.0f}"]


def main():
    if sys.argv[1:2] == ["--pipeline"]:
        return pipeline(*sys.argv[2:6])
    if not SHARED.exists():
        print(f"{SHARED} is absent: skipped")
        return 77
    document = sys.argv[2] if sys.argv[1:2] == ["--write"] else None
    wanted = [] if document else sys.argv[1:]
    try:
        rows = [row(name, SHARED / group / name)
                for group, names in (("material/models", MATERIAL), ("zoo", ZOO))
                for name in names if not wanted or name in wanted]
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}: {error.stderr}")
    text = table(["model", "load, ms", "first frame, ms", "net, ms", "pipeline, ms",
                  "GFLOP per CPU-second", "dispatches", "kB copied a frame",
                  "peak memory, MB"], rows)
    if document:
        write_part(document, "models", text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
