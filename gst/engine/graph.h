/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gst/engine/program.h"
#include "gst/onnx/model.h"

G_BEGIN_DECLS

/* Where kernels can be run in several ways: which one is taken. */
typedef enum
{
  FV_TUNE_DEFAULT, /* as FOVEA_TUNE says (off, on: OFF, MISSING), else KNOWN */
  FV_TUNE_OFF, /* what is guessed to be the fastest */
  FV_TUNE_KNOWN, /* what was measured once on this device, else as OFF */
  FV_TUNE_MISSING, /* what was not measured yet is, and kept for programs to come:
                      seconds to minutes, once */
  FV_TUNE_ANEW, /* everything is measured */
} FvTune;

/**
 * FvGraphOptions:
 *
 * Zero in any field selects the default.
 */
typedef struct
{
  FvType precision; /* FV_TYPE_F32 or FV_TYPE_F16; NONE: f32 on CPU-type
                            devices, else f16                               */
  const FvShape *shapes; /* one per model input, -1: the model decides;
                            NULL: the model decides all                     */
  guint n_shapes;
  guint slots; /* frame slots with inputs and outputs of their own: 2 */
  gsize memory_limit; /* bytes of device memory; 0: 4 GiB                */
  float input_low; /* what inputs will range over, to find where f16 would
                            overflow; -2.7 to 2.7 are always tried          */
  float input_high;
  gboolean take_weights; /* the model's initializers are dropped once they are
                            packed: no other graph can be made of it then, and
                            nobody else may use it meanwhile             */
  FvTune tune;
  guint way, tile; /* for comparisons: where there are so many candidates, that
                      one (from 1) of ways to do a node, of tiles             */
  gboolean timing; /* record timestamps around every dispatch         */
  gboolean poison; /* tests: fill the arena with NaN before every run,
                            and put guard zones between allocations         */
} FvGraphOptions;

/* An input or output on the device: element (i0, i1, ...) of the ONNX shape lies
 * at offset + sum (i * strides) elements from the start of the buffer region. */
typedef struct
{
  const char *name; /* owned by the graph */
  FvType model_type; /* as the model declares it */
  FvType type; /* as stored: FV_TYPE_F32 or FV_TYPE_F16 */
  FvShape shape;
  gint64 strides[FV_MAX_RANK];
  gint64 offset; /* elements */
  FvBuffer *buffer; /* (transfer none) */
  gsize buffer_offset, buffer_size; /* bytes: what to bind */
} FvPort;

/**
 * FvGraph:
 *
 * A model compiled for one device and one set of input shapes.
 *
 * Life:     fv_graph_new(), then per frame either fv_graph_run() (host arrays,
 *           waits) or, for frames that stay on the device: write the input port
 *           of a slot by a program of your own, submit it together with
 *           fv_graph_program() of that slot, read the output ports behind it.
 * Shapes:   fixed; as ONNX has them.
 * Memory:   everything is allocated in fv_graph_new(); running allocates nothing.
 *           Activations are shared by the slots (one queue, in order).
 * Threads:  one user at a time per slot; ref and unref anywhere.
 * Errors:   FV_ERROR; messages name the file, the node and its operator.
 */
typedef struct _FvGraph FvGraph;
#define FV_TYPE_GRAPH (fv_graph_get_type ())
FV_API GType fv_graph_get_type (void);

/* @device: (nullable): NULL runs the plain C references (fv_graph_run() alone
 * works then; with precision F16 they round all that is stored). Takes 0.05 to several seconds; the warm-up run is included. */
FV_API FvGraph *fv_graph_new (FvDevice *device, FvModel *model,
    const FvGraphOptions *options, GError **error);
FV_API FvGraph *fv_graph_ref (FvGraph *graph);
FV_API void fv_graph_unref (FvGraph *graph); /* %NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FvGraph, fv_graph_unref)

FV_API guint fv_graph_n_inputs (FvGraph *graph);
FV_API guint fv_graph_n_outputs (FvGraph *graph);
FV_API const FvPort *fv_graph_input (FvGraph *graph, guint slot, guint i);
FV_API const FvPort *fv_graph_output (FvGraph *graph, guint slot, guint i);
FV_API guint fv_graph_n_slots (FvGraph *graph);
FV_API FvProgram *fv_graph_program (FvGraph *graph, guint slot);
/* Behind a run of slot 0's program, if timing is on, while nothing runs: where that
 * took long, the programs are divided as fv_program_submit_background() needs it. */
FV_API gboolean fv_graph_divide (FvGraph *graph, GError **error);
FV_API FvType fv_graph_precision (FvGraph *graph);

/* Host arrays in (converted to the model's types) and out (new arrays of the
 * model's types, row-major). Waits. Uses slot 0. Nodes whose shapes depend on
 * data (NonZero, NonMaxSuppression) or that have no kernel, and what stands behind
 * them, run on the host here: ports of such outputs have no buffer, and sizes of -1
 * where the model does not give them. */
FV_API gboolean fv_graph_run (FvGraph *graph, FvArray *const *inputs,
    FvArray **outputs, GError **error);

/* The tail apart, for who runs the device by fv_graph_program(): copy what lies at
 * the ports of its inputs (where they have a buffer; others are constant) to the
 * host behind that program, then run it. @regions: by tail input, the bytes that
 * the port's range of its buffer held, or NULL. @outputs: the model's, as those
 * of fv_graph_run(). Any thread, while slots run. 0 inputs: there is no tail. */
FV_API guint fv_graph_n_tail_inputs (FvGraph *graph);
FV_API const FvPort *fv_graph_tail_input (FvGraph *graph, guint slot, guint i);
FV_API gboolean fv_graph_run_tail (FvGraph *graph, const gpointer *regions,
    FvArray **outputs, GError **error);

/* What the outputs of @model will have as shapes, as fv_graph_new() finds them but
 * without a plan; of outputs that the host makes: those that the model declares,
 * -1 where data decides. @outputs: (out): one per output of the model. */
FV_API gboolean fv_graph_infer (FvModel *model, const FvShape *shapes,
    guint n_shapes, FvShape *outputs, GError **error);

/* What fv_graph_new() does, one after the other. */
typedef enum
{
  FV_LOAD_BUILD, /* shapes, constants */
  FV_LOAD_REWRITE,
  FV_LOAD_PRECISION, /* where f16 would overflow: a run in f32 */
  FV_LOAD_TUNE, /* measurements of what was not known */
  FV_LOAD_PLAN, /* dispatches, memory, packed weights */
  FV_LOAD_UPLOAD,
  FV_LOAD_RECORD, /* pipelines, descriptors, command buffers */
  FV_LOAD_FIRST_RUN,
  FV_N_LOAD_PARTS
} FvLoadPart;
/* "build"; "first run" */
FV_API const char *fv_load_part_name (FvLoadPart part);

/* Seconds that passed, and those of the process on all its CPUs. */
typedef struct
{
  double wall, cpu;
} FvSeconds;

/* What a plan costs. Bytes and multiply-accumulates per run. */
typedef struct
{
  guint n_nodes, n_dispatches, n_barriers, n_pipelines;
  guint64 macs;
  gsize arena_bytes, weight_bytes, io_bytes;
  gsize arena_bound; /* most bytes live at once: no plan can need fewer */
  FvSeconds load[FV_N_LOAD_PARTS]; /* by part; a graph without device: zeros */
  guint n_tail_nodes; /* that fv_graph_run() alone runs, on the host */
  const char *tail_reason; /* (nullable) the first of them and why it is not run
                              on the device; owned by the graph */
  double tail_seconds; /* of those nodes in the last run */
} FvGraphStats;
FV_API void fv_graph_stats (FvGraph *graph, FvGraphStats *stats);
/* Every dispatch as text: nodes, kernel, tile, grid, bytes, FLOPs.
 * (transfer full) */
FV_API char *fv_graph_dump (FvGraph *graph);

G_END_DECLS
