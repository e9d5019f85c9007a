/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/engine/cache-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "fovea c1" /* the 1 changes with Header */
#define SUFFIX ".fvcache"
#define DIGEST 32 /* SHA-256 */
/* Files that a process left half written are older than any that is at it. */
#define ABANDONED_SECONDS 3600

/* As on disk, in the machine's byte order: nothing in a cache is for others. */
typedef struct
{
  char magic[8];
  guint64 size; /* of what follows the header, bytes */
  guint8 identity[DIGEST];
  guint8 data[DIGEST]; /* of what follows */
} Header;

G_STATIC_ASSERT (sizeof (Header) == 80);

static void
digest (gconstpointer data, gsize size, guint8 result[DIGEST])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  const guint8 *bytes = data;
  gsize length = DIGEST;

  /* the length that g_checksum_update() takes is signed */
  for (gsize at = 0; at < size; at += G_MAXINT32)
    g_checksum_update (checksum, bytes + at,
        (gssize) MIN (size - at, G_MAXINT32));
  g_checksum_get_digest (checksum, result, &length);
}

/* (transfer full) (nullable) */
static char *
cache_folder (void)
{
  const char *chosen = g_getenv ("FOVEA_CACHE");

  if (chosen && g_str_equal (chosen, "off"))
    return NULL;
  if (chosen && *chosen)
    return g_strdup (chosen);
  return g_build_filename (g_get_user_cache_dir (), "fovea", NULL);
}

static guint64
most_bytes (void)
{
  const char *text = g_getenv ("FOVEA_CACHE_SIZE");
  guint64 mib = FV_CACHE_MIB;

  if (text && *text
      && !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64 >> 20, &mib,
          NULL)) {
    g_warning ("FOVEA_CACHE_SIZE is \"%s\"; expected a number of MiB", text);
    mib = FV_CACHE_MIB;
  }
  return mib << 20;
}

/* pipelines-0123456789abcdef.fvcache */
static char *
file_path (const char *folder, const char *kind, const guint8 *identity)
{
  GString *name = g_string_new (kind);

  g_string_append_c (name, '-');
  for (guint i = 0; i < 8; i++)
    g_string_append_printf (name, "%02x", identity[i]);
  g_string_append (name, SUFFIX);
  g_autofree char *owned = g_string_free (name, FALSE);
  return g_build_filename (folder, owned, NULL);
}

static gboolean
read_all (int file, gpointer data, gsize size)
{
  guint8 *to = data;

  while (size > 0) {
    gssize n = read (file, to, size);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    to += n;
    size -= (gsize) n;
  }
  return TRUE;
}

static gboolean
write_all (int file, gconstpointer data, gsize size)
{
  const guint8 *from = data;

  while (size > 0) {
    gssize n = write (file, from, size);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    from += n;
    size -= (gsize) n;
  }
  return TRUE;
}

/* Sizes are believed only where they are those of the file. @problem: (out): what
 * is wrong with it, where that is not that it cannot be read */
static GBytes *
read_file (int file, const guint8 *identity, const char **problem)
{
  guint8 found[DIGEST];
  struct stat status;
  Header header;

  if (fstat (file, &status) != 0)
    return NULL;
  if (!S_ISREG (status.st_mode))
    *problem = "is no file";
  else if (status.st_uid != geteuid ())
    *problem = "belongs to another user";
  else if (status.st_size < (off_t) sizeof header)
    *problem = "is too short";
  else if (!read_all (file, &header, sizeof header))
    return NULL;
  else if (memcmp (header.magic, MAGIC, sizeof header.magic) != 0)
    *problem = "is of another kind";
  else if (header.size != (guint64) status.st_size - sizeof header)
    *problem = "has another size than it says";
  else if (memcmp (header.identity, identity, DIGEST) != 0)
    *problem = "was made for another driver or version";
  if (*problem)
    return NULL;
  g_autofree guint8 *data = g_try_malloc (MAX (header.size, 1));
  if (!data || !read_all (file, data, header.size))
    return NULL;
  digest (data, header.size, found);
  if (memcmp (header.data, found, DIGEST) != 0) {
    *problem = "is damaged";
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&data), header.size);
}

GBytes *
fv_cache_load (const char *kind, GBytes *identity)
{
  g_autofree char *folder = cache_folder ();
  guint8 wanted[DIGEST];
  const char *problem = NULL;

  if (!folder)
    return NULL;
  digest (g_bytes_get_data (identity, NULL), g_bytes_get_size (identity),
      wanted);
  g_autofree char *path = file_path (folder, kind, wanted);
  /* not waiting for who writes into a pipe of that name */
  int file = g_open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
  if (file < 0 && errno != ELOOP)
    return NULL;
  GBytes *data = NULL;
  if (file < 0)
    problem = "is a link";
  else
    data = read_file (file, wanted, &problem);
  if (problem) {
    g_warning ("%s %s: not used", path, problem);
    (void) g_unlink (path);
  } else if (data)
    /* when it was used last, for who takes away the oldest */
    (void) futimens (file, NULL);
  if (file >= 0)
    (void) close (file);
  return data;
}

typedef struct
{
  char *path;
  guint64 size;
  gint64 used; /* nanoseconds */
} Entry;

static void
entry_clear (gpointer data)
{
  g_free (((Entry *) data)->path);
}

static gint
by_use (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const Entry *) a)->used, y = ((const Entry *) b)->used;

  return (x > y) - (x < y);
}

/* The files of the cache; what was left half written goes. Others in the folder are
 * not ours. */
static GArray *
list_entries (const char *folder)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  g_array_set_clear_func (entries, entry_clear);
  while (dir && (name = g_dir_read_name (dir)) != NULL) {
    const char *suffix = strstr (name, SUFFIX);
    struct stat status;

    if (!suffix)
      continue;
    g_autofree char *path = g_build_filename (folder, name, NULL);
    if (lstat (path, &status) != 0 || !S_ISREG (status.st_mode))
      continue;
    gint64 used =
        (gint64) status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000)
        + status.st_mtim.tv_nsec;
    if (suffix[strlen (SUFFIX)] == '\0') {
      Entry entry = { g_steal_pointer (&path), (guint64) status.st_size, used };
      g_array_append_val (entries, entry);
    } else if (g_str_has_prefix (suffix, SUFFIX ".")
        && status.st_mtim.tv_sec + ABANDONED_SECONDS < time (NULL))
      (void) g_unlink (path);
  }
  return entries;
}

/* Takes away what was not used for longest until @most bytes are left. */
static void
trim (const char *folder, guint64 most, const char *keep)
{
  g_autoptr (GArray) entries = list_entries (folder);
  guint64 total = 0;

  for (guint i = 0; i < entries->len; i++)
    total += g_array_index (entries, Entry, i).size;
  g_array_sort (entries, by_use);
  for (guint i = 0; i < entries->len && total > most; i++) {
    const Entry *entry = &g_array_index (entries, Entry, i);

    if (g_str_equal (entry->path, keep))
      continue;
    (void) g_unlink (entry->path);
    total -= entry->size;
  }
}

/* A name of its own first, so that nobody reads half a file. */
static gboolean
write_file (const char *path, const Header *header, GBytes *data)
{
  g_autofree char *part = g_strconcat (path, ".XXXXXX", NULL);
  int file = g_mkstemp_full (part, O_RDWR | O_CLOEXEC, 0600);

  if (file < 0)
    return FALSE;
  gboolean is_written = write_all (file, header, sizeof *header)
      && write_all (file, g_bytes_get_data (data, NULL),
          g_bytes_get_size (data));
  if (close (file) == 0 && is_written && g_rename (part, path) == 0)
    return TRUE;
  (void) g_unlink (part);
  return FALSE;
}

gboolean
fv_cache_store (const char *kind, GBytes *identity, GBytes *data)
{
  g_autofree char *folder = cache_folder ();
  guint64 most = most_bytes ();
  gsize size = g_bytes_get_size (data);
  Header header = { .magic = MAGIC, .size = size };

  if (!folder || size > most || most - size < sizeof header
      || g_mkdir_with_parents (folder, 0700) != 0)
    return FALSE;
  digest (g_bytes_get_data (identity, NULL), g_bytes_get_size (identity),
      header.identity);
  digest (g_bytes_get_data (data, NULL), size, header.data);
  g_autofree char *path = file_path (folder, kind, header.identity);
  if (!write_file (path, &header, data)) {
    g_info ("%s cannot be written: %s", path, g_strerror (errno));
    return FALSE;
  }
  trim (folder, most, path);
  return TRUE;
}
