"""Disturbances of source views, drawn at training time: what a robot's camera and masks do.

Everything works on a batch on the model's device. Targets stay clean.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from tiny_nvs_ros.model.multiview import OBJECT_BELOW, SURROUNDINGS

MIN_ALPHA = 1 / 255  # of which an image has colours
LUMINANCE_TABLE = torch.tensor(  # ITU-T T.81, table K.1
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99.0],
    ]
)


@dataclass(frozen=True)
class Disturbances:
    """Probabilities, per image, and strengths of what disturbs sources.

    together: probability that all sources of an object have the faults of its first one, since they
    come from one camera and one segmentation; each has its own pose and noise nevertheless.
    Lengths are in pixels of the stored images (twice the model's).
    """

    together: float = 0.7
    pose: float = 0.5  # probability of a wrong shift, roll and scale
    shift: float = 0.01  # standard deviation, image widths
    roll: float = 0.01  # radians
    scale: float = 0.01
    soft: float = 0.3  # probability of a blurred silhouette, in the mask too
    low_resolution: float = 0.15
    mask: float = 0.7
    hole: float = 0.1
    photometric: float = 0.5
    exposure: float = 0.2  # standard deviation of the logarithm
    white_balance: float = 0.06
    blur: float = 0.35
    noise: float = 0.35
    noise_level: float = 0.05  # the most, of white
    jpeg: float = 0.25
    estimated_alpha: float = 0.3  # probability that alpha is what differs from white
    cut_out: float = 0.15  # probability that what is around the mask is not known either
    texture: float = 0.5  # probability of a background of more than one colour
    clutter: float = 0.3  # probability of another object in it
    bleeding: float = 0.1  # probability that the object's colours go on in it
    straight: float = 0.4  # probability that the silhouette's pixels have the object's colour alone


def disturb(
    rgba: Tensor, clean: Tensor, generator: torch.Generator, how: Disturbances
) -> tuple[Tensor, Tensor]:
    """Return disturbed sources, (B, S, 7, size, size), -1 to 1, as MultiviewNetwork takes them, and
    what their alpha would be of a right mask, (B, S, 1, size, size), 0 to 1.

    rgba: (B, S, 4, 2 size, 2 size) in [0, 1], colour multiplied by alpha, S sources of B objects.
    clean: (B,) bool, which objects' sources stay as they are, but for an estimated alpha and what
    is around them.
    """
    objects, sources = rgba.shape[:2]
    rgba = original = rgba.flatten(0, 1)
    each = Draw(rgba, generator)
    alike = torch.rand(objects, device=rgba.device, generator=generator) < how.together
    rows = torch.arange(len(rgba), device=rgba.device)
    rows = torch.where(alike.repeat_interleave(sources), rows - rows % sources, rows)
    draw = Draw(rgba, generator, rows)
    behind = background(rgba, sources, each, draw, how)
    pristine = source(original[:, :3] + 1 - original[:, 3:], original[:, 3:],
                      before(original, behind))  # fmt: skip
    rgba = misplace(rgba, each, how)
    rgba = torch.lerp(rgba, gaussian(rgba, 1.0), draw.chance(how.soft) * draw.uniform(0, 1))
    # Outside the object the camera sees a background, which a dirty mask lets in.
    full = before(rgba, behind)
    own = rgba[:, :3] / rgba[:, 3:].clamp(min=MIN_ALPHA)
    straight = torch.where(rgba[:, 3:] > MIN_ALPHA, own, behind)
    full = torch.where(draw.chance(how.straight) > 0, straight, full)
    full = torch.cat([full, rgba[:, 3:]], dim=1)
    full, right = low_resolution(full, draw, how).split([3, 1], dim=1)
    full = blur(full, draw.chance(how.blur) * draw.uniform(0, 1))
    full = photometric(full, draw, how)
    full = noisy(full, draw, each, how)
    full = jpeg(full, draw.chance(how.jpeg) * draw.uniform(0.3, 2.5))
    mask = dirty_mask(right, draw, how)
    image = source(full * mask + 1 - mask, mask, full)
    clean = clean.repeat_interleave(sources)[:, None, None, None]
    image = torch.where(clean, pristine, image)
    color, alpha, around = image.split([3, 1, 3], dim=1)
    estimated = draw.chance(how.estimated_alpha)
    estimate = (color.amin(dim=1, keepdim=True) < OBJECT_BELOW).to(alpha)
    around = torch.where((estimated + draw.chance(how.cut_out)) > 0, 1.0, around)
    alpha = torch.where(estimated > 0, estimate, alpha)
    image = torch.cat([color, alpha, around], dim=1)
    right = F.avg_pool2d(torch.where(clean, original[:, 3:], right), 2)
    return tuple(x.unflatten(0, (objects, sources)) for x in (2 * image - 1, right))


def before(rgba: Tensor, behind: Tensor) -> Tensor:
    """Return RGB of objects, (M, 4, H, W) multiplied by alpha, before a background."""
    return rgba[:, :3] + (1 - rgba[:, 3:]) * behind


def source(color: Tensor, mask: Tensor, scene: Tensor) -> Tensor:
    """Return a source of half the size, (M, 7, H, W), 0 to 1.

    color: (M, 3, 2 H, 2 W) on white; mask: (M, 1, 2 H, 2 W); scene: the image without the mask.
    """
    image = F.avg_pool2d(torch.cat([color, mask, scene * (1 - mask) + mask], dim=1), 2)
    near = F.max_pool2d((image[:, 3:4] > 0).float(), 2 * SURROUNDINGS + 1, 1, SURROUNDINGS)
    return torch.cat([image[:, :4], torch.where(near > 0, image[:, 4:], 1.0)], dim=1)


def background(rgba: Tensor, sources: int, each: "Draw", draw: "Draw", how: Disturbances) -> Tensor:
    """Return what is behind objects, (M, 3, H, W): a colour, a texture, another object too.

    rgba: (M, 4, H, W) the objects' images, colour multiplied by alpha, `sources` of each. `each`
    has what differs between the sources of an object.
    """
    side = rgba.shape[-1]
    grey, extreme = draw.uniform(0, 1), draw.chance(0.25)
    color = grey + draw.uniform(0, 1) * (draw.uniform(0, 1, channels=3) - grey)
    color = torch.where(extreme > 0, grey.round(), color)  # as of images cut out
    textured = draw.chance(how.texture) * (1 - extreme)
    for cells in (3, 10, 32):
        strength = 0.2 * textured * draw.uniform(0, 1)
        waves = F.interpolate(each.normal(3, cells), size=(side, side), mode="bilinear")
        color = color + strength * waves
    # Its halves are at the sides, where the object of interest rarely is.
    cluttered = draw.chance(how.clutter) * (1 - extreme)
    others = rgba.roll(sources, dims=0).roll(side // 2, dims=3)
    color = before(cluttered * others, color.clamp(0, 1))
    # Some tools fill transparent pixels so.
    near, weight = gaussian(rgba, 4.0).split([3, 1], dim=1)
    return torch.where(draw.chance(how.bleeding) > 0, near / weight.clamp(min=1e-4), color)


def undisturbed(rgba: Tensor) -> Tensor:
    """Return clean sources, as `disturb`, around which nothing is known."""
    color, alpha = F.avg_pool2d(rgba, 2).split([3, 1], dim=1)
    return 2 * torch.cat([color + 1 - alpha, alpha, torch.ones_like(color)], dim=1) - 1


class Draw:
    """Random numbers, one per image: (M, channels, 1, 1).

    rows: (M,) for each image, the one whose numbers it gets; its own if None.
    """

    def __init__(self, like: Tensor, generator: torch.Generator, rows: Tensor | None = None):
        self.count, self.device, self.generator = len(like), like.device, generator
        self.rows = slice(None) if rows is None else rows

    def uniform(self, low: float, high: float, channels: int = 1) -> Tensor:
        shape = (self.count, channels, 1, 1)
        drawn = torch.rand(shape, device=self.device, generator=self.generator)
        return low + (high - low) * drawn[self.rows]

    def normal(self, channels: int = 1, size: int = 1) -> Tensor:
        shape = (self.count, channels, size, size)
        return torch.randn(shape, device=self.device, generator=self.generator)[self.rows]

    def chance(self, probability: float) -> Tensor:
        """1 with the probability, else 0."""
        return (self.uniform(0, 1) < probability).float()


def misplace(rgba: Tensor, draw: Draw, how: Disturbances) -> Tensor:
    """Shift, roll and scale the images as a wrong camera pose would."""
    some = draw.chance(how.pose)
    shift = 2 * how.shift * some * draw.normal(2)
    angle = how.roll * some * draw.normal()
    scale = (how.scale * some * draw.normal()).exp()
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    matrix = torch.cat([cosine, -sine, shift[:, :1], sine, cosine, shift[:, 1:]], dim=1)
    grid = F.affine_grid(matrix.view(-1, 2, 3), list(rgba.shape), align_corners=False)
    return F.grid_sample(rgba, grid, align_corners=False)


def low_resolution(images: Tensor, draw: Draw, how: Disturbances) -> Tensor:
    """Make some images of few pixels, as of an object far away; 10 to 32 across."""
    side = images.shape[-1]
    sizes = [side * 5 // 32, side // 4, side * 3 // 8, side // 2]
    choice = draw.uniform(0, len(sizes)).long()
    some = draw.chance(how.low_resolution)
    for number, size in enumerate(sizes):
        small = F.adaptive_avg_pool2d(images, size)
        large = F.interpolate(small, size=(side, side), mode="bilinear")
        images = torch.where((choice == number) & (some > 0), large, images)
    return images


def blur(images: Tensor, amount: Tensor) -> Tensor:
    """Blur by a Gaussian of up to 2.5 pixels, amount 0 to 1 per image."""
    soft, softer = (gaussian(images, sigma) for sigma in (1.0, 2.5))
    half = torch.lerp(images, soft, (2 * amount).clamp(max=1))
    return torch.lerp(half, softer, (2 * amount - 1).clamp(min=0))


def gaussian(images: Tensor, sigma: float) -> Tensor:
    """Blur square images; beyond their edge they go on as at it."""
    side, reach = images.shape[-1], math.ceil(2.5 * sigma)
    steps = torch.arange(-reach, reach + 1, device=images.device)
    weights = torch.exp(-(steps**2) / (2 * sigma**2))
    pixels = torch.arange(side, device=images.device)[:, None]
    # As a matrix, because depthwise convolutions take several times as long on a CPU.
    matrix = images.new_zeros(side, side)
    read = (pixels + steps).clamp(0, side - 1)
    matrix.scatter_add_(1, read, (weights / weights.sum()).expand(side, -1))
    return matrix @ images @ matrix.T


def photometric(images: Tensor, draw: Draw, how: Disturbances) -> Tensor:
    some = draw.chance(how.photometric)
    gain = how.exposure * draw.normal() + how.white_balance * draw.normal(3)
    gamma = (0.15 * some * draw.normal()).exp()
    return (images * (some * gain).exp()).clamp(1e-3, 1) ** gamma


def noisy(images: Tensor, draw: Draw, each: Draw, how: Disturbances) -> Tensor:
    """Add noise, whose level is of `draw`, but which is of `each` image."""
    level = how.noise_level * draw.chance(how.noise) * draw.uniform(0, 1)
    # Pooling to half of the size averages four pixels' noise.
    return (images + 2 * level * each.normal(3, images.shape[-1])).clamp(0, 1)


def jpeg(images: Tensor, coarseness: Tensor) -> Tensor:
    """Quantise 8x8 blocks of luminance and colour as JPEG does; coarseness 0 leaves an image."""
    device, side = images.device, images.shape[-1] // 8
    k = torch.arange(8, device=device)
    dct = torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / 16) / 2
    dct[0] *= 0.5**0.5
    to_luma = images.new_tensor(
        [[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]]
    )
    luma = torch.einsum("ij,mjhw->mihw", to_luma, images)
    blocks = luma.unflatten(3, (side, 8)).unflatten(2, (side, 8)).transpose(3, 4)
    coefficients = dct @ blocks @ dct.T
    step = LUMINANCE_TABLE.to(device) / 255 * coarseness[..., None, None].clamp(min=1e-3)
    coefficients = (coefficients / step).round() * step
    blocks = dct.T @ coefficients @ dct
    luma = blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)
    from_luma = images.new_tensor([[1, 0, 1.402], [1, -0.344, -0.714], [1, 1.772, 0]])
    result = torch.einsum("ij,mjhw->mihw", from_luma, luma).clamp(0, 1)
    return torch.where(coarseness > 0, result, images)


def dirty_mask(alpha: Tensor, draw: Draw, how: Disturbances) -> Tensor:
    """Erode, dilate, roughen or pierce the masks of some images."""
    size = alpha.shape[-1]
    dilated, eroded = grown(alpha), [1 - mask for mask in grown(1 - alpha)]
    rough = F.interpolate(draw.normal(1, size // 4), size=(size, size), mode="bilinear")
    ragged = ((gaussian(alpha, 1.5) + 0.25 * rough) > 0.5).to(alpha) * dilated[2]
    choices = torch.stack([*dilated, *eroded, ragged, ragged])
    choice = (draw.uniform(0, len(choices)).long().clamp(max=len(choices) - 1))[None]
    dirty = torch.take_along_dim(choices, choice.expand(1, *alpha.shape), dim=0)[0]
    mask = torch.where(draw.chance(how.mask) > 0, dirty, alpha)
    ticks = torch.arange(size, device=alpha.device) / size
    across, down = draw.uniform(0.25, 0.75), draw.uniform(0.25, 0.75)
    distance = ((ticks[None, None, None] - across) ** 2 + (ticks[:, None] - down) ** 2).sqrt()
    hole = (distance < draw.uniform(0.03, 0.12)) & (draw.chance(how.hole) > 0)
    return mask * (~hole).to(mask)


def grown(mask: Tensor) -> list[Tensor]:
    """Return the mask dilated by 1, 2, 3 and 4 pixels."""
    result = [mask]
    for _ in range(4):
        rows = greatest_of_neighbours(result[-1], dim=2)
        result.append(greatest_of_neighbours(rows, dim=3))
    return result[1:]


def greatest_of_neighbours(mask: Tensor, dim: int) -> Tensor:
    """Return the greatest of each pixel and the two beside it along dim."""
    length = mask.shape[dim] - 1
    result = mask.clone()
    for at, beside in ((0, 1), (1, 0)):
        part = result.narrow(dim, at, length)
        torch.maximum(part, mask.narrow(dim, beside, length), out=part)
    return result
