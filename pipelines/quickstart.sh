#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is needed, builds, and runs a model on a clip: see --help.
set -eu

usage () {
  cat <<'END'
usage: pipelines/quickstart.sh [--help]

Installs the packages that Fovea needs (Debian 12 or 13), builds it, runs a model
on a clip and writes the frames with the result drawn on them as MP4 and PNG.

Set these in the environment:
  MODEL   an ONNX file, a folder, or a .modelinfo card; without it a small net
          that the project makes itself (it tells eight colours apart)
  SRC     a video file, or a source as gst-launch-1.0 takes it
          ("v4l2src", "videotestsrc pattern=ball"); without it a test picture
  FRAMES  how many frames (default 90)
  OUT     where the files go (default: the folder quickstart in the build folder)
  DEVICE  a Vulkan device: index, part of its name, or UUID

examples:
  pipelines/quickstart.sh
  MODEL=yolox.modelinfo SRC=street.mp4 pipelines/quickstart.sh
END
}

case ${1-} in
  '') ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

# Folders of the caller's, before this script goes to its own.
case ${MODEL-} in
  '' | /*) ;;
  *) MODEL=$PWD/$MODEL ;;
esac
case ${OUT-} in
  '' | /*) ;;
  *) OUT=$PWD/$OUT ;;
esac
if [ -n "${SRC-}" ] && [ -f "$SRC" ]; then
  case $SRC in
    /*) ;;
    *) SRC=$PWD/$SRC ;;
  esac
  SRC="filesrc location=\"$SRC\" ! decodebin"
fi
cd "$(dirname "$0")/.."
. pipelines/packages.sh
# shellcheck disable=SC2086
install_packages $packages_build $packages_run

[ -f build/build.ninja ] || meson setup build -Dtests=auto >build.log 2>&1 \
  || { tail -n 30 build.log; exit 1; }
ninja -C build >build.log 2>&1 || { tail -n 30 build.log; exit 1; }

out=${OUT:-$PWD/build/quickstart}
frames=${FRAMES:-90}
mkdir -p "$out"
if [ -z "${MODEL-}" ]; then
  /usr/bin/python3 models/make-colours.py "$out"
  MODEL=$out/colours.onnx
  echo "No MODEL given: using a small net made just now by models/make-colours.py;"
  echo "it tells eight colours apart and knows nothing about objects."
fi
source=${SRC:-videotestsrc pattern=smpte horizontal-speed=4 ! video/x-raw,width=640,height=360,framerate=30/1}
device=${DEVICE:+device=\"$DEVICE\"}

launch () {
  meson devenv -C build gst-launch-1.0 "$@"
}

started=$(date +%s%N)
# Quoted words of the description are gst-launch's to read.
# shellcheck disable=SC2086
eval "launch $source ! videoconvert ! identity eos-after=$frames \
  ! foveainfer model='\"$MODEL\"' ${device-} ! foveaoverlay \
  ! videoconvert ! x264enc tune=zerolatency speed-preset=veryfast \
  ! mp4mux ! filesink location='\"$out/result.mp4\"'" >"$out/launch.log"
grep '^WARNING' "$out/launch.log" || :
ended=$(date +%s%N)
launch -q filesrc location="$out/result.mp4" ! decodebin ! videoconvert \
  ! pngenc snapshot=true ! filesink location="$out/result.png"

milliseconds=$(((ended - started) / 1000000))
echo "Up to $frames frames in $milliseconds ms, start and encoding included."
echo "Video:   $out/result.mp4"
echo "Picture: $out/result.png"
