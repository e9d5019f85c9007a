# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two nets of equal cost with the same heads: a hierarchical transformer and a CNN.

MIT is built as MiT and PVTv2 are (E. Xie et al., SegFormer, 2021; W. Wang et al., PVT
v2, 2022): overlapping patch embeddings, attention over spatially reduced keys,
feed-forward nets with a depthwise convolution. CNN is built as MobileNetV3 is (A.
Howard et al., 2019): inverted residuals, squeeze-excite, HardSwish. The heads: all-MLP
segmentation as in SegFormer; depth with selective fusion of features as in GLPN (D.
Kim et al., 2022); an anchor-free detector (Z. Tian et al., FCOS, 2019).
"""
import torch
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)  # of the detector's levels
MOST_METRES = 100.0


class LayerNorm2d(nn.LayerNorm):
    """Over the channels of an image."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


# ---- The transformer ----

class Attention(nn.Module):
    def __init__(self, dim, heads, reduction):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.q, self.kv = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.project = nn.Linear(dim, dim)
        self.reduce = (nn.Sequential(nn.Conv2d(dim, dim, reduction, reduction),
                                     LayerNorm2d(dim)) if reduction > 1 else None)

    def forward(self, x, h, w):
        n, tokens, dim = x.shape
        q = self.q(x).reshape(n, tokens, self.heads, -1).transpose(1, 2)
        if self.reduce is not None:
            x = self.reduce(x.transpose(1, 2).reshape(n, dim, h, w))
            x = x.flatten(2).transpose(1, 2)
        kv = self.kv(x).reshape(n, x.shape[1], 2, self.heads, dim // self.heads)
        k, v = kv.permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) * self.scale).softmax(-1)
        return self.project((weights @ v).transpose(1, 2).reshape(n, tokens, dim))


class MixFFN(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.expand, self.shrink = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)

    def forward(self, x, h, w):
        x = self.expand(x)
        n, tokens, dim = x.shape
        x = self.depthwise(x.transpose(1, 2).reshape(n, dim, h, w))
        return self.shrink(F.gelu(x.flatten(2).transpose(1, 2)))


class Block(nn.Module):
    def __init__(self, dim, heads, reduction, ratio):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads, reduction)
        self.ffn = MixFFN(dim, dim * ratio)

    def forward(self, x, h, w):
        x = x + self.attention(self.norm1(x), h, w)
        return x + self.ffn(self.norm2(x), h, w)


class MiT(nn.Module):
    dims = (24, 48, 96, 144)

    def __init__(self):
        super().__init__()
        self.embed, self.blocks, self.norms = (nn.ModuleList() for _ in range(3))
        last = 3
        for i, dim in enumerate(self.dims):
            kernel, stride = (7, 4) if i == 0 else (3, 2)
            self.embed.append(nn.Sequential(
                nn.Conv2d(last, dim, kernel, stride, kernel // 2), LayerNorm2d(dim)))
            self.blocks.append(nn.ModuleList(
                Block(dim, (1, 2, 4, 6)[i], (8, 4, 2, 1)[i], 4) for _ in range(2)))
            self.norms.append(nn.LayerNorm(dim))
            last = dim

    def forward(self, x):
        features = []
        for embed, blocks, norm in zip(self.embed, self.blocks, self.norms):
            x = embed(x)
            n, dim, h, w = x.shape
            x = x.flatten(2).transpose(1, 2)
            for block in blocks:
                x = block(x, h, w)
            x = norm(x).transpose(1, 2).reshape(n, dim, h, w)
            features.append(x)
        return features


# ---- The CNN ----

def conv(inputs, outputs, kernel=1, stride=1, groups=1, act=nn.Hardswish):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups,
                        bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([act()] if act else []))


class SqueezeExcite(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.squeeze, self.excite = (nn.Conv2d(dim, dim // 8, 1),
                                     nn.Conv2d(dim // 8, dim, 1))

    def forward(self, x):
        y = F.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1)))
        return x * F.hardsigmoid(self.excite(y))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, ratio, excite):
        super().__init__()
        hidden = inputs * ratio
        self.layers = nn.Sequential(
            conv(inputs, hidden), conv(hidden, hidden, kernel, stride, hidden),
            SqueezeExcite(hidden) if excite else nn.Identity(),
            conv(hidden, outputs, act=None))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.adds else y


class CNN(nn.Module):
    dims = (24, 48, 88, 128)

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 16, 3, 2)
        self.stages, last = nn.ModuleList(), 16
        for i, dim in enumerate(self.dims):
            n, kernel, ratio = (2, 3, 4, 3)[i], (3, 5, 3, 5)[i], (3, 4, 5, 5)[i]
            blocks = [InvertedResidual(last, dim, kernel, 2, ratio, i != 0)]
            blocks += [InvertedResidual(dim, dim, kernel, 1, ratio, i != 0)
                       for _ in range(n - 1)]
            self.stages.append(nn.Sequential(*blocks))
            last = dim

    def forward(self, x):
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


# ---- Heads ----

def enlarge(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class Segmentation(nn.Module):
    """All-MLP: every level to one width, all at stride 4, mixed by one layer."""

    def __init__(self, dims, classes, width=64):
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(dim, width, 1) for dim in dims)
        self.mix = conv(width * len(dims), width, act=nn.ReLU)
        self.classify = nn.Conv2d(width, classes, 1)

    def forward(self, features):
        levels = [level(x) for level, x in zip(self.levels, features)]
        levels = [levels[0]] + [enlarge(x, levels[0]) for x in levels[1:]]
        return self.classify(self.mix(torch.cat(levels, 1)))


class SelectiveFusion(nn.Module):
    """Weighs two maps of features by attention that both give."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(conv(2 * width, width // 2, 3, act=nn.ReLU),
                                    nn.Conv2d(width // 2, 2, 3, padding=1))

    def forward(self, fine, coarse):
        weights = torch.sigmoid(self.layers(torch.cat([fine, coarse], 1)))
        return fine * weights[:, :1] + coarse * weights[:, 1:]


class Depth(nn.Module):
    """Metres along the camera's axis."""

    def __init__(self, dims, width=40):
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(dim, width, 1) for dim in dims)
        self.fusions = nn.ModuleList(SelectiveFusion(width) for _ in dims[1:])
        self.last = nn.Sequential(conv(width, width // 2, 3, act=nn.ReLU),
                                  nn.Conv2d(width // 2, 1, 1))

    def forward(self, features):
        x = self.levels[-1](features[-1])
        for i in range(len(features) - 2, -1, -1):
            fine = self.levels[i](features[i])
            x = self.fusions[i](fine, enlarge(x, fine))
        return torch.sigmoid(self.last(x) - 2) * MOST_METRES


class Detection(nn.Module):
    """Class scores and distances from each cell to the sides of its box, in cells."""

    def __init__(self, dims, classes, width=64):
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(dim, width, 1) for dim in dims[1:])
        self.smooth = nn.ModuleList(self.tower(width) for _ in STRIDES)
        self.scores = nn.ModuleList(self.branch(width, classes) for _ in STRIDES)
        self.boxes = nn.ModuleList(self.branch(width, 4) for _ in STRIDES)
        for branch in self.scores:
            nn.init.constant_(branch[-1].bias, -4.6)  # 0.01 at first
        for branch in self.boxes:
            nn.init.constant_(branch[-1].bias, 1.0)

    @staticmethod
    def tower(width):
        return nn.Sequential(conv(width, width, 3, groups=width, act=None),
                             conv(width, width, act=nn.ReLU))

    def branch(self, width, outputs):
        return nn.Sequential(*self.tower(width), *self.tower(width),
                             nn.Conv2d(width, outputs, 1))

    def forward(self, features):
        levels = [level(x) for level, x in zip(self.levels, features[1:])]
        for i in (1, 0):  # what is coarse tells what is fine
            levels[i] = levels[i] + enlarge(levels[i + 1], levels[i])
        levels = [smooth(x) for smooth, x in zip(self.smooth, levels)]
        scores = [branch(x) for branch, x in zip(self.scores, levels)]
        # A narrow box may lie beside the centre of the cell that holds its middle: a
        # side is up to half a cell on the other side of it.
        boxes = [F.softplus(branch(x)) - 0.5 for branch, x in zip(self.boxes, levels)]
        return scores, boxes


def cells(height, width, stride, device=None):
    """Centres of a level's cells, pixels."""
    y = (torch.arange(height, device=device) + 0.5) * stride
    x = (torch.arange(width, device=device) + 0.5) * stride
    return torch.stack([x.repeat(height), y[:, None].expand(-1, width).flatten()], 1)


class SceneNet(nn.Module):
    def __init__(self, backbone, classes, things):
        super().__init__()
        self.backbone = backbone()
        dims = self.backbone.dims
        self.segmentation = Segmentation(dims, classes)
        self.depth = Depth(dims)
        self.detection = Detection(dims, things)

    def forward(self, images):
        features = self.backbone(images)
        scores, boxes = self.detection(features)
        return (self.segmentation(features), self.depth(features), scores, boxes)


class Exported(nn.Module):
    """With boxes decoded to what YOLOv8 puts out: [N, 4 + things, candidates], of
    centre, size (pixels) and scores."""

    def __init__(self, net, size):
        super().__init__()
        self.net = net
        for stride in STRIDES:
            self.register_buffer(f"cells{stride}", cells(
                size[1] // stride, size[0] // stride, stride).t()[None])

    def forward(self, images):
        classes, depth, scores, boxes = self.net(images)
        all_of = []
        for score, box, stride in zip(scores, boxes, STRIDES):
            centre = getattr(self, f"cells{stride}")
            left_top, right_bottom = (stride * box.flatten(2)).split(2, 1)
            middle = centre + (right_bottom - left_top) / 2
            all_of.append(torch.cat([middle, left_top + right_bottom,
                                     torch.sigmoid(score.flatten(2))], 1))
        return classes, depth, torch.cat(all_of, 2)


NETS = {"mit": MiT, "cnn": CNN}
