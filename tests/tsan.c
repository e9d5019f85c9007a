/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells ThreadSanitizer what GLib and GStreamer do with futexes and atomics of their
 * own, which it does not see: their libraries are not built with it. Linked into
 * each test, whose symbols come first: each function does what the real one does,
 * with an acquire where another thread's work becomes visible, and a release where
 * one's own does. https://github.com/google/sanitizers/wiki/ThreadSanitizerCppManual
 * and sanitizer/tsan_interface.h. */
#define G_DISABLE_DEPRECATION_WARNINGS
#include <dlfcn.h>
#include <glib-object.h>
#include <gst/gst.h>

#pragma GCC visibility push(default)

void __tsan_acquire (void *address);
void __tsan_release (void *address);

/* The function of that name in the library that it is of. */
#define NEXT(name) \
  ({ \
    static gpointer found; \
    gpointer next = __atomic_load_n (&found, __ATOMIC_ACQUIRE); \
    if (next == NULL) { \
      next = dlsym (RTLD_NEXT, #name); \
      __atomic_store_n (&found, next, __ATOMIC_RELEASE); \
    } \
    (__typeof__ (name) *) next; \
  })

#define LOCKS(name, Type) \
  void (name) (Type * lock); \
  void (name) (Type * lock) \
  { \
    NEXT (name) (lock); \
    __tsan_acquire (lock); \
  }
#define TRIES(name, Type) \
  gboolean (name) (Type * lock); \
  gboolean (name) (Type * lock) \
  { \
    gboolean result = NEXT (name) (lock); \
    if (result) \
      __tsan_acquire (lock); \
    return result; \
  }
#define UNLOCKS(name, Type) \
  void (name) (Type * lock); \
  void (name) (Type * lock) \
  { \
    __tsan_release (lock); \
    NEXT (name) (lock); \
  }

LOCKS (g_mutex_lock, GMutex)
TRIES (g_mutex_trylock, GMutex)
UNLOCKS (g_mutex_unlock, GMutex)
LOCKS (g_rec_mutex_lock, GRecMutex)
TRIES (g_rec_mutex_trylock, GRecMutex)
UNLOCKS (g_rec_mutex_unlock, GRecMutex)
/* Readers are ordered among themselves too: what that hides no reader does. */
LOCKS (g_rw_lock_writer_lock, GRWLock)
TRIES (g_rw_lock_writer_trylock, GRWLock)
UNLOCKS (g_rw_lock_writer_unlock, GRWLock)
LOCKS (g_rw_lock_reader_lock, GRWLock)
TRIES (g_rw_lock_reader_trylock, GRWLock)
UNLOCKS (g_rw_lock_reader_unlock, GRWLock)
UNLOCKS (g_cond_signal, GCond)
UNLOCKS (g_cond_broadcast, GCond)

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  NEXT (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
  __tsan_acquire (cond);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end)
{
  gboolean result;

  __tsan_release (mutex);
  result = NEXT (g_cond_wait_until) (cond, mutex, end);
  __tsan_acquire (mutex);
  __tsan_acquire (cond);
  return result;
}

/* Queues, with a lock inside. */
LOCKS (g_async_queue_lock, GAsyncQueue)
UNLOCKS (g_async_queue_unlock, GAsyncQueue)

#define PUSHES(name, Type) \
  void (name) (Type * queue, gpointer data); \
  void (name) (Type * queue, gpointer data) \
  { \
    __tsan_release (queue); \
    NEXT (name) (queue, data); \
  }
#define POPS(name, Type) \
  gpointer (name) (Type * queue); \
  gpointer (name) (Type * queue) \
  { \
    gpointer result = NEXT (name) (queue); \
    __tsan_acquire (queue); \
    return result; \
  }

PUSHES (g_async_queue_push, GAsyncQueue)
PUSHES (g_async_queue_push_front, GAsyncQueue)
PUSHES (g_async_queue_push_unlocked, GAsyncQueue)
PUSHES (g_async_queue_push_front_unlocked, GAsyncQueue)
POPS (g_async_queue_pop, GAsyncQueue)
POPS (g_async_queue_try_pop, GAsyncQueue)
POPS (g_async_queue_pop_unlocked, GAsyncQueue)
POPS (g_async_queue_try_pop_unlocked, GAsyncQueue)
PUSHES (gst_atomic_queue_push, GstAtomicQueue)
POPS (gst_atomic_queue_pop, GstAtomicQueue)

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer result = NEXT (g_async_queue_timeout_pop) (queue, timeout);

  __tsan_acquire (queue);
  return result;
}

/* Pools: what is pushed carries over what was done before, and whoever waits for the
 * pool sees what its threads did. */
typedef struct
{
  GFunc function;
  gpointer data;
} PoolWork;

static void
work (gpointer item, gpointer data)
{
  PoolWork *pool = data;

  __tsan_acquire (item);
  pool->function (item, pool->data);
  __tsan_release (pool);
}

GThreadPool *
g_thread_pool_new (GFunc function, gpointer data, gint n, gboolean exclusive,
    GError **error)
{
  PoolWork *pool = g_new (PoolWork, 1);

  pool->function = function;
  pool->data = data;
  __tsan_release (pool);
  return NEXT (g_thread_pool_new) (work, pool, n, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error)
{
  __tsan_release (item);
  return NEXT (g_thread_pool_push) (pool, item, error);
}

/* The pool's last thread frees it, which GLib alone knows to come later. */
__attribute__ ((no_sanitize_thread)) void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  /* threads that nobody waits for may still need it */
  PoolWork *ours = wait ? pool->user_data : NULL;

  NEXT (g_thread_pool_free) (pool, immediate, wait);
  if (ours) {
    __tsan_acquire (ours);
    g_free (ours);
  }
}

/* Once: the macros of the headers read the location by an atomic that is seen. */
typedef struct
{
  GOnce *once;
  GThreadFunc function;
  gpointer data;
} OnceWork;

static gpointer
work_once (gpointer data)
{
  OnceWork *once = data;
  gpointer result = once->function (once->data);

  __tsan_release ((void *) &once->once->status);
  return result;
}

gpointer
g_once_impl (GOnce *once, GThreadFunc function, gpointer data)
{
  OnceWork ours = { once, function, data };
  gpointer result = NEXT (g_once_impl) (once, work_once, &ours);

  __tsan_acquire ((void *) &once->status);
  return result;
}

gboolean (g_once_init_enter) (volatile void *location)
{
  gboolean result = NEXT (g_once_init_enter) (location);

  __tsan_acquire ((void *) location);
  return result;
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  NEXT (g_once_init_leave) (location, result);
}

/* Counts of references: the last one to go sees what all others did. */
gpointer (g_object_ref) (gpointer object)
{
  __tsan_release (object);
  return NEXT (g_object_ref) (object);
}

void
g_object_unref (gpointer object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  NEXT (g_object_unref) (object);
}

void
gst_mini_object_unref (GstMiniObject *object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  NEXT (gst_mini_object_unref) (object);
}

gboolean
gst_mini_object_is_writable (const GstMiniObject *object)
{
  gboolean result = NEXT (gst_mini_object_is_writable) (object);

  if (result)
    __tsan_acquire ((void *) object);
  return result;
}

/* The real one gives up what it copied by a call within the library. */
GstMiniObject *
gst_mini_object_make_writable (GstMiniObject *object)
{
  GstMiniObject *copy;

  if (gst_mini_object_is_writable (object))
    return object;
  copy = gst_mini_object_copy (object);
  gst_mini_object_unref (object);
  return copy;
}

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  gboolean result;

  __tsan_release (count);
  result = NEXT (g_atomic_ref_count_dec) (count);
  if (result)
    __tsan_acquire (count);
  return result;
}
