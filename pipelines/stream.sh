#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A live stream with the overlay, and the results as a stream of their own: see --help.
set -eu

usage () {
  cat <<'END'
usage: pipelines/stream.sh [--help]

Writes an HLS stream of the picture with what was found drawn into it, and beside
it the results alone, one line of JSON a frame: as a file, and to whoever connects
to a port. Any web server may hand out the folder:

  python3 -m http.server --directory build/stream

Set these in the environment:
  MODEL   the name of a model, an ONNX file, a folder or a card (default: scene-mit)
  SRC     a video file, or a source as gst-launch-1.0 takes it (default: a live
          foveascenesrc)
  FRAMES  how many frames (default: until it is interrupted)
  OUT     the folder (default: the folder stream in the build folder)
  PORT    of the results (default: none), and HOST, the address that it listens on
          (default 127.0.0.1; 0.0.0.0 lets other machines in)
  BUILD   a folder with a build that is used as it is

examples:
  pipelines/stream.sh
  PORT=5000 SRC=v4l2src pipelines/stream.sh      # nc 127.0.0.1 5000
END
}

. "$(dirname "$0")/common.sh"
common_begin 'foveascenesrc is-live=true seed=130 ! video/x-raw,width=640,height=360,framerate=15/1' "$@"
out=${out:-$build/stream}
mkdir -p "$out"
end=${FRAMES:+identity eos-after=$((${FRAMES:-0} + 1)) !}
port=${PORT:+lines. ! queue ! tcpserversink host=${HOST:-127.0.0.1} port=$PORT}

echo "Stream:  $out/stream.m3u8"
echo "Results: $out/results.jsonl${PORT:+, port $PORT}"
common_launch "$out/launch.log" "$source ! videoconvert ! $end \
  foveainfer model='\"$model\"' ! tee name=all \
  all. ! queue ! foveaoverlay ! videoconvert \
  ! x264enc tune=zerolatency speed-preset=veryfast bitrate=2000 key-int-max=30 \
  ! h264parse ! hlssink2 target-duration=2 location='\"$out/%05d.ts\"' \
  playlist-location='\"$out/stream.m3u8\"' \
  all. ! queue ! foveajson ! tee name=lines \
  lines. ! queue ! filesink buffer-mode=unbuffered location='\"$out/results.jsonl\"' \
  ${port-}" || common_fail "$out/launch.log"
grep '^WARNING' "$out/launch.log" || :
