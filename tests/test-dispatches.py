#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What full-size nets take, by count: dispatches, so that a lost fusion shows;
pipelines, which are what a first start waits for; activations' memory against the
most that live at once.

    test-dispatches.py FOVEA SHARED
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# A dispatch per convolution and per pool, with what follows it, six per block with
# squeeze-and-excitation; seven per block of a transformer with what stands around them.
# The transforms of Winograd's algorithm, two for each convolution that goes by it, are
# counted apart: they are chosen where they save more than they cost.
# Pipelines: one per kernel, tile and kind of what follows it; depthwise tiles fit the map.
MOST = {"resnet50_224": (60, 18), "deit_tiny_224": (90, 11),
        "efficientnet_b0_224": (99, 22), "segformer_b0_512": (103, 15),
        "convnext_tiny_224": (83, 10), "efficientformer_l1_224": (58, 17),
        "detr_r50_384x512": (216, 27), "xcit_nano_12_p16_224": (153, 19),
        "mobilevit_xxs_256": (103, 28)}
# Scales and zero points of quantised nets are data: no pipeline for each tensor. A
# GroupNormalization is one dispatch, attention by cosines and the deformable one are too.
MOST_ZOO = {"mobilenetv2_tv_op11_160_int8": (56, 16), "swin_v2_timm_op17_128x64": (53, 23),
            "fcos_raw_tv_op16_160x128": (132, 23), "rt_detr_hf_op16_192x160": (145, 58),
            "deformable_detr_hf_op16_128x160": (79, 38),
            "mask2former_swin_hf_op16_96x128": (115, 62),
            "panoptic_segformer_op16_96x128": (157, 57),
            "mobilevit_hf_op17_128x160": (113, 34),
            "botnet26t_timm_op17_128": (49, 27), "aaconv_resnet_op17_96": (48, 25)}
MOST_ARENA = 1.05


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
        places = [(folder, MOST), (shared / "zoo", MOST_ZOO)]
        for place, name, most in [(p, *row) for p, nets in places for row in nets.items()]:
            done = subprocess.run([fovea, "info", "--plan", "--json",
                                   f"{place}/{name}/model.onnx"],
                                  check=True, capture_output=True)
            plan = json.loads(done.stdout)
            transforms = sum(d["kernel"].startswith("winograd") for d in plan["dispatches"])
            found = plan["n_dispatches"] - transforms, plan["n_pipelines"]
            arena = plan["arena_bytes"] / plan["arena_bound"]
            print(f"{name}: {found[0]} dispatches, at most {most[0]}, and "
                  f"{transforms} transforms; {found[1]} pipelines, "
                  f"at most {most[1]}; {arena:.2f} of the activations' bound")
            failed += found[0] > most[0] or found[1] > most[1] or arena > MOST_ARENA
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
