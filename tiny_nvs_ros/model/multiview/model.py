"""The multi-view model: source images and cameras to views in one pass, which is also exported."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.model.base import NovelViewModel, to_uint8_tensor
from tiny_nvs_ros.model.config import ModelConfig
from tiny_nvs_ros.model.multiview import OUTPUTS, inputs
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from tiny_nvs_ros.model.request import ViewRequest, ViewSamples


class MultiviewModel(NovelViewModel):
    """See the package."""

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        if config.camera != replace(SRN_CAMERA, size=config.size, any_distance=True):
            raise ValueError(
                f"geometry is {config.geometry}; the architecture has cameras of its own"
            )
        self.network = MultiviewNetwork(config.size, **config.denoiser)
        self._check_sampler(config.sampler["name"], config.sampler["steps"])

    def forward(
        self,
        images: Tensor,
        source_rotations: Tensor,
        source_rho: Tensor,
        heading_known: Tensor,
        rotations: Tensor,
        rho: Tensor,
        noise: Tensor,
        steps: int | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return S samples of N views of one object: the fields of ViewSamples.

        images: (n, size, size, 7) RGB on white, alpha, and RGB of the surroundings, 0 to 1;
        source_rotations: (n, 3, 3) R_object_source; source_rho: (n,) object radii; heading_known:
        () bool; rotations: (N, 3, 3) R_object_target; rho: (N,); noise: (N, S, C, h, w). steps: 1,
        as the runtimes give it.
        """
        views = self.network(
            images.permute(0, 3, 1, 2)[None] * 2 - 1,
            source_rotations[None],
            source_rho[None],
            torch.ones_like(source_rho[None], dtype=torch.bool),
            heading_known[None],
            rotations[None],
            rho[None],
            noise[None],
        )
        rgb = to_uint8_tensor(views.on_white()[0].flatten(0, 1) * 2 - 1)
        alpha, depth = (x[0, :, :, 0] for x in (views.alpha, views.depth))
        return rgb.unflatten(0, noise.shape[:2]), alpha, depth

    @torch.inference_mode()
    def render(
        self,
        request: ViewRequest,
        on_step: Callable[[], None] = lambda: None,
        sampler: str | None = None,
    ) -> ViewSamples:
        steps = self.config.sampler["steps"] if request.steps is None else request.steps
        self._check_sampler(sampler or self.config.sampler["name"], steps)
        parts = [ViewSamples.empty(OUTPUTS, request.noise.shape[1], self.config.size)]
        for part in request.parts():
            on_step()
            tensors = {k: torch.from_numpy(v).to(self.device) for k, v in inputs(part).items()}
            outputs = (each.cpu().numpy() for each in self(**tensors))
            parts.append(ViewSamples(*outputs))
        return ViewSamples.concatenate(parts)

    @staticmethod
    def _check_sampler(name: str, steps: int) -> None:
        if name != "direct":
            raise ValueError(f"no sampler {name!r}; the architecture multiview has direct only")
        if steps != 1:
            raise ValueError(f"steps is {steps}; the architecture multiview takes one step")
