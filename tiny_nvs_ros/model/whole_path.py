"""A flow from picture to pictures as one network, for runtimes that take a network as a whole."""

import torch
from torch import Tensor, nn

from tiny_nvs_ros.model.diffusion import SHORTCUTS
from tiny_nvs_ros.model.novel_view_model import NovelViewModel
from tiny_nvs_ros.model.transformer import Moment


class WholePath(nn.Module):
    """Encodes, conditions, takes the steps and decodes; all that can be known before is constant.

    steps: one of diffusion.SHORTCUTS. Raises ValueError for other numbers, and for a model that is
    not a flow.
    """

    def __init__(self, model: NovelViewModel, steps: int):
        super().__init__()
        if not model.config.is_flow:
            raise ValueError(
                f"the preset {model.config.preset} runs in torch alone (runtime eager)"
            )
        if steps not in SHORTCUTS:
            raise ValueError(
                f"steps is {steps}; it must be one of {', '.join(map(str, SHORTCUTS))}"
            )
        self.autoencoder, self.denoiser = model.autoencoder, model.denoiser
        self.scale, self.steps = model.config.latent_scale, steps
        ends = 1 - torch.arange(steps, device=model.device) / steps
        with torch.inference_mode():
            moments = self.denoiser.moment(ends, torch.full_like(ends, 1 / steps))
        for name, value in moments._asdict().items():
            self.register_buffer(name, value.clone(), persistent=False)

    def forward(
        self,
        image: Tensor,
        source_rotation: Tensor,
        heading_known: Tensor,
        rotations: Tensor,
        noise: Tensor,
    ) -> Tensor:
        """Imagined views, (N, S, size, size, 3) uint8.

        image: (size, size, 3) uint8; source_rotation: (3, 3) R_object_source; heading_known: ()
        bool; rotations: (N, 3, 3) R_object_target; noise: (N, S, C, h, w).
        """
        dtype = self.embedding.dtype
        image = image.to(dtype).permute(2, 0, 1)[None] / 127.5 - 1
        features = self.autoencoder.features(image)
        source = self.denoiser.source(features, source_rotation[None], heading_known[None])
        target, z = self.denoiser.target(rotations[None], source), noise
        moments = (getattr(self, name).split(1) for name in Moment._fields)
        for moment in zip(*moments, strict=True):
            z = z - self.denoiser.velocity(z, Moment(*moment), target) / self.steps
        images = self.autoencoder.decode(z.flatten(0, 1) / self.scale)
        images = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return images.permute(0, 2, 3, 1).unflatten(0, noise.shape[:2])
