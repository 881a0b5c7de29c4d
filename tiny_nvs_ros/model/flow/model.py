"""The flow model: image and cameras to images in one pass, which is also what is exported."""

from collections.abc import Callable

import torch
from torch import Tensor

from tiny_nvs_ros.model.base import LatentModel, to_tensor, to_uint8_tensor
from tiny_nvs_ros.model.config import ModelConfig
from tiny_nvs_ros.model.flow import inputs
from tiny_nvs_ros.model.flow.autoencoder import ShuffleAutoencoder
from tiny_nvs_ros.model.flow.transformer import FlowTransformer, SourceTokens, TargetTokens
from tiny_nvs_ros.model.request import ViewRequest
from tiny_nvs_ros.model.samplers import FLOW_SAMPLERS, SHORTCUT_STEPS, check_sampler, sample_flow

# Parameters by their name in weights of before, and now.
RENAMED = {
    "denoiser.place": "denoiser.pos_embed",
    "denoiser.source_place": "denoiser.source_pos_embed",
    "denoiser.timeless": "denoiser.null_time_embed",
    "denoiser.lift.": "denoiser.tokens_to_volume.",
    "denoiser.land.": "denoiser.volume_to_tokens.",
}


class FlowModel(LatentModel):
    """See the package."""

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        check_sampler(config.sampler["name"], FLOW_SAMPLERS)
        channels, side, _ = config.latent_shape
        self.autoencoder = ShuffleAutoencoder(**config.autoencoder)
        self.denoiser = FlowTransformer(
            **config.denoiser,
            latent_channels=channels,
            side=side,
            source_channels=config.autoencoder["widths"][-1],
            camera=config.camera,
        )

    @classmethod
    def renamed(cls, state: dict[str, Tensor]) -> dict[str, Tensor]:
        names = {}
        for name in state:
            old = next((old for old in RENAMED if name.startswith(old)), None)
            names[name] = name if old is None else name.replace(old, RENAMED[old], 1)
        return {names[name]: value for name, value in state.items()}

    def forward(
        self,
        image: Tensor,
        source_rotation: Tensor,
        heading_known: Tensor,
        rotations: Tensor,
        noise: Tensor,
        steps: int | None = None,
    ) -> Tensor:
        """Return imagined views, (N, S, size, size, 3) uint8.

        image: (size, size, 3) uint8; source_rotation: (3, 3) R_object_source; heading_known: ()
        bool; rotations: (N, 3, 3) R_object_target; noise: (N, S, C, h, w). steps: one of
        SHORTCUT_STEPS, None for the config's.
        """
        source = self.source_tokens(image, source_rotation, heading_known)
        target = self.denoiser.target(rotations[None], source)
        z = self.sample_latents(target, noise, steps, "shortcut")
        images = self.autoencoder.decode(z.flatten(0, 1) / self.config.latent_scale)
        return to_uint8_tensor(images).unflatten(0, noise.shape[:2])

    def source_tokens(self, image: Tensor, rotation: Tensor, heading_known: Tensor) -> SourceTokens:
        """Return the source view as targets see it; arguments as of `forward`."""
        features = self.autoencoder.features(to_tensor(image[None]))
        return self.denoiser.source(features, rotation[None], heading_known[None])

    def sample_latents(
        self,
        target: TargetTokens,
        noise: Tensor,
        steps: int | None = None,
        sampler: str | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Return scaled latents (B, S, C, h, w) from noise of that shape: S for each target."""
        steps = self.config.sampler["steps"] if steps is None else steps
        sampler = sampler or self.sampler_name(steps)

        def velocity(z: Tensor, t: float, step_size: float) -> Tensor:
            on_step()
            # Made on the device: nothing may come from the host in a CUDA graph.
            t, step_size = (torch.full((1,), x, device=z.device) for x in (t, step_size))
            return self.denoiser.velocity(z, self.denoiser.time_embedding(t, step_size), target)

        return sample_flow(velocity, noise, steps, sampler)

    def sampler_name(self, steps: int) -> str:
        """Return the name of the sampler: Euler's, if no shortcuts were learnt for the steps."""
        name = self.config.sampler["name"]
        return "euler" if name == "shortcut" and steps not in SHORTCUT_STEPS else name

    @torch.inference_mode()
    def sample_request(
        self,
        request: ViewRequest,
        on_step: Callable[[], None] = lambda: None,
        sampler: str | None = None,
    ) -> Tensor:
        source, z = None, []
        for part in request.parts():
            tensors = {k: torch.from_numpy(v).to(self.device) for k, v in inputs(part).items()}
            if source is None:
                names = "image", "source_rotation", "heading_known"
                source = self.source_tokens(*(tensors[name] for name in names))
            target = self.denoiser.target(tensors["rotations"][None], source)
            z.append(self.sample_latents(target, tensors["noise"], request.steps, sampler, on_step))
        return torch.cat(z)
