#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# test-recipes.sh BUILD-FOLDER: the recipes and the examples of embedding in pipelines/,
# each on a few frames of the synthetic world. Exits 77 where a part had to be skipped,
# the rest done.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
export BUILD="$1"
unset DISPLAY WAYLAND_DISPLAY SRC MODEL OUT FRAMES PORT CLASSES
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
skipped=
world='foveascenesrc seed=130 num-buffers=4 ! video/x-raw,width=320,height=180'

fail () {
  echo "$1"
  cat said 2>/dev/null
  exit 1
}
# run COMMAND: with the libraries, the plugin and the models of the build
run () {
  meson devenv -C "$BUILD" sh -c 'cd "$0" && "$@"' "$scratch" "$@"
}
if [ ! -f "$root/models/scene-mit.onnx" ]; then
  echo 'the weights of scene-mit are missing: skipped'
  exit 77
fi

# bytes of the third frame as a PNG, which has few where there is little to see
weigh () {
  gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! identity eos-after=4 \
    ! pngenc ! multifilesink location=frame.png >said 2>&1 || fail "$1 is no video"
  wc -c <frame.png
}
for classes in car,person 0,1,2,3,4,5,6,7,8,9,10,11,12; do
  CLASSES=$classes FRAMES=4 OUT=blur.mp4 SRC="$world" "$root/pipelines/blur.sh" >said 2>&1 \
    || fail 'blur.sh fails'
  grep -q '^Video: .*/blur.mp4$' said || fail 'blur.sh does not say where the video is'
  blurred=${whole-0}
  whole=$(weigh blur.mp4)
done
echo "blur.sh: $blurred bytes behind cars and persons, $whole with all sharp"
[ "$blurred" -gt 0 ] && [ $((blurred * 5)) -lt $((whole * 4)) ] || fail 'blur.sh does not blur'
! MODEL=no-such-model FRAMES=4 OUT=none.mp4 "$root/pipelines/blur.sh" >said 2>&1 \
  || fail 'blur.sh succeeds without a model'
grep -q 'no-such-model: no such file' said || fail 'blur.sh does not say what is missing'

port=$(/usr/bin/python3 -c 'import socket
free = socket.socket()
free.bind(("127.0.0.1", 0))
print(free.getsockname()[1])')
# Somebody is connected to the results while the stream runs.
/usr/bin/python3 - >heard <<END &
import socket, sys, time
for _ in range(600):
    try:
        with socket.create_connection(("127.0.0.1", $port)) as connection:
            sys.stdout.buffer.write(connection.makefile("rb").readline())
            break
    except OSError:
        time.sleep(0.1)
END
PORT=$port FRAMES=40 OUT=stream SRC="foveascenesrc is-live=true ! \
  video/x-raw,width=320,height=180,framerate=10/1" "$root/pipelines/stream.sh" >said 2>&1 \
  || { cat stream/launch.log; fail 'stream.sh fails'; }
wait
grep -q 'ENDLIST' stream/stream.m3u8 || fail 'stream.sh makes no playlist'
/usr/bin/python3 - <<'END' || fail 'stream.sh: wrong segments or results'
import json
from pathlib import Path
segments = [l for l in Path("stream/stream.m3u8").read_text().splitlines() if l[:1] not in ("#", "")]
assert segments, "no segments"
for name in segments:
    assert Path("stream", Path(name).name).read_bytes()[:1] == b"G", name
lines = [json.loads(l) for l in Path("stream/results.jsonl").read_text().splitlines()]
assert len(lines) == 40, len(lines)
assert all(l["segmentation"] and "depth" in l and "objects" in l for l in lines)
heard = json.loads(Path("heard").read_text())
assert heard["pts"] in [l["pts"] for l in lines], heard["pts"]
print("stream.sh:", len(segments), "segments,", len(lines), "results, one of them heard")
END

run "$BUILD/pipelines/camera-app" scene-mit "$world" >counted || fail 'camera-app fails'
[ "$(grep -c '^ *[0-9.]* s .*sky [0-9.]* %' counted)" = 4 ] || fail 'camera-app counts nothing'
! run "$BUILD/pipelines/camera-app" no-such-model "$world" >said 2>&1 \
  || fail 'camera-app succeeds without a model'
grep -q '^net: .*no-such-model' said || fail 'camera-app does not say what is missing'
if /usr/bin/python3 -c 'import gi; gi.require_version("GstApp", "1.0")' 2>/dev/null \
    && [ -f "$BUILD/gst/video/GstFovea-1.0.typelib" ]; then
  run "$root/pipelines/camera_app.py" scene-mit "$world" >counted.py || fail 'camera_app.py fails'
  cmp counted counted.py || fail 'camera_app.py and camera-app differ'
  echo 'camera-app and camera_app.py: 4 frames, the same shares'
else
  echo 'camera_app.py: Python has no GStreamer, or no introspection was built: skipped'
  skipped=yes
fi

if [ -x "$BUILD/pipelines/viewer" ] && command -v xvfb-run >/dev/null; then
  GSK_RENDERER=cairo run xvfb-run -a "$BUILD/pipelines/viewer" --frames=3 \
    --screenshot=shot.png >said 2>&1 || fail 'viewer fails'
  grep -q '^3 frames shown' said || fail 'viewer shows nothing'
  /usr/bin/python3 - <<'END' || fail 'viewer shows no picture'
from PIL import Image
shot = Image.open("shot.png").convert("RGB")
colours = len(shot.getcolors(1 << 24))
assert shot.width >= 640 and colours > 2000, (shot.size, colours)
print("viewer: 3 frames,", colours, "colours in the window")
END
else
  echo 'viewer: GTK 4 or Xvfb is missing: skipped'
  skipped=yes
fi
[ -z "$skipped" ] || exit 77
