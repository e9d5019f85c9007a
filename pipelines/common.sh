# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the recipes of this folder, which stand in the root of the source then:
# what they run on, and what runs it. common_begin comes first; it sets
#   model, source, build, out   of MODEL, SRC, BUILD, OUT, as gst-launch-1.0 and meson
#                               take them
# and installs and builds, unless there is a build.

# A path of the caller's as seen from everywhere; what is none stays as it is.
absolute () {
  case $1 in
    /*) echo "$1" ;;
    */*) echo "$PWD/$1" ;;
    *) if [ -e "$1" ]; then echo "$PWD/$1"; else echo "$1"; fi ;;
  esac
}

# common_begin SOURCE "$@": SOURCE is what is run on without SRC; the recipe's own
# arguments ask for its usage at most.
common_begin () {
  case ${2-} in
    '') ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  model=$(absolute "${MODEL:-scene-mit}")
  case ${OUT-} in
    '' | /*) out=${OUT-} ;;
    *) out=$PWD/$OUT ;;
  esac
  build=$(absolute "${BUILD:-build}")
  source=${SRC:-$1}
  if [ -n "${SRC-}" ] && [ -f "$SRC" ]; then
    source="filesrc location=\"$(absolute "$SRC")\" ! decodebin"
  fi
  cd "$(dirname "$0")/.."
  . pipelines/packages.sh
  [ -n "${BUILD-}" ] || build_here
}

build_here () {
  build=$PWD/build
  # shellcheck disable=SC2086
  install_packages $packages_build $packages_run
  # shellcheck disable=SC2086
  [ -z "${DISPLAY-}${WAYLAND_DISPLAY-}" ] || install_optional $packages_window
  [ -f build/build.ninja ] || meson setup build -Dtests=auto >build.log 2>&1 \
    || { tail -n 30 build.log; exit 1; }
  ninja -C build >build.log 2>&1 || { tail -n 30 build.log; exit 1; }
}

# common_launch LOG ARGUMENTS: gst-launch-1.0 with the plugin of the build; quoted
# words of the arguments are its own to read.
common_launch () {
  log=$1
  shift
  eval "meson devenv -C '$build' gst-launch-1.0 -e -m $*" >"$log" 2>&1 \
    && ! grep -q '^ERROR' "$log"
}
common_fail () {
  sed -n '/^ERROR\|erroneous/,$p' "$1" | head -n 12 >&2
  exit 1
}
