"""One procedural object from a seed and a number."""

from dataclasses import replace

import cv2
import numpy as np

from training.data.mesh import Mesh
from training.data.objects import families  # noqa: F401 (registers the families)
from training.data.objects.draw import Draw
from training.data.objects.model import FAMILIES, Family, Model
from training.data.objects.part import rotation
from training.data.objects.surfaces import smooth_noise

VERSION = 5  # the same number is another object in another version

MAX_FACES = 6000


def family_of(seed: int, number: int) -> str:
    """Name of the family of an object."""
    return _family(Draw(seed, number, 0)).name


def _family(draw: Draw) -> Family:
    kinds = sorted(FAMILIES.values(), key=lambda kind: kind.name)
    return draw.pick(kinds, [kind.weight for kind in kinds])


def build_object(seed: int, number: int, family: str | None = None) -> list[Mesh]:
    """Build the object of this number in the series of this seed.

    Returns meshes in one frame, z up, centred, bounding-box diagonal 1. family: a name in
    `FAMILIES` instead of a random one. Raises ValueError if the family does not exist.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"no object family is named {family}: {', '.join(sorted(FAMILIES))}")
    kind = _family(Draw(seed, number, 0)) if family is None else FAMILIES[family]
    for attempt in range(5):
        draw = Draw(seed, number, 1, attempt)
        model = kind.make(draw).grounded()
        if model.face_count() <= MAX_FACES:
            break
    _deform(draw, model, kind.soft)
    if draw.chance(kind.lie):
        model.lying(draw)
    elif draw.chance(kind.group):
        model = _group(draw, kind, model)
    _recolour(draw, model)
    _wear(draw, model)
    if draw.chance(0.08):  # leaning, as if held or dropped
        model.rotated(draw.pick(("x", "y")), draw.uniform(-35, 35))
    return model.rotated("z", draw.uniform(0, 360)).meshes()


def _deform(draw: Draw, model: Model, soft: bool) -> None:
    """Stretch every object a little, along its axes or across them; bend or dent some."""
    stretch = np.exp(0.09 * np.clip(draw.normal(3), -2, 2))
    model.map(lambda p: p * stretch)
    low, high = model.bounds()
    size = float((high - low).max())
    if draw.chance(0.5 if soft else 0.1):  # low-frequency displacement, as of worn or soft things
        noise = [smooth_noise(draw, 0.8, 5) for _ in range(3)]
        amount = draw.uniform(0.005, 0.035 if soft else 0.018) * size
        model.map(lambda p: p + amount * np.stack([n(p / size) for n in noise], axis=1))
    if draw.chance(0.3 if soft else 0.06):
        shear = draw.uniforms(-0.12, 0.12, 2)
        model.map(lambda p: p + np.stack([shear[0] * p[:, 2], shear[1] * p[:, 2], 0 * p[:, 2]], 1))
    model.grounded()


def _group(draw: Draw, kind: Family, first: Model) -> Model:
    """A second object of the same kind beside or on top of the first."""
    low, high = first.bounds()
    second = kind.make(draw).grounded()
    if first.face_count() + second.face_count() > MAX_FACES:
        return first
    size = second.bounds()[1] - second.bounds()[0]
    width, width2 = np.linalg.norm((high - low)[:2]), np.linalg.norm(size[:2])
    second.scaled(draw.uniform(0.8, 1.1) * width / max(width2, 1e-6))
    if (high - low)[2] < 0.6 * (high - low)[:2].max() or draw.chance(0.4):
        aside = draw.uniforms(-0.05, 0.05, 2) * (high - low)[:2]
        second.rotated("z", draw.uniform(-25, 25)).moved(*aside, high[2])
    else:
        gap = (high[0] - second.bounds()[0][0]) * draw.uniform(1.0, 1.1)
        second.moved(gap, draw.uniform(-0.2, 0.2) * (high - low)[1])
    return first.extend(second).grounded()


def _recolour(draw: Draw, model: Model) -> None:
    """Turn the hue or fade the colours of some objects, so that no kind has one colour."""
    turn = draw.chance(0.12)
    matrix = rotation("z", draw.uniform(-40, 40)) if turn else np.eye(3)
    basis = np.array([[0.408, 0.408, -0.816], [-0.707, 0.707, 0], [0.577, 0.577, 0.577]])
    matrix = basis.T @ matrix @ basis  # a rotation about the grey axis
    fade = draw.uniform(0.4, 0.9) if draw.chance(0.08) else draw.uniform(0.95, 1.15)
    gain = draw.uniform(0.75, 1.15) * draw.uniforms(0.94, 1.06, 3)

    def change(rgb):
        rgb = rgb @ matrix.T
        grey = rgb.mean(axis=-1, keepdims=True)
        return np.clip((grey + fade * (rgb - grey)) * gain, 0, 1)

    model.recoloured(change)


def _wear(draw: Draw, model: Model) -> None:
    """Uneven brightness, as of worn, dirty or badly scanned surfaces, on two in five objects."""
    if not draw.chance(0.4):
        return
    amount, noise = draw.uniform(0.03, 0.16), smooth_noise(draw, draw.log(0.8, 4))
    low, high = model.bounds()
    middle, half = (low + high) / 2, (high - low).max() / 2
    blur = draw.uniform(0.5, 1.5) if draw.chance(0.5) else 0.0
    parts = []
    for part in model.parts:
        if part.texture is None:
            factor = 1 + amount * noise((part.vertices - middle) / half)
            parts.append(replace(part, colors=np.clip(part.colors * factor[:, None], 0, 1)))
            continue
        rough = cv2.resize(draw.normal(5, 6).astype(np.float32), part.texture.shape[1::-1])
        texture = part.texture * (1 + amount * rough[..., None])
        if blur:
            texture = cv2.GaussianBlur(texture, (0, 0), blur)
        parts.append(replace(part, texture=np.clip(texture, 0, 255).astype(np.uint8)))
    model.parts = parts
