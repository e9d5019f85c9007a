#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# test-install.sh BUILD-FOLDER: installs into a scratch folder, inspects the plugin
# there, and builds and runs a small program against each library by pkg-config.
set -eu
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
DESTDIR=$scratch meson install -C "$build" --no-rebuild --quiet

libfolder=$(dirname "$(find "$scratch" -name 'libfovea-1.0.so')")
prefix=$(sed -n 's/^prefix=//p' "$libfolder/pkgconfig/fovea-1.0.pc")
# The files were not meant to lie here: tell pkg-config that they do.
sed -i "s|^prefix=.*|prefix=$scratch$prefix|" "$libfolder"/pkgconfig/*.pc
export PKG_CONFIG_PATH="$libfolder/pkgconfig" LD_LIBRARY_PATH="$libfolder"
export GST_PLUGIN_PATH="$libfolder/gstreamer-1.0" GST_REGISTRY="$scratch/registry"

for element in foveainfer foveaclassify foveadetect foveasegment foveadepth \
    foveaoverlay foveaextract foveajson; do
  gst-inspect-1.0 "$element" >"$scratch/$element.txt"
  grep -q 'Long-name' "$scratch/$element.txt"
done
gst-inspect-1.0 fovea | grep -q 'LGPL'

cat >"$scratch/engine.c" <<'END'
#include <gst/engine/graph.h>

/* Runs the model named on the command line once, on zeros, without a device. */
int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvModel) model = fv_model_load (argv[1], &error);
  g_autoptr (FvGraph) graph =
      model ? fv_graph_new (NULL, model, NULL, &error) : NULL;

  if (!graph) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  g_print ("%u inputs, %u outputs\n", fv_graph_n_inputs (graph),
      fv_graph_n_outputs (graph));
  return fv_graph_n_inputs (graph) == 1 ? 0 : 1;
}
END
cat >"$scratch/video.c" <<'END'
#include <gst/video/gstfoveameta.h>

/* The metas register with GStreamer. */
int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_print ("%s\n", g_type_name (gst_fovea_segmentation_meta_api_get_type ()));
  return gst_fovea_segmentation_meta_get_info () ? 0 : 1;
}
END
for pair in engine:fovea-1.0 video:gstfovea-1.0; do
  program=${pair%%:*} package=${pair##*:}
  # shellcheck disable=SC2046
  ${CC:-cc} -o "$scratch/$program" "$scratch/$program.c" \
    $(pkg-config --cflags --libs "$package")
done
/usr/bin/python3 "$(dirname "$0")/../models/make-colours.py" "$scratch"
"$scratch/engine" "$scratch/colours.onnx"
"$scratch/video"
find "$scratch" -name 'fovea' -type f -perm -u+x | head -n 1 | {
  read -r command
  "$command" info "$scratch/colours.onnx" >/dev/null
  # models beside the library are found by name, wherever both lie
  unset FOVEA_MODEL_PATH
  models=$(pkg-config --variable=modelsdir fovea-1.0)
  mkdir -p "$models"
  cp "$scratch/colours.onnx" "$models"
  for model in colours $(cd "$(dirname "$0")/../models" && ls ./*.onnx 2>/dev/null); do
    model=$(basename "$model" .onnx)
    "$command" info "$model" >/dev/null
    gst-launch-1.0 -q videotestsrc num-buffers=1 ! video/x-raw,width=64,height=48 \
      ! foveainfer model="$model" ! fakesink
  done
}
echo "installed, inspected, built against: all well"
