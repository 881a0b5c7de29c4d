"""What is asked of a model, and what it answers. Needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tiny_nvs_ros import geometry
from tiny_nvs_ros.image import on_white, resize
from tiny_nvs_ros.model.config import ModelConfig

BATCH = 256  # views at once; bounds the memory of large requests


@dataclass(frozen=True)
class NovelViews:
    """Imagined views. images: N x S x size x size x 3 uint8, S samples of each of N views."""

    images: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean over the samples, N x size x size x 3 float32 in [0, 1]."""
        return self.images.mean(axis=1, dtype=np.float32) / 255

    @property
    def std(self) -> np.ndarray:
        """Standard deviation over the samples, N x size x size float32 in [0, 1].

        Root of the mean squared distance from their mean, averaged over the colours. That counts
        all S samples, not S - 1: antithetic_noise, not chance, has put their mean where it is (but
        for the sampler ddpm, whose own noise is independent: there it is too small by a factor of
        sqrt(1 - 1 / S)). NaN with one sample, which tells nothing of its own uncertainty.
        """
        if self.images.shape[1] == 1:
            return np.full((len(self.images), *self.images.shape[2:4]), np.nan, np.float32)
        # In place and one axis at a time: a third of the time of var and a mean over two axes.
        deviations = self.images - self.images.mean(axis=1, keepdims=True, dtype=np.float32)
        variances = np.square(deviations, out=deviations).mean(axis=1).mean(axis=-1)
        return np.sqrt(variances) / 255


@dataclass(frozen=True)
class Request:
    """Checked arguments of `generate`, as the networks take them.

    image: size x size x 3 uint8; poses: (N, 4, 4) T_source_target; source_pose: (4, 4)
    T_object_source or None; heading_known: whether its azimuth means anything; noise: (N, S,
    *latent_shape) float32.
    """

    image: np.ndarray
    poses: np.ndarray
    source_pose: np.ndarray | None
    heading_known: bool
    noise: np.ndarray

    @classmethod
    def of(
        cls,
        config: ModelConfig,
        image: np.ndarray,
        poses: ArrayLike,
        samples: int = 1,
        rng: np.random.Generator | None = None,
        source_pose: ArrayLike | None = None,
        heading_known: bool = True,
    ) -> "Request":
        """Raises ValueError for arguments that do not fit; they are those of `generate`."""
        poses = geometry.check_pose(poses, "poses")
        if poses.ndim != 3:
            raise ValueError(f"poses has shape {poses.shape}; it must be (N, 4, 4)")
        if samples < 1:
            raise ValueError(f"samples is {samples}; it must be at least 1")
        image = small(image, config.size)
        if image.ndim != 3:
            raise ValueError(f"image has shape {image.shape}; it must be H x W x 3")
        if source_pose is not None:
            source_pose = geometry.check_pose(source_pose, "source_pose")
            if source_pose.ndim != 2:
                raise ValueError(f"source_pose has shape {source_pose.shape}; it must be (4, 4)")
        elif config.is_flow and len(poses):
            source_pose, heading_known = geometry.upright_source(poses), False
        rng = np.random.default_rng() if rng is None else rng
        noise = draw_noise(config, rng, len(poses), samples)
        return cls(image, poses, source_pose, heading_known, noise)

    def parts(self) -> Iterator["Request"]:
        """The request in batches of some views."""
        together = max(1, BATCH // self.noise.shape[1])
        for i in range(0, len(self.poses), together):
            part = slice(i, i + together)
            yield replace(self, poses=self.poses[part], noise=self.noise[part])

    def arrays(self) -> dict[str, np.ndarray]:
        """The arguments of a flow's WholePath, by name."""
        return {
            "image": self.image,
            "source_rotation": self.source_pose[:3, :3].astype(np.float32),
            "heading_known": np.array(self.heading_known),
            "rotations": self.rotations,
            "noise": self.noise,
        }

    @property
    def rotations(self) -> np.ndarray:
        """R_object_target of the target cameras, (N, 3, 3) float32."""
        return (self.source_pose @ self.poses)[:, :3, :3].astype(np.float32)


def draw_noise(
    config: ModelConfig, rng: np.random.Generator, views: int, samples: int
) -> np.ndarray:
    """What a model makes samples of views from, (views, samples, *latent_shape) float32."""
    noise = antithetic_noise(rng, (views, samples, *config.latent_shape))
    return np.float32(config.noise_scale) * noise


def antithetic_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal noise (views, samples, ...) float32 that sums to zero over the samples of a view.

    Each sample's noise by itself is N(0, 1). Since together they are balanced, the mean of a few
    samples is nearly that of infinitely many (antithetic variates: Hammersley and Morton 1956).
    """
    noise, samples = rng.standard_normal(shape, np.float32), shape[1]
    if samples > 1:
        noise -= noise.mean(axis=1, keepdims=True)
        noise *= np.float32((samples / (samples - 1)) ** 0.5)
    return noise


def small(images: np.ndarray, size: int) -> np.ndarray:
    """Images (..., H, W, 3 or 4) uint8 of any size to (..., size, size, 3); alpha becomes white."""
    images = np.asarray(images)
    if images.ndim < 3 or images.shape[-1] not in (3, 4) or images.dtype != np.uint8:
        raise ValueError(
            f"an image has the shape {images.shape} and type {images.dtype}; it must be H x W x 3 "
            "(or 4) uint8"
        )
    flat = images.reshape(-1, *images.shape[-3:])
    resized = [resize(on_white(image), size) for image in flat]
    return np.reshape(resized, (*images.shape[:-3], size, size, 3)).astype(np.uint8)
