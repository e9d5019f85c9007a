# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the nets are trained to do well."""
import numpy as np
import torch
from torch.nn import functional as F

from nets import MOST_METRES, STRIDES, cells
from scenes import CLASSES

RARITY = 0.3  # weight of a class: its share of pixels to the power of minus this

# The longest distance from a cell to a side of its box, pixels of the input.
REACH = ((0, 40), (40, 88), (88, 1e6))
LEAST_SIZE = 5  # pixels of the input: smaller boxes are neither right nor wrong
MOST_OCCLUSION = 0.85


def class_weights(scenes, frames=500):
    """Rare classes count more: the mean over classes is what is wanted."""
    counts = np.bincount(scenes.classes[:frames].ravel(), minlength=len(CLASSES))
    weights = (counts / counts.sum()).clip(1e-4) ** -RARITY
    return torch.from_numpy(weights / weights.mean()).float()


def segmentation_loss(logits, classes, weights):
    logits = F.interpolate(logits, size=classes.shape[1:], mode="bilinear",
                           align_corners=False)
    return F.cross_entropy(logits, classes, weights)


def depth_loss(depth, truth):
    """Scale-invariant error of logarithms (Eigen et al., 2014) with weight 0.5."""
    depth = F.interpolate(depth, size=truth.shape[1:], mode="bilinear",
                          align_corners=False)[:, 0]
    known = (truth > 0) & (truth < MOST_METRES)
    error = (torch.log(depth.clamp(min=1e-3)) - torch.log(truth.clamp(min=1e-3)))
    error = error[known]
    return torch.sqrt((error ** 2).mean() - 0.5 * error.mean() ** 2 + 1e-6)


def giou(a, b):
    """Generalised overlap of boxes of corners (H. Rezatofighi et al., 2019), and the
    plain one."""
    low, high = torch.max(a[:, :2], b[:, :2]), torch.min(a[:, 2:], b[:, 2:])
    both = (high - low).clamp(min=0).prod(1)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).clamp(min=0).prod(1) for x in (a, b))
    union = area_a + area_b - both + 1e-6
    hull = (torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])).prod(1) + 1e-6
    overlap = both / union
    return overlap - (hull - union) / hull, overlap


def assign(boxes, size):
    """The box of each cell (-1: none) and whether the cell is to be judged.
    @boxes: [B, n, 6] of class, corners (0..1), occlusion; class -1: none."""
    width, height = size
    scale = boxes.new_tensor([width, height, width, height])
    corners, n_images = boxes[..., 1:5] * scale, boxes.shape[0]
    sides = corners[..., 2:] - corners[..., :2]
    exists = boxes[..., 0] >= 0
    counts = exists & (sides.max(-1).values >= LEAST_SIZE) \
        & (boxes[..., 5] <= MOST_OCCLUSION)
    area = sides.prod(-1)
    owners, judged = [], []
    for stride, (low, high) in zip(STRIDES, REACH):
        at = cells(height // stride, width // stride, stride, boxes.device)
        left_top = at[None, :, None] - corners[:, None, :, :2]
        right_bottom = corners[:, None, :, 2:] - at[None, :, None]
        distances = torch.cat([left_top, right_bottom], -1)
        inside = distances.min(-1).values > 0
        middle = (corners[..., :2] + corners[..., 2:]) / 2
        near = (at[None, :, None] - middle[:, None]).abs().max(-1).values < 1.5 * stride
        # Of boxes smaller than a cell, the cell that holds the middle.
        holds = (at[None, :, None] - middle[:, None]).abs().max(-1).values <= stride / 2
        reach = distances.abs().max(-1).values
        fits = ((inside & near) | holds) & counts[:, None] & (reach >= low) & (reach < high)
        best = torch.where(fits, area[:, None], area.new_tensor(1e9)).min(-1)
        owner = torch.where(best.values < 1e9, best.indices,
                            torch.full_like(best.indices, -1))
        ignored = (inside & (exists & ~counts)[:, None]).any(-1)
        owners.append(owner)
        judged.append(~ignored | (owner >= 0))
    assert owners[0].shape[0] == n_images
    return torch.cat(owners, 1), torch.cat(judged, 1), corners


def detection_loss(scores, boxes, truth, size):
    """Quality focal loss (X. Li et al., 2020) and generalised overlap."""
    owner, judged, corners = assign(truth, size)
    points = torch.cat([cells(s.shape[2], s.shape[3], stride, s.device)
                        for s, stride in zip(scores, STRIDES)])
    scores = torch.cat([s.flatten(2) for s in scores], 2).transpose(1, 2)
    distances = torch.cat([b.flatten(2) * stride for b, stride
                           in zip(boxes, STRIDES)], 2).transpose(1, 2)
    image, cell = torch.nonzero(owner >= 0, as_tuple=True)
    thing = owner[image, cell]
    found = distances[image, cell]
    found = torch.cat([points[cell] - found[:, :2], points[cell] + found[:, 2:]], 1)
    general, overlap = giou(found, corners[image, thing])
    targets = torch.zeros_like(scores)
    targets[image, cell, truth[image, thing, 0].long()] = \
        overlap.detach().clamp(min=0.05)
    focus = (torch.sigmoid(scores) - targets).abs() ** 2
    each = F.binary_cross_entropy_with_logits(scores, targets, reduction="none") * focus
    n = max(len(image), 1)
    return (each.sum(-1) * judged).sum() / n, (1 - general).sum() / n
