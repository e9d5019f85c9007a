/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each pass on a small graph: the numbers stay, the nodes are those expected. */
#include "tests/deform-graphs.h"
#include "tests/ir-text.h"

#include <check.h>
#include <math.h>

typedef struct
{
  const char *graph;
  const char *nodes; /* what is left: operators, "+n" for steps */
} Rewrite;

#define GELU_HEAD \
  "x f32[2,5,8]; s =f32(1.41421356); h =f32(0.5); o =f32(1); " \
  "d Div x s; e Erf d; a Add e o; "
#define GELU_TANH_HEAD \
  "x f32[2,5,8]; three =f32(3); k =f32(0.044715); r =f32(0.7978845608); " \
  "h =f32(0.5); o =f32(1); "
#define NORM_HEAD \
  "x f32[2,5,12]; two =f32(2); eps =f32(0.00001); " \
  "g =f32[12]; b =f32[12]; m ReduceMean x axes=[-1]; d Sub x m; "
#define ATTENTION_HEAD \
  "q f32[1,2,7,8]; k f32[1,2,9,8]; v f32[1,2,9,4]; " \
  "t Transpose k perm=[0,1,3,2]; c =f32(0.35); "

/* @from divided by the lengths of its rows, a scale per head, values weighed */
#define COSINES(from, to) \
  "l" to " ReduceL2@13 " from " axes=[-1]; c" to " Clip l" to " e; " to \
  " Div " from " c" to "; "
#define ATTEND(k) \
  "t Transpose " k " perm=[0,1,3,2]; s MatMul q t; w Mul s g; " \
  "p Softmax w axis=-1; "

/* two heads of 6 channels of x, 7 of values, by products of their own; y: attention,
 * its heads beside each other again; z: a product of that */
#define HEAD(from, to, w, n) \
  "w" to " =f32[12," w "]; s" to " =i64{2,9,2," n "}; l" to " MatMul " from \
  " w" to "; r" to " Reshape l" to " s" to "; " to " Transpose r" to \
  " perm=[0,2,1,3]; "
#define HEADS(x) \
  HEAD (x, "q", "12", "6") HEAD (x, "k", "12", "6") HEAD (x, "v", "14", "7")
#define HEADS_MADE \
  "fovea.Linear Split Reshape Transpose Reshape Transpose Reshape Transpose " \
  "fovea.Attention "
#define ATTEND_HEADS \
  "t Transpose k perm=[0,1,3,2]; g =f32(0.4); c MatMul q t; f Mul c g; " \
  "p Softmax f axis=-1; a MatMul p v; m Transpose a perm=[0,2,1,3]; " \
  "n =i64{2,9,14}; y Reshape m n"

/* m, of 5 places and 9 distances: of each row the 5 that belong to its place */
#define SKEW_BY_PAD \
  "s0 =i64{6,5,9}; m0 Reshape m s0; p =i64{0,0,0,0,0,1}; a Pad m0 p; " \
  "f =i64{6,50}; b Reshape a f; pb =i64{0,0,0,4}; c Pad b pb; " \
  "g =i64{6,6,9}; h Reshape c g; i =i64{0}; j =i64{5}; k =i64{1}; " \
  "r Slice h i j k; n =i64{4}; o =i64{99}; u =i64{2}; d Slice r n o u; " \
  "v =i64{2,3,5,5}; l Reshape d v; "

/* what deformable attention has around it, and in place of it where it stays */
#define DEFORM(before, between) \
  "Split Reshape Transpose Reshape Transpose Gather Transpose Gather Transpose " \
  "Reshape " before "Transpose " between \
  "Reshape Reshape Reshape fovea.DeformableAttention Transpose Reshape Transpose"
#define NOT_DEFORM(last) \
  "Split Reshape Transpose Reshape Reshape Transpose Reshape Gather Transpose " \
  "Reshape Gather Transpose Reshape GridSample GridSample Softmax Reshape " \
  "Transpose Reshape Unsqueeze Unsqueeze Concat Reshape Mul ReduceSum" last

/* A map of 4 x 6 as windows of 2 x 2, and back. */
#define WINDOWS(from, to) \
  "w1 =i64{1,2,2,3,2,8}; w2 =i64{-1,4,8}; a Reshape " from " w1; " \
  "b Transpose a perm=[0,1,3,2,4,5]; " to " Reshape b w2; "
#define UNWINDOW(from, to) \
  "u1 =i64{1,2,3,2,2,8}; u2 =i64{1,4,6,8}; d Reshape " from " u1; " \
  "e Transpose d perm=[0,1,3,2,4,5]; " to " Reshape e u2; "
#define ROLL(from, to) \
  "z =i64{0}; o =i64{1}; h =i64{99}; r Slice " from " o h o; " \
  "q Slice " from " z o o; " to " Concat r q axis=1; "

/* A ShuffleNet's two blocks; their 2 n channels dealt out in turn, or the halves of
 * what was; and a unit, which makes a block of one part and passes the other on. */
#define BLOCKS(n) \
  "x f32[1,3,5,4]; w =f32[" n ",3,1,1]; v =f32[" n ",3,3,3]; b =f32[" n "]; " \
  "a Conv x w; c Conv x v b pads=[1,1,1,1]; r Relu c; s Concat a r axis=1; "
#define DEAL(s, e, f, n) \
  "i" s " =i64{" n ",2,20}; j" s " =i64{2,-1," n ",5,4}; z" s " =i64(0); o" s \
  " =i64(1); p" s " Reshape " s " i" s "; q" s " Transpose p" s \
  " perm=[1,0,2]; t" s " Reshape q" s " j" s "; " e " Gather t" s " z" s \
  "; " f " Gather t" s " o" s "; "
#define HALVE(s, e, f, n, all) \
  "i" s " =i64{1,2," n ",5,4}; j" s " =i64{1," all ",5,4}; p" s " Reshape " s \
  " i" s "; q" s " Transpose p" s " perm=[0,2,1,3,4]; t" s " Reshape q" s \
  " j" s "; " e "," f " Split t" s " axis=1; "
#define UNIT(e, f, y, n) \
  "k" y " =f32[" n "," n ",1,1]; m" y " Conv " f " k" y "; n" y " Relu m" y \
  "; " y " Concat " e " n" y " axis=1"

static const Rewrite rewrites[] = {
  /* shuffled channels lie where the convolutions read them */
  { BLOCKS ("8") DEAL ("s", "e", "f", "8") UNIT ("e", "f", "y", "8"),
      "Conv Conv+1 Concat Gather Slice Conv+1 Concat" },
  { BLOCKS ("6") HALVE ("s", "e", "f", "6", "12") UNIT ("e", "f", "y", "6"),
      "Conv Conv+1 Concat Gather Slice Conv+1 Concat" },
  { BLOCKS ("8") DEAL ("s", "e", "f", "8") UNIT ("e", "f", "u",
        "8") "; " DEAL ("u", "g", "h", "8") UNIT ("g", "h", "y", "8"),
      "Conv Conv+1 Concat Gather Slice Conv+1 Concat Gather Slice Conv+1 "
      "Concat" },
  { BLOCKS ("14") HALVE ("s", "e", "f", "14", "28") UNIT ("e", "f", "u",
        "14") "; " HALVE ("u", "g", "h", "14", "28") UNIT ("g", "h", "y", "14"),
      "Conv Conv+1 Concat Gather Slice Conv+1 Concat Gather Slice Conv+1 "
      "Concat" },
  /* something else reads them */
  { BLOCKS ("8")
          DEAL ("s", "e", "f", "8") "g Abs f; " UNIT ("e", "g", "y", "8"),
      "Conv Conv+1 Concat Reshape Transpose Reshape Gather Gather Abs Conv+1 "
      "Concat" },
  /* a block that no convolution makes */
  { "x f32[1,16,5,4]; b MaxPool x kernel_shape=[1,1]; s Concat x b axis=1; " DEAL (
        "s", "e", "f", "16") UNIT ("e", "f", "y", "16"),
      "MaxPool Concat Reshape Transpose Reshape Gather Gather Conv+1 Concat" },
  /* halves of a Concat are views */
  { BLOCKS ("8") "e,f Split s axis=1; " UNIT ("e", "f", "y", "8"),
      "Conv Conv+1 Concat Split Conv+1 Concat" },
  /* an assignment to a slice, to all, and one that adds */
  { "x f32[4,5]; i =i64{-2}; u f32[5]; y ScatterND x i u",
      "Slice Reshape Slice Concat" },
  { "x f32[1,5]; i =i64{0}; u f32[5]; y ScatterND x i u", "Reshape" },
  /* channels are weighed where the 1x1 convolution behind reads them */
  { "x f32[1,9,5,4]; v =f32[6,9,1,1]; g GlobalAveragePool x; s Sigmoid g; "
    "m Mul x s; c Conv m v; y Relu c",
      "GlobalAveragePool+1 fovea.GatedConv+1" },
  { "x f32[1,8,5,4]; v =f32[6,8,1,1]; b =f32[6]; g GlobalMaxPool x; "
    "m Mul g x; y Conv m v b",
      "GlobalMaxPool fovea.GatedConv" },
  /* others read elsewhere, or more than one image */
  { "x f32[1,8,5,4]; v =f32[6,8,1,1]; g GlobalMaxPool x; m Mul x g; "
    "y Conv m v strides=[2,2]",
      "GlobalMaxPool Mul Conv" },
  { "x f32[2,8,5,4]; v =f32[6,8,1,1]; g GlobalMaxPool x; m Mul x g; "
    "y Conv m v",
      "GlobalMaxPool Mul Conv" },
  { "x f32[4,5]; i =i64{2}; u f32[5]; y ScatterND x i u reduction=add",
      "ScatterND" },
  /* rows moved about as wholes: the products gather them */
  { "x f32[1,4,6,8]; v =f32[5,8]; " WINDOWS ("x", "t") "y Einsum t v "
                                                       "equation=btd,md->btm",
      "fovea.RowLinear" },
  { "x f32[1,4,6,8]; k =f32[8,8]; l =f32[8,8]; " ROLL ("x", "s") WINDOWS ("s",
        "t") "m MatMul t k; n Tanh m; p MatMul n l; " UNWINDOW ("p", "f") "y "
                                                                          "Add "
                                                                          "x "
                                                                          "f",
      "fovea.RowLinear+1 fovea.RowLinear+1" },
  /* pixels of maps: patches of 2 x 2, unfolded and folded again */
  { "x f32[1,4,4,6]; w =f32[8,4,1,1]; v =f32[5,8,1,1]; b =f32[8]; "
    "i =i64{16,2,3,2}; j =i64{1,8,6,4}; k =i64{4,6,8}; l =i64{16,3,2,2}; "
    "m =i64{1,4,6,8}; n =i64{1,8,4,6}; c Conv x w b; r Reshape c i; "
    "s Transpose r perm=[0,2,1,3]; t Reshape s j; u Transpose t "
    "perm=[0,3,2,1]; d Reshape u k; e Tanh d; f Reshape e m; g Transpose f "
    "perm=[0,3,2,1]; h Reshape g l; o Transpose h perm=[0,2,1,3]; p Reshape "
    "o n; q Conv p v; y Relu q",
      "Transpose fovea.RowLinear+1 fovea.RowLinear+1 Transpose" },
  /* in order: a view */
  { "x f32[1,4,4,6]; w =f32[8,4,1,1]; i =i64{1,8,24}; c Conv x w; "
    "r Reshape c i; y Transpose r perm=[0,2,1]",
      "Conv Reshape Transpose" },
  /* zeroes around it are rows too */
  { "x f32[1,3,6,8]; k =f32[8,5]; p =i64{0,0,0,0,0,1,0,0}; g Pad x p; " WINDOWS (
        "g", "t") "y MatMul t k",
      "fovea.RowLinear" },
  /* patches beside each other */
  { "x f32[1,4,6,8]; k =f32[32,5]; g =f32[32]; c =f32[32]; z =i64{0}; "
    "o =i64{1}; t =i64{2}; h =i64{99}; i =i64{1,2}; j =i64{0,0}; l =i64{99,99}; "
    "u =i64{2,2}; v =i64{1,1}; q =i64{0,1}; w =i64{1,0}; a Slice x j l i u; "
    "b Slice x w l i u; d Slice x q l i u; e Slice x v l i u; "
    "f Concat a b d e axis=-1; n LayerNormalization f g c; y MatMul n k",
      "fovea.RowNorm fovea.Linear" },
  /* channels change places: no rows */
  { "x f32[1,4,6,8]; k =f32[8,5]; s =i64{1,4,6,2,4}; s2 =i64{1,24,8}; "
    "a Reshape x s; b Transpose a perm=[0,1,2,4,3]; c Reshape b s2; "
    "y MatMul c k",
      "Reshape Transpose Reshape fovea.Linear" },
  { "x f32[1,4,6,8]; k =f32[8,5]; o =i64{-1}; z =i64{0}; m =i64{-99}; "
    "a =i64{3}; c Slice x o m a o; y MatMul c k",
      "Slice fovea.Linear" },
  /* a bias per head and a mask per window are one */
  { "q f32[4,2,3,8]; k f32[4,2,8,3]; v f32[4,2,3,8]; i =f32[1,2,3,3]; "
    "j =f32[2,1,3,3]; s =i64{2,2,2,3,3}; t =i64{4,2,3,3}; m MatMul q k; "
    "a Add m i; b Reshape a s; c Add b j; d Reshape c t; p Softmax d axis=-1; "
    "y MatMul p v",
      "Transpose fovea.Attention" },
  { GELU_HEAD "m Mul x a; y Mul m h", "Gelu" },
  { GELU_HEAD "m Mul a h; y Mul x m", "Gelu" },
  { GELU_HEAD "m Mul x h; y Mul m a", "Gelu" },
  { GELU_TANH_HEAD "q Pow x three; c Mul q k; s Add x c; i Mul s r; "
                   "t Tanh i; a Add t o; m Mul x h; y Mul m a",
      "Gelu" },
  { GELU_TANH_HEAD "p Mul x x; q Mul x p; c Mul k q; s Add c x; i Mul r s; "
                   "t Tanh i; a Add o t; m Mul x a; y Mul h m",
      "Gelu" },
  { GELU_TANH_HEAD "p Mul x x; q Mul p p; c Mul k q; s Add c x; i Mul r s; "
                   "t Tanh i; a Add o t; m Mul x a; y Mul h m",
      "Mul Mul+6 Mul" },
  /* not GELU: another factor */
  { "x f32[2,5,8]; s =f32(1.5); h =f32(0.5); o =f32(1); d Div x s; e Erf d; "
    "a Add e o; m Mul x a; y Mul m h",
      "Div+4" },
  { "x f32[1,6,4,4]; g Sigmoid x; y Mul x g", "fovea.Swish" },
  { "x f32[1,6,4,4]; c =f32(1.702); t Mul x c; g Sigmoid t; y Mul g x",
      "fovea.Swish" },
  { "x f32[1,6,4,4]; g HardSigmoid x alpha=0.16666667 beta=0.5; y Mul x g",
      "HardSwish" },
  { "x f32[1,6,4,4]; t =f32(3); z =f32(0); s =f32(6); a Add x t; "
    "c Clip a z s; m Mul x c; y Div m s",
      "HardSwish" },
  { "x f32[1,6,4,4]; p Softplus x; t Tanh p; y Mul x t", "Mish" },
  { NORM_HEAD "p Pow d two; v ReduceMean p axes=[-1]; a Add v eps; r Sqrt a; "
              "n Div d r; w Mul n g; y Add w b",
      "LayerNormalization" },
  { NORM_HEAD "p Mul d d; v ReduceMean p axes=[2]; a Add v eps; r Sqrt a; "
              "y Div d r",
      "LayerNormalization" },
  { NORM_HEAD "p Mul d d; v ReduceMean p axes=[2]; a Add v eps; r Sqrt a; "
              "i Reciprocal r; n Mul d i; w Mul n g; y Add w b",
      "LayerNormalization" },
  /* over the channels of a map */
  { "x f32[2,5,3,4]; two =f32(2); e =f32(0.00001); g =f32[5,1,1]; "
    "b =f32[1,5,1,1]; m ReduceMean x axes=[1]; d Sub x m; p Pow d two; "
    "v ReduceMean p axes=[1]; a Add v e; r Sqrt a; n Div d r; w Mul g n; "
    "y Add w b",
      "Transpose LayerNormalization Transpose" },
  { "x f32[2,6,5,4]; i =i64{2,3,-1}; o =i64{2,6,5,4}; s =f32[3]; z =f32[3]; "
    "g =f32[6,1,1]; b =f32[6,1,1]; r Reshape x i; "
    "n InstanceNormalization r s z; q Reshape n o; w Mul q g; a Add w b; "
    "y Relu a",
      "GroupNormalization+1" },
  { "x f32[2,6,5]; i =i64{2,1,-1}; o =i64{2,6,5}; s =f32[1]; z =f32[1]; "
    "r Reshape x i; n InstanceNormalization r s z; y Reshape n o",
      "GroupNormalization" },
  /* maps and groups mixed: another thing */
  { "x f32[2,6,5]; i =i64{1,4,-1}; o =i64{2,6,5}; s =f32[4]; z =f32[4]; "
    "r Reshape x i; n InstanceNormalization r s z; y Reshape n o",
      "Reshape InstanceNormalization Reshape" },
  { "x f32[2,6]; a,m Dropout x; y Abs a", "Abs" },
  { ATTENTION_HEAD "s MatMul q t; p Softmax@11 s axis=3; y MatMul p v",
      "Transpose Transpose fovea.Attention" },
  { ATTENTION_HEAD "s MatMul q t; p Softmax@11 s axis=2; y MatMul p v",
      "Transpose MatMul Softmax MatMul" },
  { ATTENTION_HEAD "s MatMul q t; w Mul s c; p Softmax w axis=-1; "
                   "y MatMul p v",
      "Transpose Transpose fovea.Attention" },
  { ATTENTION_HEAD "bias =f32[1,2,7,9]; e =f32(2); s MatMul q t; w Div s e; "
                   "z Add w bias; p Softmax z axis=3; y MatMul p v",
      "Transpose Transpose fovea.Attention" },
  { ATTENTION_HEAD "a Mul q c; u Mul t c; s MatMul a u; p Softmax s axis=-1; "
                   "y MatMul p v",
      "Transpose Transpose fovea.Attention" },
  /* heads that are no whole vec4: zeroes between them, in the weights */
  { "x f32[2,9,12]; b =f32[14,5]; " HEADS ("x") ATTEND_HEADS "; z MatMul y b",
      HEADS_MADE "Transpose Reshape fovea.Linear" },
  /* nothing that takes the zeroes behind it */
  { "x f32[2,9,12]; " HEADS ("x") ATTEND_HEADS,
      HEADS_MADE "Slice Transpose Reshape" },
  /* of one product, channels before rows, with a bias; heads as a batch */
  { "x f32[2,8,3,4]; w =f32[42,8,1,1]; b =f32[42]; c Conv x w b; "
    "h =i64{4,7,12}; q,k,v Split c axis=1; d Reshape q h; e Reshape k h; "
    "f Reshape v h; t Transpose d perm=[0,2,1]; s MatMul t e; "
    "p Softmax s axis=-1; u Transpose f perm=[0,2,1]; y MatMul p u",
      "Conv Reshape Transpose Reshape Conv Reshape Transpose Reshape Conv "
      "Reshape Transpose Reshape fovea.Attention Slice" },
  /* a product that others read as well */
  { "x f32[2,9,12]; " HEADS ("x") ATTEND_HEADS
      "; u Abs lv; j Concat y u axis=2",
      "fovea.Linear Split Reshape Transpose Reshape Transpose fovea.Linear "
      "Reshape Transpose Transpose Transpose fovea.Attention Transpose Reshape "
      "Abs Concat" },
  /* two biases of parts that are repeated */
  { ATTENTION_HEAD
      "u =f32[2,1,1,9]; b f32[1,7,1]; e =i64{2,7,3,3}; i =i64{1,1,3,1}; "
      "j =f32[2,7,1,3]; n Tile j i; o =i64{1,2,7,9}; r Reshape n o; "
      "s MatMul q t; z Add s r; w Add z b; p Softmax w axis=-1; "
      "y MatMul p v",
      "Transpose Reshape Transpose Add fovea.Attention" },
  /* places relative to a row's own: by Pad, by Concat, of several heads */
  { "x f32[2,3,5,8]; w =f32[8,9]; m MatMul x w; " SKEW_BY_PAD "y Abs l",
      "Transpose MatMul+1 Transpose" },
  { "x f32[1,2,3,8]; w =f32[8,5]; m MatMul x w; "
    "c =f32[1,2,3,1]{0,0,0,0,0,0}; a Concat m c axis=3; f =i64{1,2,18}; "
    "b Reshape a f; d =f32[1,2,2]{0,0,0,0}; e Concat b d axis=2; "
    "g =i64{1,2,4,5}; h Reshape e g; i =i64{0}; j =i64{3}; k =i64{2}; "
    "r Slice h i j k; n =i64{2}; o =i64{99}; l Slice r n o j; "
    "y Abs l",
      "Transpose MatMul+1 Transpose" },
  /* others read it too, or zeroes are left of what was padded */
  { "x f32[2,3,5,8]; w =f32[8,9]; m MatMul x w; " SKEW_BY_PAD
    "t Abs l; s ReduceSum m; y Mul t s",
      "fovea.Linear Reshape Pad Reshape Pad Reshape Slice Slice Reshape "
      "ReduceSum Abs+1" },
  { "x f32[6,5,8]; w =f32[8,9]; m MatMul x w; p =i64{0,0,0,0,0,1}; a Pad m p; "
    "f =i64{6,50}; b Reshape a f; i =i64{5}; j =i64{50}; k =i64{1}; "
    "c Slice b i j k; g =i64{6,5,9}; y Reshape c g",
      "fovea.Linear Pad Reshape Slice Reshape" },
  /* by their cosines */
  { "x f32[1,2,7,8]; z f32[1,2,9,8]; v f32[1,2,9,4]; g =f32[2,1,1]; "
    "b =f32[1,2,7,9]; e =f32(0.01); " COSINES ("x", "q") COSINES ("z", "k")
          ATTEND ("k") "y MatMul p v",
      "fovea.Attention" },
  { "x f32[1,2,7,8]; z f32[1,2,9,8]; v f32[1,2,9,4]; g =f32[2,1,1]; "
    "b =f32[1,2,7,9]; e =f32(0.01); " COSINES ("x", "q") COSINES ("z", "k")
          ATTEND ("k") "d Add w b; o Softmax d axis=-1; y MatMul o v",
      "fovea.Attention" },
  /* not those of q: the lengths of k stay */
  { "q f32[1,2,7,8]; z f32[1,2,9,8]; v f32[1,2,9,4]; g =f32[2,1,1]; "
    "e =f32(0.01); " COSINES ("z", "k") ATTEND ("k") "y MatMul p v",
      "ReduceL2 Clip Div Transpose Transpose fovea.Attention" },
  /* of channels, which the tokens' rows are turned for */
  { "x f32[1,9,48]; w =f32[24,48]; i =i64{1,9,3,2,4}; j =i64{1,9,8}; "
    "e =f32(0.01); g =f32[2,1,1]; a Einsum x w equation=bxd,md->bxm; "
    "r Reshape a i; o Transpose r perm=[2,0,3,4,1]; f,h,m Split o axis=0; "
    "n =i64{0}; fs Squeeze f n; hs Squeeze h n; v Squeeze m n; " COSINES ("fs",
        "q") COSINES ("hs", "k") ATTEND ("k") "u MatMul p v; "
                                              "d Transpose u "
                                              "perm=[0,3,1,2]; y Reshape d j",
      "fovea.Linear Reshape Transpose Split Squeeze Squeeze Squeeze Transpose "
      "Transpose Transpose fovea.ChannelAttention Transpose Transpose "
      "Reshape" },
  /* deformable attention: of two images, of one as far as anybody can tell, with
   * samples one behind the other */
  { LEVELS ("") SHARES STACKED SUMMED ("{2,8,3}"), DEFORM ("", "Reshape ") },
  { LEVELS ("") SHARES STACKED SUMMED ("{4,4,3}"),
      DEFORM ("", "Reshape Reshape Reshape ") },
  { LEVELS ("") SHARES "y4 Concat s1 s2 axis=-1; " SUMMED ("{2,8,3}"),
      DEFORM ("", "Reshape ") },
  /* weights that are no softmax of all points */
  { LEVELS ("") "h =i64{2,3,2,2,2}; q =i64{4,1,3,4}; u Reshape p h; "
                "t Softmax u axis=-1; e Transpose t perm=[0,2,1,3,4]; "
                "w Reshape e q; " STACKED SUMMED ("{2,8,3}"),
      DEFORM ("Softmax ", "Reshape ") },
  /* other samples, other sums */
  { LEVELS (" padding_mode=border") SHARES STACKED SUMMED ("{2,8,3}"),
      NOT_DEFORM (" Reshape Transpose") },
  { LEVELS (" align_corners=1") SHARES STACKED SUMMED ("{2,8,3}"),
      NOT_DEFORM (" Reshape Transpose") },
  { LEVELS (" mode=nearest") SHARES STACKED SUMMED ("{2,8,3}"),
      NOT_DEFORM (" Reshape Transpose") },
  { LEVELS ("") SHARES "ax =i64{-2}; y1 Unsqueeze s1 ax; y2 Unsqueeze s2 ax; "
                       "y3 Concat y1 y2 axis=-1; qs =i64{4,4,3,4}; "
                       "y4 Reshape y3 qs; " SUMMED ("{2,8,3}"),
      NOT_DEFORM (" Reshape Transpose") },
  { LEVELS ("") SHARES STACKED "z Mul y4 w; la =i64{-2}; "
                               "y ReduceSum z la keepdims=0",
      NOT_DEFORM ("") },
  { "x f32[3,8]; w =f32[5,8]; b =f32[5]; y Gemm x w b transB=1 alpha=0.5 "
    "beta=2",
      "fovea.Linear" },
  { "x f32[2,3,8]; w =f32[8,5]; b =f32[5]; m MatMul x w; y Add b m",
      "fovea.Linear" },
  { "x f32[2,3,8]; w =f32[8,4]; v =f32[8,8]; b =f32[4]; m MatMul x w; "
    "a Add m b; n MatMul x v; y Concat n a axis=-1",
      "fovea.Linear Split Concat" },
  /* all parts of a split in order are what was split */
  { "x f32[2,3,8]; w =f32[8,4]; v =f32[8,8]; m MatMul x w; n MatMul x v; "
    "y Concat m n axis=-1",
      "fovea.Linear" },
  { "x f32[2,3,8]; w =f32[8,4]; v =f32[8,8]; m MatMul x w; n MatMul x v; "
    "y Concat x m n axis=2",
      "fovea.Linear Concat" },
  /* steps go through views to the kernel before them */
  { "x f32[1,3,9,9]; w =f32[6,3,3,3]; s =i64{1,6,49}; h =f32(0.5); "
    "c Conv x w; r Reshape c s; t Transpose r perm=[0,2,1]; g Tanh t; "
    "y Mul g h",
      "Conv+2 Reshape Transpose" },
  { "x f32[1,3,9,9]; w =f32[6,3,3,3]; s =i64{1,6,49}; c Conv x w; "
    "r Reshape c s; t Transpose r perm=[0,2,1]; g Tanh t; q Abs r; "
    "u Transpose q perm=[0,2,1]; y Add u g",
      "Conv Reshape Transpose Abs Transpose Tanh+1" },
  /* with their operands, which go through the reverse views */
  { "x f32[1,3,9,9]; r f32[1,49,6]; w =f32[6,3,3,3]; s =i64{1,6,49}; "
    "g =f32[6]; c Conv x w; p Reshape c s; t Transpose p perm=[0,2,1]; "
    "m Mul g t; y Add r m",
      "Transpose Reshape Conv+2 Reshape Transpose" },
  { "x f32[2,3,8]; r f32[2,5,3]; w =f32[5,8]; g =f32[1,5,1]; k =f32[5,5,1]; "
    "l Einsum x w equation=bxd,md->bxm; t Transpose l perm=[0,2,1]; "
    "m Mul t g; c Conv r k; y Add m c",
      "Conv Transpose fovea.Linear+2 Transpose" },
  /* an operand that lies otherwise */
  { "x f32[2,3,8]; r f32[2,5,3]; w =f32[5,8]; "
    "l Einsum x w equation=bxd,md->bxm; t Transpose l perm=[0,2,1]; "
    "y Add t r",
      "fovea.Linear Transpose Add" },
  /* over another axis: a step of the elementwise node alone */
  { "x f32[2,3,8]; w =f32[5,8]; g =f32[3]; "
    "l Einsum x w equation=bxd,md->bxm; t Transpose l perm=[0,2,1]; "
    "y Mul t g",
      "fovea.Linear Mul Transpose" },
  /* more operands than a kernel reads */
  { "x f32[2,3,8]; r f32[2,5,3]; q f32[2,5,3]; w =f32[5,8]; g =f32[5,1]; k =f32[5,5,1]; "
    "l Einsum x w equation=bxd,md->bxm; t Transpose l perm=[0,2,1]; "
    "m Mul t g; c Conv r k; a Add m c; d Conv q k; y Add a d",
      "Conv Transpose fovea.Linear+2 Transpose Conv+1" },
  /* an operand that several steps read counts once */
  { "x f32[1,6,9,9]; g =f32[6,1,1]; p AveragePool x kernel_shape=[3,3] "
    "pads=[1,1,1,1]; d Sub p x; m Mul d g; y Add x m",
      "AveragePool+3" },
  { "x f32[1,3,9,9]; w =f32[6,3,3,3]; s =f32[6]; b =f32[6]; m =f32[6]; "
    "v =f32{0.5,1,2,1,0.25,3}; c Conv x w; y BatchNormalization c s b m v",
      "Conv" },
  { "x f32[1,6,5,4]; s =f32[6]; b =f32[6]; m =f32[6]; "
    "v =f32{0.5,1,2,1,0.25,3}; y BatchNormalization x s b m v",
      "Mul+1" },
  { "x f32[1,3,9,9]; r f32[1,6,7,7]; w =f32[6,3,3,3]; c Conv x w; a Add r c; "
    "y Relu a",
      "Conv+2" },
  { "x f32[1,3,9,9]; w =f32[6,3,3,3]; s =f32[6,1,1]; c Conv x w; y PRelu c s",
      "Conv+1" },
  /* two users: the activation keeps its own node */
  { "x f32[1,3,9,9]; w =f32[6,3,3,3]; c Conv x w; r Relu c; y Add r c",
      "Conv Relu+1" },
  { "x f32[2,6]; a Identity x; b Abs a; c Abs x; y Mul b c", "Abs Mul" },
  /* operators that are made of others */
  { "x f32[1,8,7,7]; o f32[1,18,5,5]; w =f32[6,8,3,3]; y DeformConv x w o",
      "fovea.DeformColumns Conv" },
  { "q f32[1,7,24]; k f32[1,9,24]; v f32[1,9,12]; "
    "a Attention q k v q_num_heads=3 kv_num_heads=3; y Relu a",
      "Reshape Transpose Reshape Transpose Reshape Transpose fovea.Attention "
      "Transpose Reshape Relu" },
  { "q f32[1,2,7,8]; k f32[1,2,7,8]; v f32[1,2,7,8]; "
    "y Attention q k v is_causal=1",
      "fovea.Attention" },
  { "x f32[1,2,7,8]; c =f32[1,7,4]; s =f32[1,7,4]; y RotaryEmbedding x c s",
      "Slice Slice Mul Mul+1 Mul Mul+1 Concat" },
  { "x f32[1,8,20]; i =i64{6,5}; b =i64{2,2}; y Col2Im x i b",
      "Reshape ConvTranspose" },
  { "t f32[1,2,3]; s =i64{1,1,4,5}; y AffineGrid t s",
      "fovea.Linear Transpose Reshape" },
  /* Einsum: as few permutations as the equation allows */
  { "x f32[2,3,8]; w =f32[5,8]; y Einsum x w equation=bxd,md->bxm",
      "fovea.Linear" },
  { "x f32[2,3,8]; w =f32[5,8]; y Einsum w x equation=md,bxd->bmx",
      "fovea.Linear Transpose" },
  { "q f32[2,3,5,8]; k f32[2,3,7,8]; v f32[2,3,7,4]; "
    "s Einsum q k equation=bhlk,bhtk->bhlt; p Softmax s axis=-1; "
    "y Einsum p v equation=bhlt,bhtv->bhlv",
      "Transpose Transpose fovea.Attention" },
  { "x f32[2,6,9]; z f32[2,9,4,5]; y Einsum x z equation=bqc,bchw->bqhw",
      "Reshape MatMul Reshape" },
  { "x f32[2,3,4]; y Einsum x equation=abc->ca", "ReduceSum Transpose" },
  { "x f32[2,3]; z f32[3,2]; y Einsum x z equation=ij,ji->ij",
      "Transpose Mul" },
  { "x f32[4,4]; y Einsum x equation=ii", "Einsum ReduceSum" },
  { "x f32[2,3]; y Einsum x equation=ij->ij", "Identity" },
};

static char *
describe (FvIr *ir)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < ir->nodes->len; i++) {
    FvNode *node = ir->nodes->pdata[i];

    g_string_append_printf (text, "%s%s", i ? " " : "", node->op->name);
    if (node->n_steps)
      g_string_append_printf (text, "+%u", node->n_steps);
  }
  return g_string_free (text, FALSE);
}

START_TEST (test_rewrite)
{
  const Rewrite *item = &rewrites[_i];
  g_autoptr (FvIr) ir = ir_text_graph (item->graph);
  FvArray *inputs[4], *want, *got;
  g_autofree char *nodes = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < ir->inputs->len; i++) {
    FvValue *value = ir->inputs->pdata[i];
    g_autofree char *shape = fv_shape_to_string (&value->shape);
    g_autofree char *word = g_strconcat ("f32", shape, NULL);

    inputs[i] = ir_text_array (word, -2, 2);
  }
  ck_assert (
      fv_ir_run_reference (ir, inputs, &want, FALSE, NULL, NULL, &error));
  ck_assert_msg (fv_ir_rewrite (ir, &error), "%s: %s", item->graph,
      error ? error->message : "");
  nodes = describe (ir);
  ck_assert_msg (!g_strcmp0 (nodes, item->nodes), "'%s': got '%s', not '%s'",
      item->graph, nodes, item->nodes);
  ck_assert (fv_ir_run_reference (ir, inputs, &got, FALSE, NULL, NULL, &error));
  ck_assert_int_eq (got->count, want->count);
  for (gint64 i = 0; i < want->count; i++)
    ck_assert_msg (fabs (got->f32[i] - want->f32[i])
            <= 2e-5 * fmax (1, fabs (want->f32[i])),
        "'%s': element %d: %g, not %g", item->graph, (int) i, got->f32[i],
        want->f32[i]);
  for (guint i = 0; i < ir->inputs->len; i++)
    fv_array_unref (inputs[i]);
  fv_array_unref (want);
  fv_array_unref (got);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("rewrite");
  TCase *tcase = tcase_create ("passes");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_add_loop_test (tcase, test_rewrite, 0, G_N_ELEMENTS (rewrites));
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? 1 : 0;
}
