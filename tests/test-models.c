/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole models: that a frame allocates and records nothing, and that neither the
 * arena's sharing of memory nor what was in it before changes a bit of the result.
 * How many dispatches each becomes, tests/models.py compares. */
#include "gst/engine/graph.h"
#include "tests/fovea-test.h"

#include <check.h>
#include <string.h>

static const char *const models[] = {
  "material/models/squeezenet1_1",
  "material/models/yolox_nano",
  "material/models/yolov8n_320_deq",
  "material/models/mp_selfie_segmentation_landscape",
  "material/models/sinet_portrait_224",
  "material/models/mobile_pydnet_kitti_192x640",
  "zoo/resnet50_tv_op17_136x200",
  "zoo/mobilenetv3_large_tv_op17_160",
  "zoo/efficientnet_b0_tv_op17_128",
  "zoo/deit_distilled_timm_op17_96",
  "zoo/pvt_v2_b0_timm_op17_128x160",
  "zoo/segformer_b0_hf_op17_128x160",
  "zoo/glpn_hf_op17_128x160",
};

static FvGraph *
load (FvDevice *device, FvModel *model, FvArray *input, gboolean poison)
{
  FvGraphOptions options = { .precision = FV_TYPE_F32,
    .shapes = &input->shape,
    .n_shapes = 1,
    .poison = poison };
  g_autoptr (GError) error = NULL;
  FvGraph *graph = fv_graph_new (device, model, &options, &error);

  ck_assert_msg (graph != NULL, "%s", error ? error->message : "");
  return graph;
}

static FvArray *
run (FvGraph *graph, FvArray *input)
{
  FvArray *outputs[8] = { NULL };
  g_autoptr (GError) error = NULL;
  gboolean ok = fv_graph_run (graph, &input, outputs, &error);

  ck_assert_msg (ok, "%s", error ? error->message : "");
  for (guint i = 1; i < fv_graph_n_outputs (graph); i++)
    fv_array_unref (outputs[i]);
  return outputs[0];
}

static void
check_steady (FvDevice *device, FvGraph *graph, FvArray *input)
{
  FvDeviceCounters before, after;

  fv_array_unref (run (graph, input));
  fv_device_counters (device, &before);
  for (guint i = 0; i < 3; i++)
    fv_array_unref (run (graph, input));
  fv_device_counters (device, &after);
  ck_assert_uint_eq (before.allocations, after.allocations);
  ck_assert_uint_eq (before.recorded_command_buffers,
      after.recorded_command_buffers);
}

START_TEST (test_model)
{
  g_autofree char *folder = fv_test_shared (models[_i]);
  g_autofree char *file = NULL, *input_file = NULL;
  g_autoptr (FvDevice) device = NULL;
  g_autoptr (FvModel) model = NULL;
  g_autoptr (FvArray) input = NULL, first = NULL, second = NULL, alone = NULL;
  g_autoptr (FvGraph) graph = NULL, poisoned = NULL;
  FvGraphStats stats;

  ck_assert (folder != NULL);
  file = g_build_filename (folder, "model.onnx", NULL);
  input_file = g_build_filename (folder, "test_data_set_0/input_0.pb", NULL);
  device = fv_device_open (NULL, NULL);
  model = fv_model_load (file, NULL);
  input = fv_array_load_pb (input_file, NULL, NULL);
  ck_assert (device && model && input);
  graph = load (device, model, input, FALSE);
  fv_graph_stats (graph, &stats);
  ck_assert_uint_le (stats.arena_bytes, stats.arena_bound * 13 / 10);
  first = run (graph, input);
  second = run (graph, input);
  ck_assert (!memcmp (first->data, second->data, first->size));
  check_steady (device, graph, input);
  poisoned = load (device, model, input, TRUE);
  alone = run (poisoned, input);
  ck_assert (!memcmp (first->data, alone->data, first->size));
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("models");
  TCase *tcase = tcase_create ("whole");
  SRunner *runner;
  g_autofree char *shared = fv_test_shared ("zoo");
  int failed;

  if (!shared)
    return 77;
  tcase_set_timeout (tcase, 0);
  tcase_add_loop_test (tcase, test_model, 0, G_N_ELEMENTS (models));
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_set_fork_status (runner, CK_NOFORK);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? 1 : 0;
}
