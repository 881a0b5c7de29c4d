"""Checks that the images of a data set belong to its cameras, by the objects' silhouettes.

Cameras may be valid, and yet not those of the images: mirrored images, or another order. Then no
shape has the silhouettes of all views. The visual hull, what all of them allow, explains those of
a consistent data set wholly, also with the noise of tracked poses.
"""

import logging
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA, inverse
from tiny_nvs_ros.srn_data import SrnError, SrnInstance

log = logging.getLogger(__name__)

INSTANCES, VIEWS, LEAST_VIEWS = 8, 24, 8  # looked at: in a data set, of an instance; at least
SIZE = 32  # of the silhouettes, pixels
GRID = 28  # points along a side of the hull's box
BOX_RADII = 1.2  # half of that side, object radii
SUPPORT = 0.9  # share of the views that must allow a point of the hull, so that one may be wrong
BACKGROUND = 240  # images without alpha: what is as bright and touches the border is background
MAX_BORDER = 0.5  # share of the border's pixels that may be the object's
GOOD, SUSPECT = 0.995, 0.95  # explained share of the silhouettes
EXPLAINED = 0.98  # by images that are changed back
VIEW_WRONG, VIEWS_RIGHT = 0.6, 0.98  # of one view, and the median of all, if that one is wrong

# What may have been done to the images (V, H, W), and how to undo it.
CHANGES = {
    "the images are mirrored left to right": lambda masks: masks[:, :, ::-1],
    "the images are mirrored top to bottom": lambda masks: masks[:, ::-1],
    "the images are turned by 180 deg": lambda masks: masks[:, ::-1, ::-1],
    "the images are turned to the left": lambda masks: np.rot90(masks, -1, axes=(1, 2)),
    "the images are turned to the right": lambda masks: np.rot90(masks, 1, axes=(1, 2)),
    "the poses are in the reverse order of the images": lambda masks: masks[::-1],
}


def check_silhouettes(instances: Sequence[SrnInstance]) -> None:
    """Log a warning if the images of some evenly chosen instances do not fit their cameras.

    Raises SrnError if images that are changed back as CHANGES says would fit, if most of an
    instance's are empty, and for an alpha that is opaque beside the object.
    """
    long = [each for each in instances if len(each) >= LEAST_VIEWS]
    chosen = [long[k] for k in _evenly(len(long), INSTANCES)]
    seen = []
    for instance in chosen:
        rows = _evenly(len(instance), VIEWS)
        masks = _silhouettes(instance, rows)
        if masks is None:
            log.warning("%s: has no alpha and no white background: mask the images", instance.path)
            return
        poses = instance.poses[rows]
        lenses = [instance.view_intrinsics[row] for row in rows]
        focals = np.array([lens.focal / lens.side for lens in lenses])
        explained = explained_shares(masks, poses, focals)
        _warn_of_views(instance, rows, masks, explained)
        seen.append((masks, poses, focals, explained.mean()))
    if not seen or (mean := np.mean([share for *_, share in seen])) >= GOOD:
        return
    folder = chosen[0].path.parent
    found = [name for name, undo in CHANGES.items() if _fits(undo, seen, mean)]
    if found:
        raise SrnError(f"{folder}: the silhouettes do not fit the cameras; {' or '.join(found)}")
    if mean < SUSPECT:
        log.warning(
            "%s: the cameras explain %.0f %% of the objects' silhouettes: are the poses those of "
            "the images, and are the masks clean?",
            folder,
            100 * mean,
        )


def _fits(undo: Callable[[np.ndarray], np.ndarray], seen: list[tuple], mean: float) -> bool:
    changed = np.mean([explained_shares(undo(m), p, f).mean() for m, p, f, _ in seen])
    return changed >= EXPLAINED and 1 - changed < (1 - mean) / 4


def _evenly(count: int, wanted: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(int))


def _warn_of_views(
    instance: SrnInstance, rows: np.ndarray, masks: np.ndarray, explained: np.ndarray
) -> None:
    empty = rows[~masks.any(axis=(1, 2))]
    if len(empty) > len(rows) / 2:
        raise SrnError(
            f"{instance.path}: {len(empty)} of {len(rows)} views show nothing but background; "
            "check the masks and the alpha"
        )
    for row in empty:
        log.warning("%s: shows nothing but background", instance.image_paths[row])
    cut_off = (masks[:, [0, -1]].any(axis=(1, 2)) | masks[:, :, [0, -1]].any(axis=(1, 2))).sum()
    if cut_off > len(rows) / 2:
        log.warning(
            "%s: the object is cut off by the border of %d of %d images; are the focal length and "
            "the distance those of the images, and are the masks clean?",
            instance.path,
            cut_off,
            len(rows),
        )
    worst = explained.argmin()
    if explained[worst] < VIEW_WRONG and np.median(explained) > VIEWS_RIGHT:
        log.warning(
            "%s: the silhouette does not fit those of the other views: wrong pose or image?",
            instance.image_paths[rows[worst]],
        )


def _silhouettes(instance: SrnInstance, rows: np.ndarray) -> np.ndarray | None:
    """Return masks (V, SIZE, SIZE) bool; None if there is neither alpha nor white background.

    Raises SrnError if alpha shows objects all along the border: it is inverted, or of no meaning.
    """
    if instance.has_alpha:
        masks = np.stack([instance.image(i, SIZE, alpha=True)[..., 3] >= 128 for i in rows])
    else:
        masks = np.stack([_not_background(instance.image(i, SIZE)) for i in rows])
    border = np.concatenate([masks[:, [0, -1]].ravel(), masks[:, :, [0, -1]].ravel()])
    if border.mean() <= MAX_BORDER:
        return masks
    if instance.has_alpha:
        remedy = "save the images without alpha, on white" if masks.all() else "is it inverted?"
        raise SrnError(
            f"{instance.path}: the alpha of its images is opaque along their border; it must be "
            f"255 on the object and 0 beside it: {remedy}"
        )
    return None


def _not_background(image: np.ndarray) -> np.ndarray:
    bright = (image.min(axis=-1) >= BACKGROUND).astype(np.uint8)
    _, parts = cv2.connectedComponents(np.pad(bright, 1, constant_values=1), connectivity=4)
    return parts[1:-1, 1:-1] != parts[0, 0]


def explained_shares(masks: np.ndarray, poses: np.ndarray, focals: np.ndarray) -> np.ndarray:
    """Return (V,): which share of each silhouette the visual hull of all views shows.

    masks: (V, SIZE, SIZE) bool; poses: (V, 4, 4) T_object_camera; focals: (V,) image widths. An
    empty silhouette is explained.
    """
    side = (2 * (np.arange(GRID) + 0.5) / GRID - 1) * BOX_RADII * SRN_CAMERA.radius
    points = np.stack(np.meshgrid(side, side, side), axis=-1).reshape(-1, 3)
    from_object = inverse(poses)
    hull = np.zeros(len(points))
    pixels = []
    for mask, T_camera_object, focal in zip(masks, from_object, focals, strict=True):
        x, y, z = T_camera_object[:3, :3] @ points.T + T_camera_object[:3, 3:]
        uv = np.stack([x, y]) / np.maximum(z, 1e-6) * focal * SIZE + SIZE / 2
        inside = (z > 1e-6) & ((uv >= 0) & (uv < SIZE)).all(axis=0)
        column, row = np.where(inside, uv, 0).astype(int)
        # Outside the image, and by an empty one, nothing is known.
        hull += ~inside | _grown(mask)[row, column] | (not mask.any())
        pixels.append((row, column, inside))
    hull = hull >= SUPPORT * len(masks)
    shares = np.ones(len(masks))
    for k, (row, column, inside) in enumerate(pixels):
        shown = np.zeros((SIZE, SIZE), bool)
        shown[row[hull & inside], column[hull & inside]] = True
        if masks[k].any():
            shares[k] = _grown(shown)[masks[k]].mean()
    return shares


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask and the pixels around it: for thin parts, and for what poses are off."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
