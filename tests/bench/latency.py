#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How old frames are behind the overlay: the table in docs/performance.md.

    meson devenv -C build ../tests/bench/latency.py [--seconds 10] [--model NAME]
                                          [--rows 1,3] [--write ../docs/performance.md]

A live source, 640x360 NV12, goes through foveainfer and foveaoverlay. First the
model's own rate is measured (no clock, every frame inferred); then each pair of
sync-mode and on-overload gets frames at half that rate (idle) and at twice that
rate (overloaded), for so many seconds each. A frame's age is the running time at
the overlay's source pad less its timestamp, the first second left out; what is
inferred, skipped and dropped is what `stats` counts. Ends with 77 where the model
is not there, and with 1 where the counters do not add up.
"""
import argparse
import re
import sys
from pathlib import Path

import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from report import table, write_part  # noqa: E402

SIZE = "video/x-raw,format=NV12,width=640,height=360"
MODES = [
    ("matched", "block", ""),
    ("matched", "skip-inference", ""),
    ("matched", "skip-inference", "max-latency=50000000"),
    ("matched", "drop", ""),
    ("live", "block", ""),
    ("live", "skip-inference", ""),
    ("live", "drop", ""),
]
HEAD = ["sync-mode", "on-overload", "load", "p50, ms", "p95, ms", "p99, ms", "inferred",
        "skipped", "dropped"]
PROBE_FRAMES = 40


def run(source, caps, properties, model, until):
    """Runs until @until (seconds, or None for EOS): ages in ms by running time, and
    the counters behind the last frame."""
    pipeline = Gst.parse_launch(
        f"{source} ! {caps} ! foveainfer name=net model=\"{model}\" {properties} ! "
        "foveaoverlay name=overlay ! fakesink sync=false")
    ages = []

    def note(_pad, info):
        now = pipeline.get_current_running_time()
        ages.append((now / 1e9, (now - info.get_buffer().pts) / 1e6))
        return Gst.PadProbeReturn.OK

    overlay = pipeline.get_by_name("overlay")
    overlay.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, note)
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    kinds = Gst.MessageType.ERROR | Gst.MessageType.EOS
    if until:
        message = bus.timed_pop_filtered(int(until * Gst.SECOND), kinds)
        pipeline.send_event(Gst.Event.new_eos())
    message = bus.timed_pop_filtered(120 * Gst.SECOND, kinds)
    if message is None or message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[1] if message else "the pipeline does not end")
    stats = pipeline.get_by_name("net").props.stats
    counts = {key: stats.get_value(key) for key in
              ("frames-in", "frames-out", "inferred", "skipped", "dropped", "in-flight")}
    pipeline.set_state(Gst.State.NULL)
    return ages, counts


def sustainable(model):
    ages, _ = run(f"videotestsrc num-buffers={PROBE_FRAMES} pattern=ball",
                  f"{SIZE},framerate=30/1", "on-overload=block", model, None)
    first, last = ages[PROBE_FRAMES // 4][0], ages[-1][0]
    return (len(ages) - 1 - PROBE_FRAMES // 4) / (last - first)


def adds_up(counts):
    return (counts["in-flight"] == 0
            and counts["frames-in"] == counts["frames-out"] + counts["dropped"]
            and counts["frames-out"] == counts["inferred"] + counts["skipped"])


def measure(mode, rate, model, seconds):
    sync, overload, more = mode
    ages, counts = run("videotestsrc is-live=true pattern=ball",
                       f"{SIZE},framerate={round(rate * 100)}/100",
                       f"sync-mode={sync} on-overload={overload} {more}", model,
                       seconds + 1)
    late = sorted(age for time, age in ages if time > 1) or [age for _, age in ages]
    figures = [late[int(share * (len(late) - 1))] for share in (.5, .95, .99)]
    return figures, counts, adds_up(counts)


def rows(rate, model, seconds, modes):
    """Of the table; TRUE when all counters add up."""
    found, ok = [], True
    for mode in modes:
        for load, factor in (("idle", .5), ("overloaded", 2)):
            figures, counts, right = measure(mode, rate * factor, model, seconds)
            ok = ok and right
            overload = mode[1] + (", " + re.sub("0{6}$", " ms", mode[2])
                                  if mode[2] else "")
            found.append([mode[0], overload, load,
                          *(f"{figure:.0f}" for figure in figures),
                          counts["inferred"], counts["skipped"], counts["dropped"]])
            print(*found[-1], file=sys.stderr, flush=True)
    return found, ok


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--model", default="scene-mit")
    parser.add_argument("--rows", help="numbers of MODES, from 0 on: only those")
    parser.add_argument("--write", help="the document whose part `latency` this becomes")
    options = parser.parse_args()
    Gst.init(None)
    element = Gst.ElementFactory.make("foveainfer")
    element.props.model = options.model
    if element.set_state(Gst.State.READY) == Gst.StateChangeReturn.FAILURE:
        print(f"{options.model} cannot be opened: skipped")
        sys.exit(77)
    element.set_state(Gst.State.NULL)
    rate = sustainable(options.model)
    modes = ([MODES[int(row)] for row in options.rows.split(",")] if options.rows
             else MODES)
    found, ok = rows(rate, options.model, options.seconds, modes)
    text = (f"`{Path(options.model).stem}`, every frame inferred: {rate:.1f} frames a "
            "second.\n\n" + table(HEAD, found))
    if options.write:
        write_part(options.write, "latency", text)
    print(text)
    if not ok:
        sys.exit("the counters do not add up")


main()
