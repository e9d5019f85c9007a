#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is needed, builds, and runs every test. Its last line is
#   N passed, N failed, N skipped
# At the end it builds in a Debian 13 folder too (tests/debian13.sh, which says where),
# and runs the tests there that meet what differs, where the machine allows it and
# $FOVEA_MINUTES (40) are not over; one skip where not.
# Options: --no-sanitizers leaves the ASan and UBSan build out, --no-debian13 that
# folder; --debian13 runs all tests there, however long they take.
# In place of all that: --soak runs the storms in full ($FOVEA_STORM_CYCLES, 1000) and
# a live camera for $FOVEA_SOAK_SECONDS (3600), and prints what docs/soak.md has;
# --threads runs the tests of elements, and those of the engine that have threads,
# under ThreadSanitizer.
set -u
cd "$(dirname "$0")/.." || exit 1
. pipelines/packages.sh

sanitizers=yes debian13=short only=''
for option in "$@"; do
  case $option in
    --no-sanitizers) sanitizers=no ;;
    --no-debian13) debian13=no ;;
    --debian13) debian13=all ;;
    --soak | --threads) only=${option#--} ;;
    *) echo "usage: tests/run.sh [--no-sanitizers] [--debian13 | --no-debian13]" \
         "[--soak | --threads]"; exit 2 ;;
  esac
done
end=$(($(date +%s) + 60 * ${FOVEA_MINUTES:-40}))

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

finish () {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed = 0 ]
  exit
}

if [ "$only" = soak ]; then
  export FOVEA_STORM_CYCLES="${FOVEA_STORM_CYCLES:-1000}" \
    FOVEA_SOAK_SECONDS="${FOVEA_SOAK_SECONDS:-3600}"
  # no time limit: each storm has a watchdog
  build build-tests --werror \
    && run build-tests --timeout-multiplier 0 element-storm element-storm-memory soak
  grep -h -e '^|' -e ' KiB' build-tests/meson-logs/testlog.txt
  finish
elif [ "$only" = threads ]; then
  export FOVEA_STORM_CYCLES="${FOVEA_STORM_CYCLES:-5}"
  # shellcheck disable=SC2046
  build build-threads -Db_sanitize=thread -Db_lundef=false -Dintrospection=disabled \
    -Dviewer=disabled --werror \
    && run build-threads $(meson test -C build-threads --list --no-suite plain \
      | sed -nE 's,^.* / ,,
        /^(element|acceptance|device|fault|frames|import|memory|overlay|program|results)/p')
  finish
fi

build build-tests --werror && run build-tests
if [ $sanitizers = yes ]; then
  build build-sanitizers -Db_sanitize=address,undefined -Db_lundef=false \
    -Dintrospection=disabled --werror && run build-sanitizers --no-suite plain
fi

# run_debian13 SECONDS OPTIONS...
run_debian13 () {
  seconds=$1
  shift
  log=build-debian13.log
  timeout -k 10 "$seconds" sh tests/debian13.sh "$@" >$log 2>&1
  status=$?
  cat $log
  if [ $status = 124 ] && ! grep -qE '^ *[0-9]+/[0-9]+ .* (FAIL|TIMEOUT) ' $log; then
    echo 'Debian 13: no time left for its tests: skipped'
    skipped=$((skipped + 1))
  elif grep -q '^Ok:' $log; then
    before=$failed
    count $log
    # the node tests are behind meson's
    [ $status = 0 ] || [ $failed != $before ] || failed=$((failed + 1))
  elif [ $status = 77 ]; then
    skipped=$((skipped + 1))
  else
    failed=$((failed + 1))
  fi
}

left=$((end - $(date +%s)))
if [ $debian13 = all ]; then
  run_debian13 0
elif [ $debian13 = short ] && [ $left -lt 240 ]; then
  echo "Debian 13: $left s are left of ${FOVEA_MINUTES:-40} minutes: skipped"
  skipped=$((skipped + 1))
elif [ $debian13 = short ]; then
  run_debian13 $left --short
fi

finish
