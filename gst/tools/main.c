/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fovea: looks at devices, models and results without GStreamer. */
#include "gst/tools/tool.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct
{
  const char *name;
  int (*run) (Tool *tool, int argc, char **argv);
  const char *summary;
} commands[] = {
  { "devices", tool_devices,
      "list the Vulkan devices and what is used of them" },
  { "info", tool_info, "show a model: inputs, outputs, card, operators, plan" },
  { "check", tool_check, "compare a model with the results it should give" },
  { "run", tool_run, "run a model once on tensors or images" },
  { "bench", tool_bench, "measure a model: times, bytes, memory" },
  { "tune", tool_tune, "find the fastest kernels for models on a device" },
};

static void
print_help (FILE *to)
{
  fprintf (to, "Usage:\n  fovea COMMAND [OPTION...]\n\nCommands:\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (to, "  %-9s%s\n", commands[i].name, commands[i].summary);
  fprintf (to,
      "\n'fovea COMMAND --help' shows the options of a command. All take\n"
      "--device (an index, a part of a name, a UUID, or 'reference' for the\n"
      "plain C references) and --json.\n\n"
      "Exit status: 0 done, 1 a check or run failed, 2 wrong usage.\n");
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  fv_device_prepare ();
  const char *name = argc > 1 ? argv[1] : "";
  if (strcmp (name, "--help") == 0 || strcmp (name, "-h") == 0
      || strcmp (name, "help") == 0) {
    print_help (stdout);
    return TOOL_OK;
  }
  if (strcmp (name, "--version") == 0) {
    printf ("fovea " FV_VERSION "\n");
    return TOOL_OK;
  }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    if (strcmp (name, commands[i].name) != 0)
      continue;
    Tool tool = { .name = commands[i].name };
    int code = commands[i].run (&tool, argc - 1, argv + 1);
    tool_clear (&tool);
    return code;
  }
  if (argc > 1)
    fprintf (stderr, "fovea: '%s' is not a command\n\n", name);
  print_help (stderr);
  return TOOL_USAGE;
}
