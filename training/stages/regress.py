"""The denoisers' networks as deterministic regressors of the target view's latent."""

import torch
from torch import Tensor, nn

from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model import NovelViewModel, ViewRequest
from tiny_nvs_ros.model.flow.transformer import SourceTokens


def regress(denoiser: nn.Module, last: int, like: Tensor, context: Tensor) -> Tensor:
    """Apply the denoiser's network as a deterministic regressor of the target's latent.

    It starts from an empty latent at the `last` timestep and returns the latent itself, scaled.
    like: any latent (B, C, h, w) of the wanted shape; context: (B, 1, D), as
    NovelViewModel.context makes it.
    """
    t = torch.full((len(context),), last, device=context.device)
    return denoiser(torch.zeros_like(like), t, context)


def regress_flow(
    denoiser: nn.Module, like: Tensor, rotation: Tensor, source: SourceTokens
) -> Tensor:
    """Apply a flow's network as a deterministic regressor of the targets' latents.

    like: any latents (B, K, C, h, w); rotation: (B, K, 3, 3) R_object_target; source: of the B
    source views.
    """
    last, empty = torch.ones(like.shape[:2], device=like.device), torch.zeros_like(like)
    target = denoiser.target(rotation, source)
    return -denoiser(empty, last, torch.zeros_like(last), target)


def regressed(model: NovelViewModel, request: ViewRequest) -> Tensor:
    """Return latents (N, C, h, w) of a request's targets; the model's denoiser is a regressor."""
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
