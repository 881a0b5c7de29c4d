"""Disturbances of an evaluation: what a robot's frames, cameras and masks do, at fixed strengths.

Sources are disturbed at twice the model's size. Their background, of one random colour or two, is
in the image, but not in the mask unless that is dirty. Besides it, noise and the direction of an
offset are drawn, nothing else.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA, look_at
from tiny_nvs_ros.image import on_white, resize
from tiny_nvs_ros.model.multiview import OBJECT_BELOW
from tiny_nvs_ros.srn_data import Intrinsics, SrnInstance

MIN_ALPHA = 1 / 255  # of which an image has colours
FINER = 2  # times the model's size: the resolution at which sources are disturbed


@dataclass(frozen=True)
class Disturbance:
    """The strength of each disturbance; the defaults do nothing.

    offset: of the object's frame, diagonals of the bounding box (of the object's sphere: twice its
    radius). radius: the radius that the robot takes, relative to the true one. mask: pixels of the
    model's images that the mask is dilated by (below 0: eroded). exposure: factor of the colours.
    white_balance: relative, red up and blue down. blur: standard deviation, pixels of the model's
    images. jpeg: quality, 0 for none. noise: standard deviation, of white, per pixel of the model.
    resolution: width of the camera's image of the object, pixels, 0 for all there are. striped:
    whether the background has stripes of two colours. farther: number of the split in which the
    cameras stand farther away, counted from 1.
    """

    offset: float = 0.0
    radius: float = 1.0
    farther: int = 0
    mask: int = 0
    exposure: float = 1.0
    white_balance: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg: int = 0
    resolution: int = 0
    striped: bool = False

    @property
    def moves_frame(self) -> bool:
        return self.offset != 0 or self.radius != 1


# One disturbance at two levels in each row; "robot" is the first level of all together.
LEVELS = {
    "object frame off by {:.0%} of the diagonal": ("offset", (0.04, 0.08)),
    "object_radius {:.0%} of the true one": ("radius", (0.9, 1.25)),
    "mask eroded by {:.0f} of 32 pixels": ("mask", (-1, -2)),
    "mask dilated by {:.0f} of 32 pixels": ("mask", (1, 2)),
    "exposure x{:.1f}": ("exposure", (0.7, 1.4)),
    "white balance off by {:.0%}": ("white_balance", (0.1, 0.2)),
    "blur of {:.1f} pixels": ("blur", (0.8, 1.5)),
    "noise of {:.0%} of white": ("noise", (0.03, 0.06)),
    "JPEG of quality {:.0f}": ("jpeg", (50, 20)),
    "camera image of {:.0f} pixels": ("resolution", (16, 10)),
}
STRIPED = ", stripes behind"


def rows(distances: list[float]) -> dict[str, Disturbance]:
    """Return the disturbances by title. distances: of the cameras in the farther splits, radii."""
    result, robot = {"undisturbed": Disturbance()}, {"farther": int(bool(distances))}
    for title, (name, levels) in LEVELS.items():
        robot.setdefault(name, levels[0])
        for level in levels:
            result[title.format(abs(level))] = Disturbance(**{name: level})
            if name == "mask":
                result[title.format(abs(level)) + STRIPED] = Disturbance(mask=level, striped=True)
    for number, distance in enumerate(distances, 1):
        result[f"cameras at {distance:.3g} object radii"] = Disturbance(farther=number)
    return result | {"robot": Disturbance(**robot)}


class DisturbedViews:
    """Views of an instance as a robot with a disturbance sees them.

    instance: its cameras must have kept their distances. size: of the model's images. seed: of the
    background, the noise, and the direction of the offset, which all disturbances share.
    """

    def __init__(self, instance: SrnInstance, disturbance: Disturbance, size: int, seed: list[int]):
        self.instance, self.disturbance, self.size, self.seed = instance, disturbance, size, seed
        direction = np.random.default_rng(seed).normal(size=3)
        offset = 2 * SRN_CAMERA.radius * disturbance.offset * direction / np.linalg.norm(direction)
        self.poses = instance.poses
        if disturbance.moves_frame:
            self.poses = moved_cameras(instance.poses, offset, disturbance.radius)

    def truth(self, index: int) -> np.ndarray:
        """Return a view as the camera sees it, size x size x 3 uint8 on white."""
        if not self.disturbance.moves_frame:
            return self.instance.image(index, self.size)
        rgba = self._rgba(index)
        white = rgba[..., :3] + 1 - rgba[..., 3:]
        side = len(white)
        small = cv2.resize(white, None, fx=self.size / side, fy=self.size / side,
                           interpolation=cv2.INTER_AREA)  # fmt: skip
        return np.round(255 * np.clip(small, 0, 1)).astype(np.uint8)

    def source(self, index: int, alpha: bool) -> np.ndarray:
        """Return a view as a model is given it, RGBA or, without alpha, RGB on white."""
        if self.disturbance == replace(Disturbance(), farther=self.disturbance.farther):
            return self.instance.image(index, alpha=alpha and self.instance.has_alpha)
        rgba = self._rgba(index)
        rng = np.random.default_rng([*self.seed, index])
        image = disturb(rgba, self.disturbance, rng, len(rgba) / self.size)
        return image if alpha and self.instance.has_alpha else on_white(image)

    def _rgba(self, index: int) -> np.ndarray:
        """Return a view from the moved camera, float32 in [0, 1], colour multiplied by alpha."""
        side = FINER * self.size
        if self.instance.has_alpha:
            image = resize(self.instance.image(index, alpha=True), side)
            rgba = image / np.float32(255)
        else:
            image = self.instance.image(index, side) / np.float32(255)
            alpha = image.min(axis=-1, keepdims=True) < OBJECT_BELOW
            rgba = np.concatenate([image, alpha], axis=-1, dtype=np.float32)
        rgba[..., :3] *= rgba[..., 3:]
        if self.disturbance.moves_frame:
            lens, old = self.instance.view_intrinsics[index], self.instance.poses[index]
            rgba = warp_to_camera(rgba, lens, old, self.poses[index])
        return rgba


def moved_cameras(poses: np.ndarray, offset: np.ndarray, radius: float) -> np.ndarray:
    """Return the same cameras (V, 4, 4), turned to look at another object frame and given in it.

    offset: (3,) of the frame's origin in the true one; radius: unit of the new frame, which is the
    radius that the robot takes, relative to the true one.
    """
    return look_at((poses[:, :3, 3] - offset) / radius, np.zeros(3))


def warp_to_camera(
    rgba: np.ndarray, lens: Intrinsics, old: np.ndarray, new: np.ndarray
) -> np.ndarray:
    """Return the image of a model's camera that stands where the old one does, looking elsewhere.

    rgba: (n, n, 4) float32, outside of which there is nothing; lens, old: of its camera; new: the
    pose of the new one. A camera that only turns and zooms sees a homography of the old image, so
    nothing but resampling makes this differ from rendering.
    """
    side = len(rgba)
    distance = np.linalg.norm(new[:3, 3])
    K_old = _matrix(lens.focal / lens.side * side, side)
    K_new = _matrix(SRN_CAMERA.focal_at(distance) * side * FINER, side * FINER)
    R_old_new = old[:3, :3].T @ new[:3, :3]
    H = K_old @ R_old_new @ np.linalg.inv(K_new)
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    fine = cv2.warpPerspective(rgba, H, (side * FINER, side * FINER), flags=how)
    return cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA).clip(0, 1)


def _matrix(focal: float, side: int) -> np.ndarray:
    """Return the camera matrix in pixel indices: the first pixel's centre is 0."""
    centre = (side - 1) / 2
    return np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1.0]])


def stripes(color: np.ndarray, side: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Return an image (side, side, 3) of stripes, 3 to 8 of the model's pixels wide: (3,) a colour,
    0 to 1, and a random one."""
    angle, width, start = rng.uniform(0, np.pi), scale * rng.uniform(3, 8), rng.uniform(0, side)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    odd = (start + x * np.cos(angle) + y * np.sin(angle)) // width % 2 == 1
    return np.where(odd[..., None], rng.uniform(0, 1, 3), color)


def disturb(
    rgba: np.ndarray, how: Disturbance, rng: np.random.Generator, scale: float
) -> np.ndarray:
    """Return a disturbed source, (n, n, 4) uint8 with straight alpha.

    rgba: (n, n, 4) float32 in [0, 1], colour multiplied by alpha; scale: its pixels in one of the
    model's.
    """
    side, background = len(rgba), rng.uniform(0, 1, 3)
    if how.striped:
        background = stripes(background, side, scale, rng)
    alpha = rgba[..., 3:]
    # At the silhouette the colours are the object's alone: an undisturbed mask lets nothing in.
    color = np.where(alpha > MIN_ALPHA, rgba[..., :3] / np.maximum(alpha, MIN_ALPHA), background)
    full = np.concatenate([color, alpha], axis=-1, dtype=np.float32)
    if how.resolution:
        small = cv2.resize(full, (how.resolution,) * 2, interpolation=cv2.INTER_AREA)
        full = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    color, alpha = full[..., :3], full[..., 3]
    if how.blur:
        color = cv2.GaussianBlur(color, (0, 0), scale * how.blur, borderType=cv2.BORDER_REPLICATE)
    balance = 1 + how.white_balance * np.array([1, 0, -1])
    color = np.clip(color * how.exposure * balance, 0, 1)
    noise = rng.standard_normal(color.shape) * scale * how.noise
    color = np.round(255 * np.clip(color + noise, 0, 1)).astype(np.uint8)
    if how.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, how.jpeg]
        _, file = cv2.imencode(".jpg", np.ascontiguousarray(color[..., ::-1]), quality)
        color = cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]
    if how.mask:
        kernel = np.ones((round(2 * abs(how.mask) * scale + 1),) * 2, np.uint8)
        alpha = (cv2.dilate if how.mask > 0 else cv2.erode)(alpha, kernel)
    return np.dstack([color, np.round(255 * alpha).astype(np.uint8)])
