"""Lights and gloss around an object: the published scene, and random ones."""

from dataclasses import dataclass

import numpy as np

from tiny_nvs_ros.geometry import eye_at

Color = tuple[float, float, float]  # RGB; 1 shows a surface as it is painted
WHITE = (1.0, 1.0, 1.0)
MAX_LIGHTS = 6


@dataclass(frozen=True)
class Light:
    """A light from far away. direction: to the light, in the object's frame.

    from_camera: the direction is in the camera's frame instead (x right, y down, z forward).
    """

    direction: tuple[float, float, float]
    intensity: float
    color: Color = WHITE
    from_camera: bool = False


@dataclass(frozen=True)
class Scene:
    """Lights around an object, and its gloss. The default is that of the published cars.

    lights: at most MAX_LIGHTS; sky, ground: light from all sides, for surfaces that face up and
    down; contact: by how much surfaces near the ground are darker, 0 to 1; specular,
    specular_power: strength and sharpness of highlights (Phong).
    """

    lights: tuple[Light, ...] = (
        Light((0.5, 0.7, 1.6), 0.56),  # the sun, two fills, the ground
        Light((-0.9, -0.5, 0.8), 0.24),
        Light((0.8, -1.0, 0.1), 0.24),
        Light((-0.2, 0.3, -1.0), 0.42),
    )
    sky: Color = (0.36, 0.36, 0.36)
    ground: Color = (0.36, 0.36, 0.36)
    contact: float = 0.0
    specular: float = 0.25
    specular_power: float = 20.0

    def __post_init__(self) -> None:
        if len(self.lights) > MAX_LIGHTS:
            raise ValueError(f"a scene has at most {MAX_LIGHTS} lights, not {len(self.lights)}")


# Kinds of random light and their shares.
KINDS = {
    "sun": 0.22,
    "softbox": 0.22,
    "ring": 0.14,
    "headlight": 0.1,
    "tent": 0.14,
    "published": 0.18,
}


def random_scene(rng: np.random.Generator) -> Scene:
    """Draw lights (warm or cold, of one of KINDS), contact darkening, brightness and gloss."""
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    if kind == "published":
        return Scene()
    warmth = np.exp(rng.normal(0, 0.06) * np.array([1.0, 0.1, -1.0]))
    directions, strengths = _lights(kind, rng)
    ambient = rng.uniform(1.5, 4.0) if kind == "tent" else rng.uniform(0.35, 0.9)
    sky, ground = ambient * rng.uniform(1.0, 1.3), ambient * rng.uniform(0.6, 1.0)
    # Whatever the lights, surfaces that face a camera are about as bright as they are painted.
    if kind == "headlight":
        lit = 0.75 * strengths[0]
    else:
        facing = eye_at(np.linspace(-np.pi, np.pi, 12), np.resize([0.0, 0.5, 1.3], 12), 1.0)
        lit = (np.maximum(facing @ directions.T, 0) @ strengths).mean()
    level = rng.uniform(0.8, 1.15) / (lit + 0.75 * sky + 0.25 * ground)
    specular, power = 0.0, 10.0
    if rng.random() < 0.5:
        specular, power = rng.uniform(0.05, 0.45), np.exp(rng.uniform(np.log(6), np.log(60)))
    contact = 0.0 if kind == "tent" else rng.uniform(0, 0.5)
    return Scene(
        tuple(
            Light(tuple(direction), level * strength, tuple(warmth), kind == "headlight")
            for direction, strength in zip(directions, strengths, strict=True)
        ),
        sky=tuple(level * sky * warmth),
        ground=(level * ground,) * 3,
        contact=contact,
        specular=specular,
        specular_power=float(power),
    )


def _lights(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return directions to the lights (N, 3) and their relative strengths (N,)."""
    if kind == "headlight":  # beside the camera's lens
        return np.array([[*rng.uniform(-0.2, 0.2, 2), -1.0]]), np.ones(1)
    azimuth, elevation = rng.uniform(-np.pi, np.pi), rng.uniform(0.2, 1.4)
    around = azimuth + np.arange(5) * 2 * np.pi / 5
    if kind == "sun":  # one strong light and weak fills
        azimuths = np.array([azimuth, *rng.uniform(-np.pi, np.pi, 4)])
        elevations = np.array([elevation, *rng.uniform(-0.3, 1.2, 4)])
        return eye_at(azimuths, elevations, 1.0), np.array([1.0, *rng.uniform(0, 0.3, 4)])
    if kind == "softbox":  # a broad light: several directions around one
        azimuths, elevations = azimuth + rng.normal(0, 0.5, 5), elevation + rng.normal(0, 0.3, 5)
        return eye_at(azimuths, elevations, 1.0), np.full(5, 0.3)
    if kind == "ring":  # lamps around, above the object
        return eye_at(around, elevation, 1.0), np.full(5, 0.3)
    return eye_at(around, rng.uniform(-0.5, 1.4, 5), 1.0), np.full(5, 0.1)  # tent
