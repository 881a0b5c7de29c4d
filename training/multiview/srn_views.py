"""Views for the multi-view network from data sets in the SRN layout.

An object in training has the same number of views V as all others, at most VIEWS. An instance with
more views becomes several objects of V of its views each.
"""

import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from tiny_nvs_ros.model.multiview import OBJECT_BELOW
from tiny_nvs_ros.srn_data import SrnError, SrnInstance, SrnSplit, array_on_disk
from training.data.silhouettes import check_silhouettes
from training.data.test_sets import refuse_test_sets
from training.multiview.data import OBJECT_RADIUS, ObjectViews, half_size_depth
from training.multiview.shards import SIZE

VIEWS = 20
MAX_WHITE_MISSING = 0.5  # share of a set's border pixels that may be anything but white


@dataclass(frozen=True)
class DataSets:
    """Instances for training and for validation. own: the user's, for training."""

    general: list[SrnInstance]
    own: list[SrnInstance]
    held_out: list[SrnInstance]

    @classmethod
    def read(
        cls,
        general: Sequence[Path],
        own: Sequence[Path],
        validation: Sequence[Path],
        held_out: float,
        least: int,
    ) -> "DataSets":
        """Find the instances of splits.

        validation: splits for it; if there are none, a share `held_out` of each of the others is
        held out, the same instances in every run. Raises ValueError for test sets, and for
        instances with fewer than `least` views.
        """
        refuse_test_sets(*general, *own, *validation)
        parts = []
        for paths in (general, own, validation):
            parts.append([SrnSplit(path, keep_distance=True).instances for path in paths])
        for instance in (each for part in parts for split in part for each in split):
            if len(instance) < least:
                raise SrnError(
                    f"{instance.path}: has {len(instance)} views; sources and targets need {least}"
                )
        for split in (split for part in parts for split in part):
            check_silhouettes(split)
        kept: list[list[SrnInstance]] = []
        apart = [each for split in parts[2] for each in split]
        for part in parts[:2]:
            kept.append([])
            for split in part:
                order = sorted(split, key=lambda each: zlib.crc32(each.name.encode()))
                count = 0 if validation else round(held_out * len(order))
                if count == len(order):
                    raise SrnError(
                        f"{order[0].path.parent}: --held-out {held_out} takes all its objects "
                        f"({count}) for validation, so that none is trained on; use less, or --val"
                    )
                apart += order[:count]
                kept[-1] += sorted(order[count:], key=lambda each: each.name)
        return cls(kept[0], kept[1], apart)

    def training_views(self, own_share: float, device: str) -> ObjectViews:
        """Return the views to train on; own_share: of a batch, if there are others too."""
        instances = [*self.general, *self.own]
        groups = [group for instance in instances for group in _groups(instance, self.views)]
        views = _load(groups, self.views, device)
        own = {id(instance) for instance in self.own}
        if own:
            views.own = torch.tensor([id(instance) in own for instance, _ in groups], device=device)
            if self.general:
                share = torch.where(views.own, own_share, 1 - own_share)
                count = torch.where(views.own, views.own.sum(), (~views.own).sum())
                views.chances = share / count
        return views

    def validation_views(self, most: int, device: str) -> ObjectViews:
        """Return views of at most so many instances, evenly chosen."""
        count = len(self.held_out)
        rows = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))
        views = min([VIEWS, *(len(instance) for instance in self.held_out)])
        groups = [(self.held_out[row], np.arange(views)) for row in rows]
        return _load(groups, views, device)

    @property
    def views(self) -> int:
        """The number of views of each object in training."""
        return min(VIEWS, *(len(instance) for instance in [*self.general, *self.own]))


def _groups(instance: SrnInstance, views: int) -> list[tuple[SrnInstance, np.ndarray]]:
    """Return groups of views that together are all of an instance's; the last one is filled up."""
    rng = np.random.default_rng(zlib.crc32(instance.name.encode()))
    order, count = rng.permutation(len(instance)), -(-len(instance) // views)
    rows = np.resize(order, count * views).reshape(count, views)
    return [(instance, row) for row in rows]


def _load(groups: list[tuple[SrnInstance, np.ndarray]], views: int, device: str) -> ObjectViews:
    """Read groups of `views` views; threads read the files."""
    result = ObjectViews.empty(0, views, SIZE, device)
    arrays = {}
    shape = (max(len(groups), 1), *result.rgba.shape[1:])
    arrays["rgba"] = array_on_disk(shape)[: len(groups)]
    for name in ("depth", "rotations", "rho"):
        like = getattr(result, name)
        kind = np.float16 if name == "depth" else np.float32
        arrays[name] = np.empty((len(groups), *like.shape[1:]), kind)

    rows: dict[int, list[int]] = {}
    for row, (instance, _) in enumerate(groups):
        rows.setdefault(id(instance), []).append(row)

    def read(of_instance: list[int]) -> None:
        instance = groups[of_instance[0]][0]
        order = np.concatenate([groups[row][1] for row in of_instance])
        used, back = np.unique(order, return_inverse=True)
        for name, values in zip(arrays, _read(instance, used), strict=True):
            arrays[name][of_instance] = values[back].reshape(
                len(of_instance), views, *values.shape[1:]
            )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(read, rows.values()))
    tensors = {name: torch.from_numpy(values).to(device) for name, values in arrays.items()}
    return ObjectViews(**tensors, available=len(groups))


def _read(instance: SrnInstance, used: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return rgba, depth, rotations and rho of some views, as ObjectViews holds them."""
    poses, side = instance.poses[used], 2 * SIZE
    if instance.has_alpha:
        rgba = np.stack([instance.image(i, side, alpha=True) for i in used])
    else:
        rgba = with_estimated_alpha(np.stack([instance.image(i, side) for i in used]))
        rim = np.concatenate([rgba[:, [0, -1]].reshape(-1, 4), rgba[:, :, [0, -1]].reshape(-1, 4)])
        if (rim[:, 3] > 0).mean() > MAX_WHITE_MISSING:
            raise SrnError(
                f"{instance.path}: has no alpha and no white background, so that the object's "
                "silhouette is unknown: mask the images"
            )
    distance = np.linalg.norm(poses[:, :3, 3], axis=-1)
    depth = np.full((len(used), SIZE, SIZE), np.nan, np.float16)
    if instance.has_depth:
        full = np.nan_to_num(np.stack([instance.depth(i, side) for i in used]))
        depth = half_size_depth(full, distance, rgba[..., 3])
    rotations = poses[:, :3, :3].astype(np.float32)
    return rgba, depth, rotations, (distance / OBJECT_RADIUS).astype(np.float32)


def with_estimated_alpha(images: np.ndarray) -> np.ndarray:
    """Return RGBA of images (V, H, W, 3) uint8 on white: what white connects to the rim is empty.

    So white parts inside an object belong to it.
    """
    alpha = np.full((*images.shape[:3], 1), 255, np.uint8)
    for image, mask in zip(images, alpha, strict=True):
        white = (image.min(axis=-1) >= OBJECT_BELOW * 255).astype(np.uint8)
        _, parts = cv2.connectedComponents(np.pad(white, 1, constant_values=1), connectivity=4)
        mask[parts[1:-1, 1:-1] == parts[0, 0]] = 0
    return np.concatenate([images, alpha], axis=-1)
