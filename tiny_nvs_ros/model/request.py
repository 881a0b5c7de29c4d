"""Requests for views and the samples that answer them. Needs no torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike

from tiny_nvs_ros import geometry
from tiny_nvs_ros.image import on_white, resize, scene_of
from tiny_nvs_ros.model.config import ModelConfig

MAX_VIEWS_AT_ONCE = 256  # samples counted as views; bounds the memory of large requests


@dataclass(frozen=True)
class ViewSamples:
    """Samples of imagined views: S samples of each of N views.

    rgb: N x S x size x size x 3 uint8. alpha: N x S x size x size float32 in [0, 1], and depth:
    likewise, of the surface along the optical axis, object radii behind the object's centre; None
    for a model that does not give them.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    depth: np.ndarray | None = None

    @classmethod
    def concatenate(cls, parts: Sequence["ViewSamples"]) -> "ViewSamples":
        """Join the views of one or more parts of a request."""

        def joined(name: str) -> np.ndarray | None:
            values = [getattr(part, name) for part in parts]
            return None if values[0] is None else np.concatenate(values)

        return cls(**{f.name: joined(f.name) for f in fields(cls)})

    @classmethod
    def empty(cls, names: Sequence[str], samples: int, size: int) -> "ViewSamples":
        """Return the answer to a request without targets; names: the fields that are not None."""
        shape = 0, samples, size, size
        maps = {name: np.zeros(shape, np.float32) for name in names}
        return cls(**{**maps, "rgb": np.zeros((*shape, 3), np.uint8)})

    @property
    def mean(self) -> np.ndarray:
        """Mean colour over the samples, N x size x size x 3 float32 in [0, 1]."""
        return self.rgb.mean(axis=1, dtype=np.float32) / 255

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of the colour over the samples, N x size x size float32 in [0, 1].

        Root of the mean squared distance from their mean, averaged over the channels. It divides by
        S, not S - 1: antithetic noise, not chance, determines the samples' mean (except for the
        sampler ddpm, whose own noise is independent: there it is too small by a factor of
        sqrt(1 - 1 / S)). NaN with one sample, which says nothing about its own uncertainty.
        """
        if self.rgb.shape[1] == 1:
            return np.full((len(self.rgb), *self.rgb.shape[2:4]), np.nan, np.float32)
        # In place and one axis at a time: a third of the time of var and a mean over two axes.
        deviations = self.rgb - self.rgb.mean(axis=1, keepdims=True, dtype=np.float32)
        variances = np.square(deviations, out=deviations).mean(axis=1).mean(axis=-1)
        return np.sqrt(variances) / 255


@dataclass(frozen=True)
class SourceView:
    """A view of the object that a model is given.

    image: size x size x 3 uint8, on white; T_object_camera: (4, 4) of its camera, model units.
    alpha: size x size float32 in [0, 1], the object's share of each pixel; None if it is not known.
    scene: size x size x 3 uint8, what alpha was cut from; None if it is not known.
    """

    image: np.ndarray
    T_object_camera: np.ndarray
    alpha: np.ndarray | None = None
    scene: np.ndarray | None = None


@dataclass(frozen=True)
class ViewRequest:
    """A checked request for views of an object, in the object's frame and model units.

    sources: views that are given. T_object_targets: (N, 4, 4), cameras to imagine. heading_known:
    whether the azimuths in the object's frame mean anything. noise: (N, S, *latent_shape) float32,
    that the S samples of each view are made from. sampler_seed: of the noise that a sampler draws
    by itself. steps: of the sampler, None for the model's own number.
    """

    sources: tuple[SourceView, ...]
    T_object_targets: np.ndarray
    heading_known: bool
    noise: np.ndarray
    sampler_seed: int = 0
    steps: int | None = None

    @classmethod
    def create(
        cls,
        config: ModelConfig,
        sources: Sequence,
        T_object_targets: ArrayLike,
        *,
        samples: int = 1,
        seed: int | None = None,
        steps: int | None = None,
        heading_known: bool = True,
        noise: np.ndarray | None = None,
    ) -> "ViewRequest":
        """Check arguments and draw the noise.

        sources: one pair (image, T_object_camera), or a list of pairs or SourceViews; an image is
        H x W x 3 uint8, or x 4 (transparent pixels become white). T_object_targets: (N, 4, 4).
        samples: of each view. seed: of the noise, None for a random one. noise: as `draw_noise`
        gives it, instead of samples and seed. Raises ValueError for arguments that cannot be used.
        """
        given = [sources] if _is_one(sources) else list(sources)
        if not 1 <= len(given) <= config.max_sources:
            takes = f"1 to {config.max_sources}" if config.max_sources > 1 else "one"
            raise ValueError(
                f"{len(given)} source views are given; the architecture {config.architecture} "
                f"takes {takes}"
            )
        views = tuple(_source_view(config, each) for each in given)
        targets = _check_poses(T_object_targets, "T_object_targets")
        rng = np.random.default_rng(seed)
        if noise is None:
            if samples < 1:
                raise ValueError(f"samples is {samples}; it must be at least 1")
            noise = draw_noise(config, rng, len(targets), samples)
        sampler_seed = int(rng.integers(2**63))
        return cls(views, targets, bool(heading_known), noise, sampler_seed, steps)

    @classmethod
    def from_relative_poses(
        cls,
        config: ModelConfig,
        image: np.ndarray,
        T_source_targets: ArrayLike,
        *,
        source_pose: ArrayLike | None = None,
        heading_known: bool = True,
        **options: object,
    ) -> "ViewRequest":
        """Make a request from one image and target cameras in the frame of its camera.

        T_source_targets: (N, 4, 4). source_pose: (4, 4) T_object_source. Without it the paper's
        model needs no more; other models find the source camera's elevation from the poses, and
        the heading is not known. options: of `create`. Raises ValueError as `create`, and for
        poses that leave the elevation open.
        """
        relative = _check_poses(T_source_targets, "poses")
        if source_pose is not None:
            source_pose = geometry.check_pose(source_pose, "source_pose")
            if source_pose.ndim != 2:
                raise ValueError(f"source_pose has shape {source_pose.shape}; it must be (4, 4)")
        elif not config.module.NEEDS_OBJECT_FRAME or not len(relative):
            source_pose = np.eye(4)
        else:
            source_pose, heading_known = geometry.upright_source(relative), False
        targets = source_pose @ relative
        return cls.create(
            config, (image, source_pose), targets, heading_known=heading_known, **options
        )

    def parts(self) -> Iterator["ViewRequest"]:
        """Split the request into parts of at most MAX_VIEWS_AT_ONCE views times samples."""
        together = max(1, MAX_VIEWS_AT_ONCE // self.noise.shape[1])
        for i in range(0, len(self.T_object_targets), together):
            part = slice(i, i + together)
            yield replace(
                self, T_object_targets=self.T_object_targets[part], noise=self.noise[part]
            )


def _is_one(sources: object) -> bool:
    """Return whether `sources` is one source view or (image, pose) pair, not a list of them."""
    if isinstance(sources, SourceView):
        return True
    return len(sources) == 2 and isinstance(sources[0], np.ndarray)


def _source_view(config: ModelConfig, source: object) -> SourceView:
    if isinstance(source, SourceView):
        image, pose = source.image, source.T_object_camera
        alpha, scene = source.alpha, source.scene
    else:
        image, pose = source
        image, alpha, scene = np.asarray(image), None, None
        if image.ndim == 3 and image.shape[-1] == 4 and image.dtype == np.uint8:
            alpha = resize(image, config.size)[..., 3] / np.float32(255)
            scene = scene_of(image)
            scene = None if scene is None else resize(scene, config.size)
    image = to_model_size(image, config.size)
    if image.ndim != 3:
        raise ValueError(f"image has shape {image.shape}; it must be H x W x 3")
    if alpha is not None and alpha.shape != image.shape[:2]:
        raise ValueError(f"alpha has shape {alpha.shape}; it must be {image.shape[:2]}")
    if scene is not None and scene.shape != image.shape:
        raise ValueError(f"scene has shape {scene.shape}; it must be {image.shape}")
    pose = geometry.check_pose(pose, "T_object_camera")
    if pose.ndim != 2:
        raise ValueError(f"T_object_camera has shape {pose.shape}; it must be (4, 4)")
    return SourceView(image, pose, alpha, scene)


def _check_poses(poses: ArrayLike, name: str) -> np.ndarray:
    poses = geometry.check_pose(poses, name)
    if poses.ndim != 3:
        raise ValueError(f"{name} has shape {poses.shape}; it must be (N, 4, 4)")
    return poses


def draw_noise(
    config: ModelConfig, rng: np.random.Generator, views: int, samples: int
) -> np.ndarray:
    """Draw the noise that samples of views are made from, (views, samples, *latent_shape)."""
    noise = antithetic_noise(rng, (views, samples, *config.latent_shape))
    return np.float32(config.noise_scale) * noise


def antithetic_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw normal noise (views, samples, ...) float32 that sums to zero over a view's samples.

    Each sample's noise by itself is N(0, 1). Because together they are balanced, the mean of a few
    samples is close to that of infinitely many (antithetic variates: Hammersley and Morton 1956).
    """
    noise, samples = rng.standard_normal(shape, np.float32), shape[1]
    if samples > 1:
        noise -= noise.mean(axis=1, keepdims=True)
        noise *= np.float32((samples / (samples - 1)) ** 0.5)
    return noise


def to_model_size(images: np.ndarray, size: int) -> np.ndarray:
    """Resize images (..., H, W, 3 or 4) uint8 to (..., size, size, 3); alpha becomes white."""
    images = np.asarray(images)
    if (
        images.ndim < 3
        or 0 in images.shape[-3:]
        or images.shape[-1] not in (3, 4)
        or images.dtype != np.uint8
    ):
        raise ValueError(
            f"an image has the shape {images.shape} and type {images.dtype}; it must be H x W x 3 "
            "(or 4) uint8"
        )
    flat = images.reshape(-1, *images.shape[-3:])
    resized = [resize(on_white(image), size) for image in flat]
    return np.reshape(resized, (*images.shape[:-3], size, size, 3)).astype(np.uint8)
