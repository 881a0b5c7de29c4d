"""Baselines of evaluate: views made without the model."""

import numpy as np

from tiny_nvs_ros.geometry import twist
from tiny_nvs_ros.image import rotate
from tiny_nvs_ros.srn_data import Views

NEIGHBOUR_ANGLE = np.radians(10)  # views with a smaller angle between them are neighbours
MIN_NEIGHBOURS = 16  # of the nearest views, if fewer are within that angle


class TrainingViews:
    """The views of a training set, found by their pose in the object's frame.

    All cameras look at the object's centre from one distance, so that the angle of the turn
    between two of them says how near they are.
    """

    def __init__(self, views: Views):
        self.views = views
        self.rotations = views.poses[:, :3, :3].reshape(-1, 9)

    def mean_view(self, T_object_target: np.ndarray) -> np.ndarray:
        """Mean of the views near a pose (4, 4), whatever their object: float32 in [0, 1]."""
        near = self.views.images[self._near(T_object_target)]
        return near.mean(axis=0, dtype=np.float32) / 255

    def nearest_instance(self, image: np.ndarray, T_object_source: np.ndarray) -> int:
        """The object of which a view near the pose (4, 4) has the least squared error to `image`.

        image: size x size x 3 uint8. Returns the instance's number.
        """
        near = self._near(T_object_source)
        difference = self.views.images[near].astype(np.float32) - image
        best = near[(difference**2).mean(axis=(1, 2, 3)).argmin()]
        return int(np.searchsorted(self.views.offsets, best, side="right")) - 1

    def view_of(self, instance: int, T_object_target: np.ndarray) -> np.ndarray:
        """The instance's view from the direction nearest to a pose (4, 4), turned upright: uint8.

        Without the turn, views from above would be off by any angle.
        """
        start, end = self.views.offsets[instance : instance + 2]
        axes = self.views.poses[start:end, :3, 2]
        nearest = start + (axes @ T_object_target[:3, 2]).argmax()
        difference = T_object_target[:3, :3].T @ self.views.poses[nearest, :3, :3]
        return rotate(self.views.images[nearest], twist(difference))

    def _near(self, pose: np.ndarray) -> np.ndarray:
        """Indices of the views near a pose, ascending."""
        closeness = _closeness(self.rotations, pose)
        count = max(MIN_NEIGHBOURS, int((closeness > 1 + 2 * np.cos(NEIGHBOUR_ANGLE)).sum()))
        if count >= len(closeness):
            return np.arange(len(closeness))
        return np.sort(np.argpartition(-closeness, count)[:count])


def _closeness(rotations: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Trace of R^T R', which is 1 + 2 cos of the angle between: (N, 9) and (4, 4) to (N,)."""
    return rotations @ pose[:3, :3].reshape(9).astype(rotations.dtype)
