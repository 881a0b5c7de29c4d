"""Materials as OBJ's MTL files describe them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.data.mesh_files.files import ReferencedFiles
from training.data.mesh_files.surface import grey
from training.data.mesh_files.textures import to_uint8, wrap

MAX_COLOR = 2.0  # a little more than 1 is written for bright colours, and 0..255 by mistake
# Options of a map_ line and how many words follow each.
OPTIONS = {"-blendu": 1, "-blendv": 1, "-bm": 1, "-boost": 1, "-cc": 1, "-clamp": 1,
           "-colorspace": 1, "-imfchan": 1, "-mm": 2, "-o": 3, "-s": 3, "-t": 3, "-texres": 1,
           "-type": 1}  # fmt: skip


@dataclass
class Texture:
    """A texture of a material: name of the image file, and how it is laid on the surface."""

    name: str
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    gain: tuple[float, float] = (0.0, 1.0)  # base and factor of the pixel values
    clamp: bool = False


@dataclass
class Material:
    """Colour values are sRGB in [0, 1], as nearly all programs take them.

    path: of the MTL file; textures are relative to it.
    """

    path: Path
    diffuse: np.ndarray | None = None  # Kd
    ambient: np.ndarray | None = None  # Ka, which counts if there is no Kd
    emission: np.ndarray | None = None  # Ke
    opacity: float = 1.0  # d, or 1 - Tr
    texture: Texture | None = None  # map_Kd
    emission_texture: Texture | None = None  # map_Ke
    ambient_texture: Texture | None = None  # map_Ka, which some exporters write alone
    opacity_texture: Texture | None = None  # map_d

    @property
    def color(self) -> np.ndarray:
        """The colour without a texture, (3,) uint8."""
        if self.emission is not None and self.emission.any():
            diffuse = np.zeros(3) if self.diffuse is None else self.diffuse
            return to_uint8(diffuse + self.emission)
        if self.diffuse is None:
            return grey() if self.ambient is None else to_uint8(self.ambient)
        return to_uint8(self.diffuse)

    @property
    def color_with_alpha(self) -> np.ndarray:
        return np.append(self.color, to_uint8(np.array(self.opacity)))

    @property
    def used_texture(self) -> Texture | None:
        return self.texture or self.emission_texture or self.ambient_texture

    def load_texture(self, files: ReferencedFiles) -> np.ndarray | None:
        """The image (H, W, 3 or 4) uint8 of the texture, tinted; None if there is none."""
        texture = self.used_texture
        if texture is None:
            if self.opacity_texture is not None:
                raise ValueError(f"{self.opacity_texture.name} (map_d) without map_Kd")
            return None
        image = files.texture(texture.name, self.path)
        if image is None:
            return None
        rgb = image[..., :3]
        tinted = np.ones(3) if texture is self.emission_texture else tint(self.diffuse)
        if texture.gain != (0.0, 1.0) or (tinted != 1).any():
            base, factor = texture.gain
            values = to_uint8(np.outer(base + factor * np.arange(256) / 255, tinted))
            rgb = np.stack([values[image[..., k], k] for k in range(3)], axis=-1)
        if texture is self.texture:
            rgb = self._with_emission(rgb, files)
        return self._with_alpha(rgb, image, files)

    def _with_emission(self, rgb: np.ndarray, files: ReferencedFiles) -> np.ndarray:
        """Add Ke, or map_Ke if it is another image than map_Kd."""
        texture = self.emission_texture
        if texture is None:
            if self.emission is None or not self.emission.any():
                return rgb
            return to_uint8(rgb / 255 + self.emission)
        if texture.name == self.texture.name:
            return rgb
        if (texture.scale, texture.offset) != (self.texture.scale, self.texture.offset):
            raise ValueError(f"{texture.name} (map_Ke) lies otherwise than map_Kd")
        image = files.texture(texture.name, self.path)
        if image is None:
            return rgb
        return cv2.add(np.ascontiguousarray(rgb), cv2.resize(image[..., :3], rgb.shape[1::-1]))

    def _with_alpha(self, rgb: np.ndarray, image: np.ndarray, files: ReferencedFiles) -> np.ndarray:
        """Add d and map_d as alpha; the alpha of map_Kd counts only if map_d names it."""
        if self.opacity == 1 and self.opacity_texture is None:
            return rgb
        alpha = np.full(rgb.shape[:2], 255 * self.opacity)
        if self.opacity_texture is not None:
            if self.texture is not None and self.opacity_texture.name == self.texture.name:
                # Its alpha; the brightness of the colours themselves would not be opacity.
                mask = image[..., 3] if image.shape[2] == 4 else None
            else:
                mask = files.texture(self.opacity_texture.name, self.path)
                if mask is not None:
                    mask = mask[..., 3] if mask.shape[2] == 4 else np.uint8(mask.mean(axis=2))
            if mask is not None:
                alpha *= cv2.resize(mask, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR) / 255
        return np.dstack([rgb, np.uint8(np.round(alpha))])

    def place_texture(self, image: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Apply -s, -o and -clamp."""
        texture = self.used_texture
        uv = uv * texture.scale + texture.offset
        return wrap(image, uv, ("clamp" if texture.clamp else "repeat",) * 2)


def tint(diffuse: np.ndarray | None) -> np.ndarray:
    """Return the factor (3,) that a diffuse colour is of a texture or of vertex colours beside it.

    A grey one is what exporters leave there (Blender 0.8, others 0), and most programs ignore it;
    one with a hue was chosen.
    """
    if diffuse is None or np.ptp(diffuse) < 0.02:
        return np.ones(3)
    return np.clip(diffuse, 0, 1)


def read_mtl(text: str, path: Path) -> dict[str, Material]:
    """Return the materials of an MTL file by name."""
    materials: dict[str, Material] = {}
    material = Material(path)
    for line in text.replace("\\\n", "\\ \n").splitlines():
        words = line.split()
        if len(words) < 2 or words[0].startswith("#"):
            continue
        keyword, rest = words[0].lower(), line.split(None, 1)[1].strip()
        if keyword == "newmtl":
            material = materials[rest] = Material(path)
        elif keyword == "kd":
            material.diffuse = _color(words[1:])
            if material.diffuse.max() > MAX_COLOR:
                raise ValueError(f"a colour of {path.name} is not in [0, 1]: {line.strip()[:60]!r}")
        elif keyword == "ka":
            material.ambient = _color(words[1:])
        elif keyword == "ke":
            material.emission = _color(words[1:])
        elif keyword in ("d", "tr"):
            value = float(words[2] if words[1] == "-halo" else words[1])
            opacity = value if keyword == "d" else 1 - value
            # Some programs write Tr for opacity, or d 0 for all: nothing would be left.
            material.opacity = opacity if opacity > 0 else material.opacity
        elif keyword == "map_kd":
            material.texture = _texture(rest)
        elif keyword in ("map_ke", "map_emissive"):
            material.emission_texture = _texture(rest)
        elif keyword == "map_ka":
            material.ambient_texture = _texture(rest)
        elif keyword in ("map_d", "map_opacity"):
            material.opacity_texture = _texture(rest)
    return materials


def _color(words: list[str]) -> np.ndarray:
    if words[0] in ("spectral", "xyz"):
        raise ValueError(f"a colour is given as {words[0]}, which is not supported")
    values = [float(word) for word in words[:3] if not word.startswith("#")]
    return np.array(values if len(values) == 3 else values[:1] * 3)


def _texture(text: str) -> Texture:
    """Parse what follows map_Kd: options, then a file name that may contain spaces."""
    texture, rest = Texture(""), text
    while rest.startswith("-"):
        option, *words = rest.split()
        if option not in OPTIONS:
            break  # a file name that starts with "-"
        count = OPTIONS[option]
        if option in ("-o", "-s", "-t"):  # of "u v w" only u is required
            count = next((k for k in range(3) if not _is_number(words[k])), 3)
        values = words[:count]
        rest = (rest.split(None, count + 1) + [""] * (count + 2))[count + 1].strip()
        _apply(texture, option, values)
    texture.name = rest
    if not rest:
        raise ValueError(f"a map_ line names no file: {text[:60]!r}")
    return texture


def _apply(texture: Texture, option: str, values: list[str]) -> None:
    if option in ("-o", "-s", "-t"):
        default = 1.0 if option == "-s" else 0.0
        u, v = [*map(float, values), default, default][:2]
        if option == "-t" and (u or v):
            raise ValueError("a map_ line has turbulence (-t), which is not supported")
        if option == "-s":
            texture.scale = (u, v)
        elif option == "-o":
            texture.offset = (u, v)
    elif option == "-mm":
        texture.gain = (float(values[0]), float(values[1]))
    elif option == "-clamp":
        texture.clamp = values[0].lower() == "on"


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
