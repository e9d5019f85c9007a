#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the pictures of README.md anew, by the commands that stand there: the middle of
# quickstart's video, and each line that ends in "location=NAME.jpg".
# BUILD: a folder with a build (default: build). OUT: where they go (docs/pictures).
set -eu
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build}")
mkdir -p "${OUT:-docs/pictures}"
out=$(realpath "${OUT:-docs/pictures}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# In $out, with the plugin and the models of the build.
run () {
  meson devenv -C "$build" sh -c 'cd "$1" && eval "$2"' sh "$out" "$1" >"$scratch/log" 2>&1 \
    && ! grep -q '^ERROR' "$scratch/log" || { tail -n 20 "$scratch/log" >&2; exit 1; }
}

BUILD=$build OUT=$scratch SRC='' MODEL='' DISPLAY='' WAYLAND_DISPLAY='' pipelines/quickstart.sh
run "gst-launch-1.0 filesrc location=$scratch/result.png ! pngdec ! videoconvert \
  ! jpegenc quality=82 ! filesink location=street.jpg"
sed -e ':more' -e '/\\$/{N' -e 's/\\\n *//' -e 'b more' -e '}' README.md \
  | sed -n 's/^    \(gst-launch-1\.0 .* location=[a-z]*\.jpg\)$/\1/p' >"$scratch/lines"
while read -r line; do
  run "$line" </dev/null
done <"$scratch/lines"
ls -l "$out"/*.jpg
# The tree is no place for large files.
[ -z "$(find "$out" -name '*.jpg' -size +150k)" ]
