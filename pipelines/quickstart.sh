#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is needed, builds, and runs a model on a video: see --help.
set -eu

usage () {
  cat <<'END'
usage: pipelines/quickstart.sh [--help]

Installs the packages that Fovea needs (Debian 12 or 13), builds it, and runs a
model on a video: classes as a mask, boxes with labels, depth as an inset. The
result goes into an MP4 and a PNG, and into a window where there is a display.
Without SRC the video is a synthetic street and room, whose truth is known: how
good the model's results are is printed too.

Set these in the environment:
  MODEL   the name of a model (scene-mit, scene-cnn), an ONNX file, a folder, or
          a .modelinfo card (default: scene-mit)
  SRC     a video file, or a source as gst-launch-1.0 takes it
          ("v4l2src", "videotestsrc pattern=ball")
  FRAMES  how many frames (default 300)
  OUT     where the files go (default: the folder quickstart in the build folder)
  DEVICE  a Vulkan device: index, part of its name, or UUID
  BUILD   a folder with a build that is used as it is: nothing is installed or
          built

examples:
  pipelines/quickstart.sh
  MODEL=yolox.modelinfo SRC=street.mp4 pipelines/quickstart.sh
  MODEL=scene-cnn SRC="foveascenesrc seed=7 scene=room" pipelines/quickstart.sh
END
}


. "$(dirname "$0")/common.sh"
common_begin 'foveascenesrc seed=130 ! video/x-raw,width=640,height=360,framerate=30/1' "$@"
out=${out:-$build/quickstart}
frames=${FRAMES:-300}
log=$out/launch.log
device=${DEVICE:+device=\"$DEVICE\"}
case $model in
  # sky, ground, pavement, grass, wall, tree, pole, furniture; then the things
  *scene-mit* | *scene-cnn*)
    # precision is averaged over the doubtful boxes too, which are not drawn
    doubtful=threshold=0.05
    sure=threshold=0.5
    palette="palette=#4682b4,#804080,#f423e8,#98fb98,\
#666680,#6b8e23,#999999,#dcdc00,#dc143c,#2060ff,#ff8800,#a0622d,#00e0d0"
    ;;
esac
mkdir -p "$out"

# What `fovea` cannot read no element can; it says why.
if ! meson devenv -C "$build" fovea info "$model" >"$out/model.log" 2>&1; then
  grep -v '^\[' "$out/model.log" >&2
  [ -n "${MODEL-}" ] || cat >&2 <<'END'
The weights of this model are not in the folder models. docs/training.md says how
to make them; MODEL= takes another model (pipelines/quickstart.sh --help).
END
  exit 1
fi

has_window () {
  [ -n "${DISPLAY-}${WAYLAND_DISPLAY-}" ] || return 1
  for sink in glimagesink waylandsink xvimagesink ximagesink; do
    gst-inspect-1.0 --exists $sink && return 0
  done
  return 1
}

# launch [WINDOW]: the whole pipeline; the picture is of what comes behind the middle.
launch () {
  common_launch "$log" "$source ! videoconvert ! identity eos-after=$((frames + 1)) \
    ! foveainfer model='\"$model\"' ${device-} ${doubtful-} ! foveaevaluate \
    ! foveaoverlay depth-inset=bottom-right alpha=0.45 ${sure-} ${palette-} ! tee name=all \
    all. ! queue ! videoconvert \
    ! x264enc tune=zerolatency speed-preset=veryfast bitrate=3000 \
    ! video/x-h264,profile=high ! mp4mux \
    ! filesink location='\"$out/result.mp4\"' \
    all. ! queue ! videorate drop-only=true ! video/x-raw,framerate=50/$((frames > 50 ? frames : 50)) ! videoconvert \
    ! pngenc ! multifilesink location='\"$out/result.png\"' ${1-}"
}

window='all. ! queue leaky=downstream ! videoconvert ! autovideosink sync=false'
done=
if has_window; then
  if launch "$window"; then
    done=yes
  else
    echo 'The window was closed, or there is none after all: going on without.'
  fi
fi
[ -n "$done" ] || launch || common_fail "$log"
grep '^WARNING' "$log" || :

# Which one it ran on; there are commas in its name.
name_of_device () {
  sed -n '/(element): fovea-stats,/s/.* device=(string)\(.*\), path=.*/\1/p' "$log" \
    | tail -n 1 | tr -d '"\\'
}
# figure MESSAGE KEY: of the message that an element posted at the end
figure () {
  sed -n "/(element): $1,/s/.*[ ,]$2=([a-z0-9]*)\([^,;]*\).*/\1/p" "$log" | tail -n 1
}
# print FORMAT FIGURES...: where there are such figures
print () {
  format=$1
  shift
  for number in "$@"; do
    [ -n "$number" ] || return 0
  done
  # shellcheck disable=SC2059
  LC_ALL=C printf "$format\n" "$@"
}

n=$(figure fovea-stats frames-out)
seconds=$(sed -n 's/^Execution ended after //p' "$log" \
  | awk -F: '{ printf "%.2f", $1 * 3600 + $2 * 60 + $3 }')
echo "Model:    $model on $(name_of_device)"
print 'Speed:    %d frames in %.1f s, %.1f a second, with source and encoder' \
  "$n" "$seconds" "$(awk "BEGIN { print $n / $seconds }")"
# The device works on two frames at a time here: source and encoder want its CPUs too.
print 'Latency:  p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, from a frame to its result; %.1f ms on the device' \
  "$(figure fovea-stats wall-ms-p50)" "$(figure fovea-stats wall-ms-p95)" \
  "$(figure fovea-stats wall-ms-p99)" "$(figure fovea-stats gpu-ms-p50)"
print 'Classes:  mIoU %.3f, %.3f of all pixels' \
  "$(figure foveaevaluate miou)" "$(figure foveaevaluate pixel-accuracy)"
print 'Depth:    AbsRel %.3f, delta1 %.3f' \
  "$(figure foveaevaluate absrel)" "$(figure foveaevaluate delta1)"
print 'Boxes:    mAP50 %.3f, mAP %.3f' \
  "$(figure foveaevaluate map50)" "$(figure foveaevaluate map)"
echo "Video:    $out/result.mp4"
echo "Picture:  $out/result.png"
