"""Procedural cars: many body styles, no two alike, each decided by a seed and an index alone.

STYLES says within which ranges the cars of a style differ; `CarBuilder` makes the mesh, in metres,
front +x. At the end the car turns its front to +y, where ShapeNet's cars (front -z, up y) have it
once they are imported with z up, and gets ShapeNet's scale (`mesh.normalise`).
"""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from training.data.cars.builder import CarBuilder
from training.data.cars.paint import draw_palette
from training.data.mesh import Mesh, normalise

Range = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """What the cars of one body style have in common: ranges to draw from, uniformly.

    Lengths in metres. `cowl`, `roof_end` and `tail` are where the windscreen begins, the roof ends
    and the rear window ends, as fractions of the length from the front; `rake` is the
    windscreen's length in x as such a fraction. `belt` is the height of the window sills as a
    fraction of the car's, `nose` and `deck` are the heights of the hood's front and of
    the rear deck as fractions of the belt's, `drop` is by how much the roof falls to its end.
    """

    share: float
    length: Range
    width: Range
    height: Range
    cowl: Range
    rake: Range
    roof_end: Range
    tail: Range
    belt: Range = (0.58, 0.66)
    nose: Range = (0.72, 0.88)
    deck: Range = (0.95, 1.06)
    drop: Range = (0.02, 0.1)
    wheel: Range = (0.29, 0.36)
    clearance: Range = (0.13, 0.2)
    front: Range = (0.32, 0.5)  # from the bumper to the front tyre
    rear: Range = (0.35, 0.65)
    tumblehome: Range = (0.2, 0.42)  # how far the sides lean in, metres per metre
    round: Range = (0.12, 0.4)  # over how much length the profile's corners are rounded
    corner: Range = (0.12, 0.3)  # how far the corners are pulled back in plan
    windows: tuple[int, int] = (2, 2)
    clad: float = 0.1  # probabilities: dark lower body
    rails: float = 0.05
    spoiler: float = 0.08
    extras: tuple[str, ...] = field(default=())


STYLES = {
    "sedan": Style(
        15, (4.2, 5.2), (1.68, 1.95), (1.33, 1.52), (0.25, 0.32), (0.11, 0.17), (0.64, 0.73),
        (0.8, 0.87), windows=(2, 3),
    ),
    "hatchback": Style(
        12, (3.4, 4.4), (1.6, 1.85), (1.4, 1.6), (0.19, 0.28), (0.1, 0.17), (0.82, 0.91),
        (0.94, 0.985), spoiler=0.3,
    ),
    "coupe": Style(
        12, (3.9, 4.8), (1.75, 2.02), (1.1, 1.34), (0.3, 0.41), (0.12, 0.17), (0.6, 0.69),
        (0.83, 0.96), belt=(0.6, 0.7), nose=(0.6, 0.8), clearance=(0.09, 0.14),
        wheel=(0.31, 0.37), windows=(1, 2), spoiler=0.45, extras=("stripes",),
    ),
    "wagon": Style(
        8, (4.4, 5.1), (1.7, 1.92), (1.4, 1.56), (0.24, 0.3), (0.11, 0.16), (0.88, 0.95),
        (0.95, 0.985), windows=(3, 3), rails=0.6,
    ),
    "suv": Style(
        12, (4.1, 5.2), (1.78, 2.05), (1.6, 1.95), (0.2, 0.28), (0.08, 0.14), (0.84, 0.94),
        (0.94, 0.985), nose=(0.84, 0.97), wheel=(0.36, 0.43), clearance=(0.2, 0.29),
        windows=(2, 3), clad=0.6, rails=0.6, spoiler=0.25,
    ),
    "offroader": Style(
        7, (3.5, 4.7), (1.65, 1.95), (1.75, 2.05), (0.26, 0.36), (0.02, 0.05), (0.95, 0.975),
        (0.965, 0.985), belt=(0.55, 0.64), nose=(0.92, 1.0), drop=(0.0, 0.03),
        wheel=(0.38, 0.46), clearance=(0.26, 0.36), tumblehome=(0.05, 0.15), round=(0.04, 0.1),
        corner=(0.02, 0.1), front=(0.12, 0.3), rear=(0.25, 0.45), windows=(2, 3), clad=0.5,
        rails=0.35, extras=("spare",),
    ),
    "pickup": Style(
        9, (4.7, 5.9), (1.75, 2.05), (1.65, 1.95), (0.21, 0.28), (0.07, 0.11), (0.44, 0.62),
        (0.0, 0.0), nose=(0.86, 0.98), wheel=(0.35, 0.44), clearance=(0.22, 0.34),
        corner=(0.05, 0.18), rear=(0.6, 0.9), tumblehome=(0.15, 0.3), windows=(1, 2), clad=0.3,
        extras=("bed",),
    ),
    "van": Style(
        8, (4.4, 5.9), (1.8, 2.1), (1.85, 2.6), (0.05, 0.15), (0.07, 0.15), (0.95, 0.975),
        (0.97, 0.985), belt=(0.45, 0.55), nose=(0.66, 0.9), drop=(0.0, 0.05),
        tumblehome=(0.06, 0.18), round=(0.08, 0.3), corner=(0.06, 0.2), windows=(2, 4),
        wheel=(0.32, 0.38), extras=("panels",),
    ),
    "minivan": Style(
        6, (4.2, 5.1), (1.75, 1.98), (1.6, 1.85), (0.12, 0.2), (0.15, 0.21), (0.87, 0.94),
        (0.95, 0.985), belt=(0.52, 0.6), windows=(3, 3), rails=0.3,
    ),
    "convertible": Style(
        7, (3.7, 4.8), (1.65, 1.95), (1.15, 1.4), (0.3, 0.4), (0.06, 0.12), (0.6, 0.7),
        (0.66, 0.8), belt=(0.64, 0.72), nose=(0.68, 0.9), clearance=(0.1, 0.17),
        wheel=(0.3, 0.36), windows=(1, 1), extras=("open", "stripes"),
    ),
    "micro": Style(
        5, (2.4, 3.3), (1.45, 1.68), (1.42, 1.62), (0.08, 0.2), (0.12, 0.24), (0.82, 0.93),
        (0.94, 0.985), wheel=(0.26, 0.31), front=(0.12, 0.25), rear=(0.1, 0.25),
        windows=(1, 2), belt=(0.54, 0.64), corner=(0.15, 0.35),
    ),
    "beetle": Style(
        4, (3.7, 4.4), (1.5, 1.75), (1.42, 1.58), (0.28, 0.36), (0.06, 0.12), (0.6, 0.72),
        (0.9, 0.97), belt=(0.54, 0.62), nose=(0.5, 0.68), deck=(0.5, 0.65), round=(0.8, 1.2),
        corner=(0.3, 0.55), windows=(2, 2), extras=("fenders",),
    ),
    "bus": Style(
        4, (6.0, 11.0), (2.1, 2.5), (2.5, 3.3), (0.004, 0.02), (0.005, 0.03), (0.98, 0.99),
        (0.99, 0.995), belt=(0.4, 0.52), nose=(0.96, 1.0), deck=(0.97, 1.0), drop=(0.0, 0.02),
        wheel=(0.42, 0.52), clearance=(0.22, 0.35), tumblehome=(0.01, 0.08), round=(0.1, 0.35),
        corner=(0.03, 0.2), front=(0.5, 1.6), rear=(1.0, 1.8), windows=(5, 9),
    ),
    "truck": Style(
        6, (5.2, 8.0), (1.95, 2.4), (2.0, 2.5), (0.02, 0.14), (0.02, 0.07), (0.25, 0.33),
        (0.0, 0.0), belt=(0.5, 0.6), nose=(0.8, 1.0), drop=(0.0, 0.03), wheel=(0.38, 0.5),
        clearance=(0.3, 0.42), tumblehome=(0.04, 0.15), round=(0.06, 0.2), corner=(0.03, 0.15),
        front=(0.25, 0.6), rear=(0.7, 1.3), windows=(1, 1), clad=0.4, extras=("cargo",),
    ),
    "formula": Style(
        3, (4.2, 5.3), (1.7, 2.0), (0.85, 1.05), (0.4, 0.48), (0.02, 0.05), (0.6, 0.7),
        (0.62, 0.72), belt=(0.55, 0.68), nose=(0.45, 0.65), deck=(0.7, 0.95), wheel=(0.3, 0.36),
        clearance=(0.06, 0.1), front=(0.35, 0.7), rear=(0.05, 0.25), round=(0.3, 0.8),
        corner=(0.1, 0.4), windows=(1, 1), extras=("race",),
    ),
}  # fmt: skip

VERSION = 1  # of the cars as a whole: the same seed and index give the same car within a version


def car(seed: int, index: int) -> list[Mesh]:
    """The car number `index` of the series `seed`: normalised meshes, front +y, z up."""
    rng = np.random.default_rng([seed, index])
    shares = np.array([style.share for style in STYLES.values()])
    name = rng.choice(list(STYLES), p=shares / shares.sum())
    return styled_car(str(name), rng)


def styled_car(name: str, rng: np.random.Generator) -> list[Mesh]:
    """A car of the style `name` (a key of STYLES), as `car` gives it."""
    shape = _draw_shape(STYLES[name], rng)
    palette = draw_palette(rng)
    mesh = CarBuilder(shape, palette, rng).mesh()
    turned = mesh.vertices[:, [1, 0, 2]] * [-1, 1, 1]
    return normalise([Mesh(turned, mesh.faces, mesh.colors)])


def _draw_shape(style: Style, rng: np.random.Generator) -> SimpleNamespace:
    """One value from each of the style's ranges; lengths in metres, x from the car's middle."""
    s = SimpleNamespace()
    for key, value in vars(style).items():
        if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], str):
            setattr(s, key, rng.uniform(*value))
    s.windows = int(rng.integers(style.windows[0], style.windows[1] + 1))
    s.clad, s.rails, s.spoiler = (
        rng.random() < p for p in (style.clad, style.rails, style.spoiler)
    )
    s.extras = style.extras
    half = s.length / 2
    s.roof_begin = half - (s.cowl + s.rake) * s.length
    if "bed" in s.extras or "cargo" in s.extras:
        s.tail = s.roof_end + rng.uniform(0.005, 0.03)
    s.cowl, s.roof_end, s.tail = (half - v * s.length for v in (s.cowl, s.roof_end, s.tail))
    s.belt *= s.height
    s.nose *= s.belt
    s.deck *= s.belt
    s.belt_rise = rng.uniform(-0.02, 0.1) * s.belt if "fenders" not in s.extras else 0.0
    s.tread = rng.uniform(0.17, 0.26) + 0.12 * max(0.0, s.wheel - 0.35)
    s.axles = (half - s.front - s.wheel, -half + s.rear + s.wheel)
    s.arch = s.wheel * rng.uniform(1.1, 1.2)
    s.taper_front, s.taper_rear = rng.uniform(0.02, 0.14), rng.uniform(0.02, 0.12)
    s.lean_front, s.lean_rear = rng.uniform(0.0, 0.18), rng.uniform(-0.02, 0.12)
    s.bumper = rng.choice([0.0, 0.03, 0.07])
    s.shoulder = rng.uniform(0.03, 0.1)
    s.crown = rng.uniform(0.02, 0.07)
    s.inset = rng.uniform(0.9, 0.97)  # of the greenhouse's foot, of the body's width
    return s
