#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# test-quickstart.sh BUILD-FOLDER: pipelines/quickstart.sh on a few frames: with the
# model that came along and the truth, with a model and a source of one's own, and
# with what there is not. Exits 77 where the weights are missing, the rest done.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
export BUILD="$1" FRAMES=6
unset DISPLAY WAYLAND_DISPLAY SRC MODEL OUT DEVICE
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fail () {
  echo "quickstart.sh $1"
  cat "$scratch/said" 2>/dev/null
  exit 1
}
said () {
  for line in "$@"; do
    grep -q "$line" "$scratch/said" || fail "does not say '$line'"
  done
}
is_film () {
  [ "$(head -c 8 "$1/result.mp4" | tail -c 4)" = ftyp ] || fail 'makes no MP4'
  [ "$(head -c 4 "$1/result.png" | tail -c 3)" = PNG ] || fail 'makes no PNG'
}

"$root/pipelines/quickstart.sh" --help >said
said 'SRC' 'MODEL' 'FRAMES'

/usr/bin/python3 "$root/models/make-colours.py" . >/dev/null
MODEL=colours.onnx SRC='videotestsrc pattern=smpte ! video/x-raw,width=64,height=48' \
  OUT=own "$root/pipelines/quickstart.sh" >said 2>&1 || fail 'fails with a model of the user'
is_film own
said '^Speed: *6 frames in' '^Latency: *p50 [0-9.]* ms'
! grep -q 'mIoU\|AbsRel\|mAP' said || fail 'knows a truth that there is not'

! MODEL=no-such-model OUT=none "$root/pipelines/quickstart.sh" >said 2>&1 \
  || fail 'succeeds without a model'
said 'no-such-model: no such file or folder, and no model of that name'

! MODEL=colours.onnx SRC='filesrc location=none.mp4 ! decodebin' OUT=none \
  "$root/pipelines/quickstart.sh" >said 2>&1 || fail 'succeeds without a clip'
said 'none.mp4'

if OUT=out "$root/pipelines/quickstart.sh" >said 2>&1; then
  is_film out
  said '^Speed: *6 frames in' '^Classes: *mIoU 0\.' '^Depth: *AbsRel 0\.' '^Boxes: *mAP50 '
  grep -v '^\[' said
elif [ -f "$root/models/scene-mit.onnx" ]; then
  fail 'fails'
else
  said 'scene-mit: no such file or folder' 'The weights of this model are not in'
  echo 'the weights of scene-mit are missing: its part is skipped'
  exit 77
fi
