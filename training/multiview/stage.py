"""The one stage of the multi-view network, which is trained end to end."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from tiny_nvs_ros.model.multiview.network import MultiviewNetwork
from training.multiview.data import ObjectViews, premultiplied, targets_of
from training.multiview.dirty_sources import Disturbances, disturb
from training.multiview.losses import EnergyScoreLoss, MaskLoss
from training.stages.base import CHANNEL_PERMUTATIONS
from training.stages.flow import mirror


@dataclass(frozen=True)
class MultiviewSettings:
    """batch_size: objects; targets: of each; source_shares: how often 1, 2 ... sources are given.

    mirrored, permuted, known_heading: probabilities, per object; contradicting: that the second
    source shows another object, or this one turned about its z axis. clean: that no source is
    disturbed, nor its pose; several sources that agree show the network that it need not blur.
    pose_noise: of the other sources' directions, radians, and of their distances, relative.
    only_masks: train nothing but the repair of the sources' masks.
    """

    batch_size: int = 256
    targets: int = 4
    source_shares: tuple[float, ...] = (0.45, 0.2, 0.15, 0.2)
    mirrored: float = 0.5
    permuted: float = 0.2
    known_heading: float = 0.25
    contradicting: float = 0.1
    clean: float = 0.5
    pose_noise: float = 0.004
    only_masks: bool = False
    seed: int = 0
    disturbances: Disturbances = field(default_factory=Disturbances)

    def of_masks(self) -> "MultiviewSettings":
        """Return these settings for masks alone: half of them right, surroundings all known."""
        how = replace(self.disturbances, estimated_alpha=0.0, cut_out=0.0)
        return replace(self, only_masks=True, clean=0.3, disturbances=how)


class MultiviewStage:
    """Draws batches; every draw depends on the seed, the iteration and the rank alone."""

    name = "multiview"

    def __init__(self, network: MultiviewNetwork, views: ObjectViews, settings: MultiviewSettings):
        self.network, self.views, self.settings = network, views, settings
        self.loss = (MaskLoss if settings.only_masks else EnergyScoreLoss)(network)
        self.device = views.rgba.device
        self.generator = torch.Generator(device=self.device)

    def matrices(self) -> list[Tensor]:
        """Return the weights that Muon may train: those from many channels to many."""
        return [
            layer.weight
            for layer in self.loss.modules()
            if isinstance(layer, nn.Linear) and min(layer.weight.shape) >= 64
        ]

    @torch.no_grad()
    def batch(self, iteration: int, rank: int = 0, processes: int = 1) -> tuple[Tensor, ...]:
        """Return the arguments of the loss, of a process's share of the objects."""
        settings, views = self.settings, self.views
        self.generator.manual_seed((settings.seed * 1_000_003 + iteration) * 64 + rank)
        size, count = settings.batch_size // processes, len(settings.source_shares)
        objects = self._objects(size)
        varied = torch.ones_like(objects, dtype=torch.bool)
        if views.own is not None:
            varied = ~views.own[objects]
        order = self._rand(size, views.rgba.shape[1]).argsort(dim=1)
        sources, targets = order[:, :count], order[:, count : count + settings.targets]
        # Now and then a target is a source: what is seen already must come out as it is.
        repeat = self._rand(size, settings.targets) < 0.03
        targets = torch.where(repeat, sources[:, :1], targets)
        shares = torch.tensor(settings.source_shares, device=self.device)
        number = torch.multinomial(shares, size, True, generator=self.generator)
        valid = torch.arange(count, device=self.device) <= number[:, None]

        chosen = torch.cat([sources, targets], dim=1)
        rows = objects[:, None].repeat(1, chosen.shape[1])
        contradicting, turn = self._rand(2, size)
        other = contradicting < settings.contradicting / 2
        rows[:, 1] = torch.where(other, objects.roll(1), objects)
        turned = (1 - contradicting) < settings.contradicting / 2
        turn = torch.where(turned, 2 * torch.pi * turn, 0.0)
        rgba = views.rgba[rows, chosen].flatten(0, 1)
        depth = views.depth[objects[:, None], targets].float()[:, :, None]
        rotations, rho = views.rotations[rows, chosen], views.rho[rows, chosen]

        mirrored = (self._rand(size) < settings.mirrored) & varied
        rotations = torch.where(mirrored[:, None, None, None], mirror(rotations), rotations)
        depth = torch.where(mirrored[:, None, None, None, None], depth.flip(-1), depth)
        images = premultiplied(rgba).unflatten(0, chosen.shape)
        images = torch.where(mirrored[:, None, None, None, None], images.flip(-1), images)
        images = self._permuted(images, varied)

        color, alpha = targets_of(images[:, count:].flatten(0, 1))
        clean = self._rand(size) < settings.clean
        source, right = disturb(images[:, :count], clean, self.generator, settings.disturbances)
        pose_noise = settings.pose_noise * ~clean[:, None]
        source_rotations, source_rho = self._noisy(rotations[:, :count], rho[:, :count], pose_noise)
        source_rotations[:, 1] = about_z(turn) @ source_rotations[:, 1]
        noise = torch.randn(
            (size, settings.targets, 2, self.network.noise_channels, *2 * (self.network.side,)),
            device=self.device,
            generator=self.generator,
        )
        known = self._rand(size) < settings.known_heading
        lead = (size, settings.targets)
        return (
            color.unflatten(0, lead),
            alpha.unflatten(0, lead),
            depth,
            right,
            source,
            source_rotations,
            source_rho,
            valid,
            known,
            rotations[:, count:],
            rho[:, count:],
            noise,
        )

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(shape, device=self.device, generator=self.generator)

    def _objects(self, size: int) -> Tensor:
        """Return the numbers (size,) of the objects of a batch."""
        views = self.views
        if views.chances is None:
            return torch.randint(
                views.available, (size,), device=self.device, generator=self.generator
            )
        return torch.multinomial(views.chances, size, True, generator=self.generator)

    def _permuted(self, images: Tensor, varied: Tensor) -> Tensor:
        """Permute the colour channels of some objects.

        images: (B, n, 4, H, W); varied: (B,) bool, which objects may be permuted.
        """
        orders = torch.tensor([(*p, 3) for p in CHANNEL_PERMUTATIONS[1:]], device=self.device)
        order = orders[(self._rand(len(images)) * len(orders)).long()]
        own = torch.arange(4, device=self.device).expand_as(order)
        chosen = (self._rand(len(images), 1) < self.settings.permuted) & varied[:, None]
        order = torch.where(chosen, order, own)
        rows, views = (torch.arange(n, device=self.device) for n in images.shape[:2])
        return images[rows[:, None, None], views[:, None], order[:, None]]

    def _noisy(self, rotations: Tensor, rho: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Move cameras on their sphere by a small angle each, still upright and at the centre.

        noise: its standard deviation, which broadcasts to rho's shape.
        """
        turn = torch.randn((*rho.shape, 3), device=self.device, generator=self.generator)
        stretch = torch.randn(rho.shape, device=self.device, generator=self.generator)
        eye = -rotations[..., 2] + noise[..., None] * turn
        rho = rho * (1 + noise * stretch)
        return look_at_origin(eye, rotations[..., 0]), rho


def about_z(angle: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) about z by angles (...), radians."""
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = [cosine, -sine, zero, sine, cosine, zero, zero, zero, zero + 1]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def look_at_origin(eye: Tensor, fallback_right: Tensor) -> Tensor:
    """Return R_object_camera (..., 3, 3) of upright cameras at `eye` that look at the origin.

    fallback_right: (..., 3), the image's x axis of a camera near the poles.
    """
    forward = -eye / eye.norm(dim=-1, keepdim=True)
    right = torch.stack([forward[..., 1], -forward[..., 0], torch.zeros_like(forward[..., 0])], -1)
    length = right.norm(dim=-1, keepdim=True)
    right = torch.where(length > 0.05, right / length.clamp(min=1e-6), fallback_right)
    right = right - (right * forward).sum(dim=-1, keepdim=True) * forward
    right = right / right.norm(dim=-1, keepdim=True)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], dim=-1)
