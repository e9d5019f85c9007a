#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is needed, builds, and runs every test. Its last line is
#   N passed, N failed, N skipped
# Options: --no-sanitizers leaves the ASan and UBSan build out.
set -u
cd "$(dirname "$0")/.." || exit 1
. pipelines/packages.sh

sanitizers=yes
for option in "$@"; do
  case $option in
    --no-sanitizers) sanitizers=no ;;
    *) echo "usage: tests/run.sh [--no-sanitizers]"; exit 2 ;;
  esac
done

# shellcheck disable=SC2086
install_packages $packages_build $packages_run $packages_test || exit 1
# shellcheck disable=SC2086
install_optional $packages_optional $packages_train

passed=0 failed=0 skipped=0

# Adds up what meson counted in its last summary.
count () {
  of () { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$2" | tail -n 1; }
  passed=$((passed + $(of Ok "$1") + 0))
  failed=$((failed + $(of Fail "$1") + $(of Timeout "$1") + $(of 'Unexpected Pass' "$1") + 0))
  skipped=$((skipped + $(of Skipped "$1") + 0))
}

# build FOLDER MESON-OPTIONS...: sets up and builds; a failure counts as one.
build () {
  folder=$1
  shift
  if [ -d "$folder" ]; then
    meson setup --reconfigure "$folder" "$@"
  else
    meson setup "$folder" "$@"
  fi >"$folder.log" 2>&1 && ninja -C "$folder" >>"$folder.log" 2>&1 && return 0
  tail -n 40 "$folder.log"
  echo "building $folder failed"
  failed=$((failed + 1))
  return 1
}

# run FOLDER TESTS-AND-OPTIONS...
run () {
  folder=$1
  shift
  meson test -C "$folder" --print-errorlogs --num-processes 2 "$@" \
    >"$folder-test.log" 2>&1
  cat "$folder-test.log"
  if grep -q '^Ok:' "$folder-test.log"; then
    count "$folder-test.log"
  else
    failed=$((failed + 1))
  fi
}

build build-tests --werror && run build-tests
if [ $sanitizers = yes ]; then
  build build-sanitizers -Db_sanitize=address,undefined -Db_lundef=false \
    -Dintrospection=disabled --werror && run build-sanitizers --no-suite plain
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
