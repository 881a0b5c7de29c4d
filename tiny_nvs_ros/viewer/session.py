"""What one browser looks at: an object, its photographs, the target camera and the settings.

Nothing here knows of the page. Lengths are object radii: the object is in a sphere of radius 1
around the origin, unless `scale` says otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiny_nvs_ros import next_best_view
from tiny_nvs_ros.fusion import around, fuse
from tiny_nvs_ros.geometry import look_at
from tiny_nvs_ros.pipeline import ImaginedViews, PreparedSource, SourceImage, imagine, prepare
from tiny_nvs_ros.runtime import Renderer
from tiny_nvs_ros.shape import GLTF_FROM_OBJECT, Shape
from tiny_nvs_ros.simulation.objects import Subject, source_pose

SEED = 0  # the same noise for each view, so that an image changes only if its camera moves
SHAPE_SAMPLES = 4  # of each of the views that a shape is fused from
DISTANCES = 2.3, 16.0  # of the target camera, in radii: within those of training
NEXT_VIEW_DISTANCE = 4.0


@dataclass(frozen=True)
class TargetView:
    """An imagined view. image, truth: size x size x 3 uint8; truth is None if it is not known.

    uncertainty: size x size float32, standard deviation of the colours, of 1. T_object_camera:
    (4, 4).
    """

    image: np.ndarray
    uncertainty: np.ndarray
    truth: np.ndarray | None
    T_object_camera: np.ndarray

    @property
    def mean_uncertainty(self) -> float:
        return float(self.uncertainty.mean())


class Session:
    """The state of one page; nothing is thread-safe.

    A change that makes a source unusable raises ValueError and leaves everything as it was.
    samples: of each view.
    """

    def __init__(self, renderer: Renderer, subject: Subject, samples: int = 8):
        self.samples = samples
        self._use(renderer, subject, 1.0, subject.sources(1))

    @property
    def subject(self) -> Subject:
        return self._subject

    @subject.setter
    def subject(self, subject: Subject) -> None:
        """Look at another object, with its first photograph as the only source."""
        self._use(self._renderer, subject, self._scale, subject.sources(1))

    @property
    def renderer(self) -> Renderer:
        return self._renderer

    @renderer.setter
    def renderer(self, renderer: Renderer) -> None:
        """Take another model, with the first sources if it takes fewer."""
        photos = self._photos[: renderer.config.max_sources]
        self._use(renderer, self._subject, self._scale, photos)

    @property
    def scale(self) -> float:
        """Radius that the model is told, times the object's."""
        return self._scale

    @scale.setter
    def scale(self, scale: float) -> None:
        self._use(self._renderer, self._subject, scale, self._photos)

    @property
    def photos(self) -> list[SourceImage]:
        """The sources."""
        return list(self._photos)

    @property
    def sources(self) -> list[PreparedSource]:
        """The sources as the model is given them."""
        return list(self._sources)

    @property
    def max_sources(self) -> int:
        """How many sources there may be."""
        return self._renderer.config.max_sources if self._subject.simulated else 1

    @property
    def gives_shape(self) -> bool:
        """Whether the model gives the depth that a shape is made of."""
        return "depth" in getattr(self._renderer.config.module, "OUTPUTS", ())

    def reset(self) -> None:
        """Keep the first photograph of the object alone."""
        self._use_photos(self._subject.sources(1))

    def set_source_count(self, count: int) -> None:
        """Take further photographs, from places far from one another, or drop the newest."""
        count = min(count, self.max_sources)
        photos = self._photos[:count]
        for i in range(len(photos), count):
            photos.append(self._subject.photograph(source_pose(i)))
        self._use_photos(photos)

    def look_from(self, T_object_camera: np.ndarray) -> None:
        """Add a photograph from a camera; it replaces the only one if the model takes one.

        Raises ValueError if the object cannot be photographed or there are as many as can be.
        """
        if not self._subject.simulated:
            raise ValueError("A photo shows its object from one side; there is no other to look at")
        photo = self._subject.photograph(T_object_camera)
        if self.max_sources == 1:
            self._use_photos([photo])
        elif len(self._photos) == self.max_sources:
            raise ValueError(f"The model takes at most {self.max_sources} sources")
        else:
            self._use_photos([*self._photos, photo])

    def target_camera(self, position: Sequence[float]) -> np.ndarray:
        """Return the camera (4, 4) at a position that looks at the object, within DISTANCES."""
        position = np.asarray(position, float)
        distance = np.linalg.norm(position)
        if not 1e-6 < distance < np.inf:
            position, distance = np.array([1.0, 0, 0]), 1.0
        distances = self._scale * np.array(DISTANCES)
        return look_at(position / distance * np.clip(distance, *distances), np.zeros(3))

    def view_from(self, T_object_camera: np.ndarray) -> TargetView:
        """Imagine what a camera sees."""
        views = self._imagine([T_object_camera], self.samples)
        photo, truth = self._subject.photograph(T_object_camera), None
        if photo is not None:
            truth = prepare(photo, self._renderer.config.camera, self._scale).view.image
        return TargetView(views.images[0], views.uncertainties[0], truth, T_object_camera)

    def shape(self) -> Shape:
        """Return the object's shape; it is empty for a model without depth."""
        if not self.gives_shape:
            return Shape.empty(self._scale)
        return fuse(self._imagine(around(self._scale), SHAPE_SAMPLES))

    def next_view(self) -> np.ndarray:
        """Return the camera (4, 4) from which a photograph would tell most."""
        distance = self._scale * NEXT_VIEW_DISTANCE
        candidates = next_best_view.ring(self._scale, distance)
        gains = next_best_view.rank(
            self._renderer, self._sources, candidates, object_radius=self._scale, seed=SEED
        )
        return candidates[gains.argmax()]

    def _use_photos(self, photos: Sequence[SourceImage]) -> None:
        self._use(self._renderer, self._subject, self._scale, photos)

    def _use(
        self, renderer: Renderer, subject: Subject, scale: float, photos: Sequence[SourceImage]
    ) -> None:
        sources = [prepare(photo, renderer.config.camera, scale) for photo in photos]
        self._renderer, self._subject, self._scale = renderer, subject, scale
        self._photos, self._sources = list(photos), sources

    def _imagine(self, targets: Sequence[np.ndarray], samples: int) -> ImaginedViews:
        return imagine(
            self._renderer,
            self._sources,
            targets,
            samples=samples,
            seed=SEED,
            object_radius=self._scale,
        )


def mesh_file(shape: Shape) -> bytes:
    """Return a shape's surface as a .glb file. Raises ValueError if it has none."""
    import trimesh

    vertices, faces, colors = shape.to_mesh()
    if not len(faces):
        raise ValueError("The shape has no surface: nothing is certain enough to be solid")
    mesh = trimesh.Trimesh(vertices @ GLTF_FROM_OBJECT.T, faces, vertex_colors=colors)
    return mesh.export(file_type="glb")
