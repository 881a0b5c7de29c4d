"""What the model must beat: methods that imagine a view without it, for evaluate's table."""

import numpy as np
import torch
from torch import Tensor, nn

from tiny_nvs_ros.geometry import relative_pose, twist
from tiny_nvs_ros.image import turn
from tiny_nvs_ros.model import NovelViewModel, ViewRequest
from tiny_nvs_ros.model.flow.transformer import SourceTokens
from training.srn import Views

NEAR = np.radians(10)  # poses nearer than this are neighbours
FEWEST = 16  # but at least so many of the nearest are


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
        return turn(self.views.images[nearest], twist(difference))

    def _near(self, pose: np.ndarray) -> np.ndarray:
        """Indices of the views near a pose, ascending."""
        closeness = _closeness(self.rotations, pose)
        count = max(FEWEST, int((closeness > 1 + 2 * np.cos(NEAR)).sum()))
        if count >= len(closeness):
            return np.arange(len(closeness))
        return np.sort(np.argpartition(-closeness, count)[:count])


def _closeness(rotations: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Trace of R^T R', which is 1 + 2 cos of the angle between: (N, 9) and (4, 4) to (N,)."""
    return rotations @ pose[:3, :3].reshape(9).astype(rotations.dtype)


def regress(denoiser: nn.Module, last: int, like: Tensor, context: Tensor) -> Tensor:
    """The denoiser's network as a deterministic regressor of the target's latent.

    It starts from an empty latent at the `last` timestep and returns the latent itself, scaled.
    like: any latent (B, C, h, w) of the wanted shape; context: (B, 1, D), as
    NovelViewModel.context makes it.
    """
    t = torch.full((len(context),), last, device=context.device)
    return denoiser(torch.zeros_like(like), t, context)


def regress_flow(
    denoiser: nn.Module, like: Tensor, rotation: Tensor, source: SourceTokens
) -> Tensor:
    """A flow's network as a deterministic regressor of the targets' latents, as `regress`.

    like: any latents (B, K, C, h, w); rotation: (B, K, 3, 3) R_object_target; source: of the B
    source views.
    """
    last, empty = torch.ones(like.shape[:2], device=like.device), torch.zeros_like(like)
    target = denoiser.target(rotation, source)
    return -denoiser(empty, last, torch.zeros_like(last), target)


def regressed(model: NovelViewModel, request: ViewRequest) -> Tensor:
    """Latents (N, C, h, w) of a request's targets, by a model whose denoiser is a regressor."""
    like = torch.empty(request.noise[:, 0].shape, device=model.device)
    if model.config.architecture == "flow":
        inputs = model.config.module.inputs(request)
        image, rotation, known, rotations = (
            torch.from_numpy(inputs[name]).to(model.device)
            for name in ("image", "source_rotation", "heading_known", "rotations")
        )
        source = model.source_tokens(image, rotation, known)
        return regress_flow(model.denoiser, like[None], rotations[None], source)[0]
    latent = model.encode(request.sources[0].image).expand_as(like)
    T = relative_pose(request.sources[0].T_object_camera, request.T_object_targets)
    context = model.context(latent, torch.from_numpy(T).to(like))
    return regress(model.denoiser, len(model.schedule) - 1, like, context)
