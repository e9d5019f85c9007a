# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by quickstart.sh and tests/run.sh: the Debian 12 and 13 packages that
# Fovea needs, and a function that installs those that are missing.

# To build the libraries, the command and the plugin.
packages_build='gcc meson ninja-build pkg-config libglib2.0-dev libvulkan-dev
  glslang-tools libprotobuf-c-dev protobuf-c-compiler libjson-glib-dev
  libgdk-pixbuf-2.0-dev libpango1.0-dev libcairo2-dev libgstreamer1.0-dev
  libgstreamer-plugins-base1.0-dev'
# To run pipelines on a machine without a GPU too, and to write MP4 and PNG.
packages_run='mesa-vulkan-drivers gstreamer1.0-tools gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
  gstreamer1.0-libav fonts-dejavu-core python3 python3-onnx python3-numpy'
# To open a window where there is a display.
packages_window='gstreamer1.0-x gstreamer1.0-gl'
# To run the tests.
packages_test='git g++ check vulkan-validationlayers spirv-tools
  gobject-introspection libgirepository1.0-dev gir1.2-gstreamer-1.0
  gir1.2-gst-plugins-base-1.0 python3-gi python3-pil libgtk-4-dev xvfb xauth'
# To train the nets of models/ (its test too), with a BLAS that is not the slow one.
packages_train='python3-torch python3-onnx python3-pil libopenblas0-pthread'
# For what GStreamer 1.24 and newer has: analytics metas, Vulkan's frames.
packages_newer='libgstreamer-plugins-bad1.0-dev libxkbcommon-dev libxkbcommon-x11-dev'
# Used where the distribution has them.
packages_optional='clang-format-14 clang-14 libclang-rt-14-dev'

install_packages () {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null \
      | grep -q '^install ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "Not Debian: install what matches these packages:$missing" >&2
    return 1
  fi
  as_root=
  [ "$(id -u)" = 0 ] || as_root=sudo
  echo "Installing:$missing"
  $as_root apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq \
    --no-install-recommends $missing >/dev/null
}

install_optional () {
  for package in "$@"; do
    apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [0-9]' || continue
    install_packages "$package" || echo "$package: could not be installed, skipped"
  done
}
