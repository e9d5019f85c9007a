/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that may be damaged, foreign, absent or written by others meanwhile. */
#include "fovea-test.h"
#include "gst/engine/cache-private.h"
#include "gst/engine/kernel-private.h"
#include "gst/engine/program.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER 80 /* bytes */

extern const FvSpirv fv_test_spirv[];

static gint warnings; /* atomic */

static void
count_warning (const char *domain, GLogLevelFlags level, const char *message,
    gpointer user_data)
{
  g_atomic_int_inc (&warnings);
}

/* An empty folder, which is the cache from now on. */
static char *
new_folder (void)
{
  static guint number;
  g_autofree char *name = g_strdup_printf ("cache-%u", number++);
  char *folder = fv_test_path (name);

  ck_assert_int_eq (g_mkdir (folder, 0700), 0);
  g_setenv ("FOVEA_CACHE", folder, TRUE);
  g_unsetenv ("FOVEA_CACHE_SIZE");
  g_atomic_int_set (&warnings, 0);
  return folder;
}

static GBytes *
text (const char *value)
{
  return g_bytes_new (value, strlen (value));
}

static gboolean
store (const char *identity, const char *value)
{
  g_autoptr (GBytes) key = text (identity), data = text (value);

  return fv_cache_store ("test", key, data);
}

/* @value: (nullable): nothing is to be found */
static void
expect (const char *identity, const char *value)
{
  g_autoptr (GBytes) key = text (identity);
  g_autoptr (GBytes) found = fv_cache_load ("test", key);
  g_autoptr (GBytes) wanted = value ? text (value) : NULL;

  ck_assert_int_eq (found != NULL, value != NULL);
  if (value)
    ck_assert (g_bytes_equal (found, wanted));
}

/* The names in @folder that hold @part. */
static GPtrArray *
list (const char *folder, const char *part)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (strstr (name, part))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  return paths;
}

/* (transfer full) the one file there is */
static char *
only_file (const char *folder)
{
  g_autoptr (GPtrArray) paths = list (folder, "");

  ck_assert_uint_eq (paths->len, 1);
  return g_strdup (paths->pdata[0]);
}

START_TEST (test_round_trip)
{
  g_autofree char *folder = new_folder ();

  expect ("a", NULL);
  ck_assert (store ("a", "what it holds"));
  ck_assert (store ("b", ""));
  expect ("a", "what it holds");
  expect ("b", "");
  expect ("c", NULL);
  ck_assert (store ("a", "something else"));
  expect ("a", "something else");
  ck_assert_int_eq (warnings, 0);
  g_autoptr (GPtrArray) paths = list (folder, "");
  ck_assert_uint_eq (paths->len, 2);
}
END_TEST

static void
write_bytes (const char *path, const guint8 *bytes, gsize size)
{
  ck_assert (
      g_file_set_contents (path, (const char *) bytes, (gssize) size, NULL));
}

/* Loads what was made of a good file: nothing comes, it is told, and the next one
 * does not meet it again. */
static void
expect_refusal (const char *path)
{
  gint before = g_atomic_int_get (&warnings);

  expect ("a", NULL);
  ck_assert_int_eq (g_atomic_int_get (&warnings), before + 1);
  ck_assert (!g_file_test (path, G_FILE_TEST_EXISTS));
  expect ("a", NULL);
  ck_assert_int_eq (g_atomic_int_get (&warnings), before + 1);
}

START_TEST (test_damaged)
{
  g_autofree char *folder = new_folder ();
  g_autofree guint8 *good = NULL;
  gsize size;

  ck_assert (store ("a", "0123456789"));
  g_autofree char *path = only_file (folder);
  ck_assert (g_file_get_contents (path, (char **) &good, &size, NULL));
  ck_assert_uint_eq (size, HEADER + 10);
  for (gsize cut = 0; cut < size; cut++) {
    write_bytes (path, good, cut);
    expect_refusal (path);
  }
  for (gsize i = 0; i < size * 8; i++) {
    g_autofree guint8 *bad = g_memdup2 (good, size);
    bad[i / 8] ^= (guint8) (1u << i % 8);
    write_bytes (path, bad, size);
    expect_refusal (path);
  }
  static const guint64 lengths[] = { 0, 9, 11, G_MAXUINT32, G_MAXINT64,
    G_MAXUINT64, G_MAXUINT64 - HEADER };
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree guint8 *bad = g_memdup2 (good, size);
    memcpy (bad + 8, &lengths[i], sizeof lengths[i]);
    write_bytes (path, bad, size);
    expect_refusal (path);
  }
  write_bytes (path, good, size);
  expect ("a", "0123456789");
}
END_TEST

START_TEST (test_foreign)
{
  g_autofree char *folder = new_folder ();

  ck_assert (store ("a", "first"));
  g_autofree char *path = only_file (folder);
  g_autofree char *elsewhere = fv_test_path ("elsewhere");
  ck_assert_int_eq (g_rename (path, elsewhere), 0);
  ck_assert (store ("b", "second"));
  g_autofree char *other = only_file (folder);

  /* of another identity; a link, to a good file at that; a pipe without a writer */
  ck_assert_int_eq (g_rename (other, path), 0);
  expect_refusal (path);
  ck_assert_int_eq (symlink (elsewhere, path), 0);
  expect_refusal (path);
  ck_assert_int_eq (mkfifo (path, 0600), 0);
  expect_refusal (path);

  /* a folder stays, and is told of each time */
  ck_assert_int_eq (g_mkdir (path, 0700), 0);
  expect ("a", NULL);
  ck_assert (!store ("a", "third"));
  ck_assert_int_eq (g_rmdir (path), 0);
  ck_assert_int_eq (g_rename (elsewhere, path), 0);
  expect ("a", "first");
}
END_TEST

/* No folder, one that nobody can make, none wanted. */
START_TEST (test_no_folder)
{
  g_autofree char *file = fv_test_write ("no-folder", "x", 1);
  g_autofree char *below = g_build_filename (file, "cache", NULL);
  const char *folders[] = { below, "/proc/fovea", "off" };

  g_atomic_int_set (&warnings, 0);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_setenv ("FOVEA_CACHE", folders[i], TRUE);
    expect ("a", NULL);
    ck_assert (!store ("a", "b"));
    expect ("a", NULL);
  }
  ck_assert (!g_file_test ("off", G_FILE_TEST_EXISTS));
  ck_assert_int_eq (warnings, 0);
}
END_TEST

/* The file of @identity was used @age seconds ago. */
static void
set_age (const char *path, gint64 age)
{
  struct timespec times[2] = { { .tv_sec = time (NULL) - age },
    { .tv_sec = time (NULL) - age } };

  ck_assert_int_eq (utimensat (AT_FDCWD, path, times, 0), 0);
}

/* Stores 300 kB and makes the file @age seconds old. (transfer full) its path */
static char *
store_large (const char *folder, const char *identity, gint64 age)
{
  g_autofree char *value = g_strnfill (300000, identity[0]);
  g_autoptr (GPtrArray) before = list (folder, ".fvcache");
  char *path = NULL;

  ck_assert (store (identity, value));
  g_autoptr (GPtrArray) after = list (folder, ".fvcache");
  for (guint i = 0; i < after->len && !path; i++)
    if (!g_ptr_array_find_with_equal_func (before, after->pdata[i], g_str_equal,
            NULL))
      path = g_strdup (after->pdata[i]);
  ck_assert_ptr_nonnull (path);
  set_age (path, age);
  return path;
}

static void
exists (const char *path, gboolean wanted)
{
  ck_assert_msg (g_file_test (path, G_FILE_TEST_EXISTS) == wanted, "%s is %s",
      path, wanted ? "gone" : "there");
}

START_TEST (test_size)
{
  g_autofree char *folder = new_folder ();
  g_autofree char *foreign = g_build_filename (folder, "holiday.jpg", NULL);
  g_autofree char *young = g_build_filename (folder, "x.fvcache.abcdef", NULL);
  g_autofree char *old = g_build_filename (folder, "y.fvcache.abcdef", NULL);
  g_autofree char *large = g_strnfill (1 << 20, 'x');

  g_setenv ("FOVEA_CACHE_SIZE", "1", TRUE);
  write_bytes (foreign, (const guint8 *) large, 1 << 20);
  write_bytes (young, (const guint8 *) "x", 1);
  write_bytes (old, (const guint8 *) "x", 1);
  set_age (foreign, 1000000);
  set_age (old, 4000);
  g_autofree char *a = store_large (folder, "a", 3000);
  g_autofree char *b = store_large (folder, "b", 2000);
  g_autofree char *c = store_large (folder, "c", 1000);
  exists (a, TRUE);
  exists (old, FALSE);
  g_autoptr (GBytes) key = text ("a");
  g_autoptr (GBytes) used = fv_cache_load ("test", key);
  ck_assert_ptr_nonnull (used);
  g_autofree char *d = store_large (folder, "d", 0);
  exists (a, TRUE);
  exists (b, FALSE);
  exists (c, TRUE);
  exists (d, TRUE);
  exists (foreign, TRUE);
  exists (young, TRUE);

  ck_assert (!store ("e", large)); /* a header too much */
  g_setenv ("FOVEA_CACHE_SIZE", "0", TRUE);
  ck_assert (!store ("e", ""));
  ck_assert_int_eq (warnings, 0);
  g_setenv ("FOVEA_CACHE_SIZE", "much", TRUE);
  ck_assert (store ("e", ""));
  ck_assert_int_eq (warnings, 1);
}
END_TEST

#define N_WRITERS 4
#define N_ROUNDS 60

/* One letter, as often as the next says. */
static char *
letters (guint writer, guint round)
{
  return g_strnfill (1000 + 5000 * (round % 7), (char) ('a' + writer));
}

static void
write_often (guint writer)
{
  for (guint round = 0; round < N_ROUNDS; round++) {
    g_autofree char *value = letters (writer, round);
    if (!store ("shared", value))
      _exit (1);
  }
  _exit (g_atomic_int_get (&warnings) ? 2 : 0);
}

START_TEST (test_processes)
{
  g_autofree char *folder = new_folder ();
  g_autoptr (GBytes) key = text ("shared");
  guint n_running = N_WRITERS, n_found = 0;
  int status;

  for (guint i = 0; i < N_WRITERS; i++) {
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0)
      write_often (i);
  }
  while (n_running > 0) {
    g_autoptr (GBytes) found = fv_cache_load ("test", key);
    gsize size = 0;
    const char *data = found ? g_bytes_get_data (found, &size) : NULL;

    n_found += found != NULL;
    for (gsize i = 0; i < size; i++)
      ck_assert_int_eq (data[i], data[0]);
    if (waitpid (-1, &status, WNOHANG) > 0) {
      ck_assert (WIFEXITED (status) && WEXITSTATUS (status) == 0);
      n_running--;
    }
  }
  ck_assert_uint_gt (n_found, 0);
  ck_assert_int_eq (warnings, 0);
  g_free (only_file (folder)); /* nothing half written is left */
}
END_TEST

/* A driver that has something to keep. */
static FvVulkan real;
static char payload[64];
static GBytes *given; /* (nullable) what the driver got back last */
static guint n_merges;
static gboolean is_foreign;

static VKAPI_ATTR VkResult VKAPI_CALL
fake_create (VkDevice device, const VkPipelineCacheCreateInfo *info,
    const VkAllocationCallbacks *memory, VkPipelineCache *cache)
{
  VkPipelineCacheCreateInfo empty = { .sType = info->sType };

  if (info->initialDataSize) {
    g_clear_pointer (&given, g_bytes_unref);
    given = g_bytes_new (info->pInitialData, info->initialDataSize);
  }
  return real.CreatePipelineCache (device, &empty, memory, cache);
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_get (VkDevice device, VkPipelineCache cache, size_t *size, void *data)
{
  size_t head = sizeof (VkPipelineCacheHeaderVersionOne);

  *size = head + sizeof payload;
  if (!data)
    return VK_SUCCESS;
  VkResult result = real.GetPipelineCacheData (device, cache, &head, data);
  ((VkPipelineCacheHeaderVersionOne *) data)->vendorID ^= is_foreign;
  memcpy ((char *) data + sizeof (VkPipelineCacheHeaderVersionOne), payload,
      sizeof payload);
  return result == VK_INCOMPLETE ? VK_SUCCESS : result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fake_merge (VkDevice device, VkPipelineCache to, uint32_t n,
    const VkPipelineCache *from)
{
  n_merges++;
  return real.MergePipelineCaches (device, to, n, from);
}

static void
replace (FvVulkan *vk)
{
  if (!vk->CreatePipelineCache || vk->CreatePipelineCache == fake_create)
    return;
  real = *vk;
  vk->CreatePipelineCache = fake_create;
  vk->GetPipelineCacheData = fake_get;
  vk->MergePipelineCaches = fake_merge;
}

/* A whole life of a device with one pipeline, whose data are @text then. */
static void
use_device (const char *kept)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FvDevice) device = fv_device_open (NULL, &error);
  ck_assert_msg (device != NULL, "%s", error ? error->message : "");
  g_autoptr (FvBuffer) buffer =
      fv_buffer_new (device, 1024, FV_MEMORY_DEVICE, &error);
  g_autoptr (FvProgram) program = fv_program_new (device);
  FvDispatch d = { .kernel = "scale", .groups = { 1, 1, 1 } };
  struct
  {
    float b;
    gint32 first;
  } push = { 1, 0 };

  fv_dispatch_spec (&d, 0, 64);
  fv_dispatch_spec_float (&d, 1, 2);
  fv_dispatch_push (&d, &push, sizeof push);
  fv_dispatch_bind (&d, buffer, 0, 512, FV_BIND_FLOATS_READ, FV_TYPE_F32);
  fv_dispatch_bind (&d, buffer, 512, 512, FV_BIND_FLOATS_WRITE, FV_TYPE_F32);
  fv_program_dispatch (program, &d);
  ck_assert_msg (fv_program_finish (program, &error), "%s",
      error ? error->message : "");
  memset (payload, 0, sizeof payload);
  strcpy (payload, kept);
}

static void
expect_given (const char *kept)
{
  gsize size;
  const char *data = given ? g_bytes_get_data (given, &size) : NULL;

  if (!kept)
    ck_assert_ptr_null (given);
  else
    ck_assert_str_eq (data + sizeof (VkPipelineCacheHeaderVersionOne), kept);
  g_clear_pointer (&given, g_bytes_unref);
}

START_TEST (test_pipelines)
{
  g_autofree char *folder = new_folder ();

  fv_spirv_extra = fv_test_spirv;
  fv_vulkan_hook = replace;
  use_device ("first");
  expect_given (NULL);
  g_free (only_file (folder));
  use_device ("first"); /* nothing new */
  expect_given ("first");
  ck_assert_uint_eq (n_merges, 0);
  use_device ("second"); /* both are kept, by the driver's own means */
  expect_given ("first");
  ck_assert_uint_eq (n_merges, 1);
  is_foreign = TRUE;
  use_device ("third");
  expect_given ("second");
  is_foreign = FALSE;
  use_device ("fourth");
  expect_given (NULL); /* not shown to the driver */
  ck_assert_int_eq (warnings, 0);

  g_autofree char *path = only_file (folder);
  ck_assert (g_file_set_contents (path, "garbage", -1, NULL));
  use_device ("fifth");
  expect_given (NULL);
  ck_assert_int_eq (warnings, 1);
  use_device ("fifth");
  expect_given ("fifth");
  g_setenv ("FOVEA_CACHE", "off", TRUE);
  use_device ("sixth");
  expect_given (NULL);
  fv_vulkan_hook = NULL;
  ck_assert_uint_eq (fv_validation_messages (), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("cache");
  TCase *tcase = tcase_create ("cache");

  g_log_set_handler ("Fovea", G_LOG_LEVEL_WARNING, count_warning, NULL);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_round_trip);
  tcase_add_test (tcase, test_damaged);
  tcase_add_test (tcase, test_foreign);
  tcase_add_test (tcase, test_no_folder);
  tcase_add_test (tcase, test_size);
  tcase_add_test (tcase, test_processes);
  tcase_add_test (tcase, test_pipelines);
  return fv_test_run (suite);
}
