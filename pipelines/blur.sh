#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A sharp person in front of a blurred room, as video calls have it: see --help.
set -eu

usage () {
  cat <<'END'
usage: pipelines/blur.sh [--help]

Blurs what is not of the classes that are asked for: a net's matte becomes the
alpha of the sharp picture, which lies over the blurred one. Writes an MP4.

Set these in the environment:
  MODEL    a model that segments (default: scene-mit); nets that know persons
           alone, as selfie segmenters do, give the softest edges
  CLASSES  what stays sharp: labels or numbers, separated by commas (default: of
           the scene nets their things, persons and cars among them; of others all
           but the background)
  SRC      a video file, or a source as gst-launch-1.0 takes it (default:
           foveascenesrc)
  FRAMES   how many frames (default 100)
  SIGMA    how strong the blur is (default 4)
  OUT      the file (default: blur.mp4 in the build folder)
  BUILD    a folder with a build that is used as it is

examples:
  pipelines/blur.sh
  MODEL=selfie.onnx SRC=v4l2src pipelines/blur.sh
END
}

. "$(dirname "$0")/common.sh"
common_begin 'foveascenesrc seed=130 ! video/x-raw,width=640,height=360,framerate=30/1' "$@"
out=${out:-$build/blur.mp4}
case $model in
  *scene-mit* | *scene-cnn*) classes=${CLASSES-8,9,10,11,12} ;;
  *) classes=${CLASSES-} ;;
esac

# alphacombine wants both planes of one range, and a matte has all of it.
common_launch "$out.log" "$source ! videoconvert ! video/x-raw,format=I420,colorimetry=1:4:7:1 \
  ! identity eos-after=$((${FRAMES:-100} + 1)) ! tee name=all \
  compositor name=mix ! videoconvert \
  ! x264enc tune=zerolatency speed-preset=veryfast bitrate=3000 \
  ! video/x-h264,profile=high ! mp4mux ! filesink location='\"$out\"' \
  all. ! queue ! videoconvert ! gaussianblur sigma=${SIGMA:-4} ! videoconvert ! mix.sink_0 \
  all. ! queue ! foveasegment model='\"$model\"' ! tee name=found \
  found. ! queue ! cut.sink \
  found. ! queue ! foveaextract what=matte classes='\"$classes\"' ! cut.alpha \
  alphacombine name=cut ! videoconvert ! queue ! mix.sink_1" \
  || common_fail "$out.log"
grep '^WARNING' "$out.log" || :
rm "$out.log"
echo "Video: $out"
