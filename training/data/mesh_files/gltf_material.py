"""The colours that glTF materials give to a surface."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from training.data.mesh_files.files import ReferencedFiles, read_uri
from training.data.mesh_files.textures import (
    add_linear,
    decode_image,
    multiply_linear,
    srgb_from_linear,
    to_uint8,
    wrap,
)

Json = dict[str, Any]

IMAGE_EXTENSIONS = (
    "EXT_texture_webp",
    "EXT_texture_avif",
    "MSFT_texture_dds",
    "KHR_texture_basisu",
)
WRAP_MODES = {10497: "repeat", 33071: "clamp", 33648: "mirror"}
SPECULAR_GLOSSINESS = "KHR_materials_pbrSpecularGlossiness"


class Images:
    """The images of a glTF file, decoded when they are asked for."""

    def __init__(self, tree: Json, buffers: list[bytes], files: ReferencedFiles):
        self.tree, self.buffers, self.files = tree, buffers, files
        self.decoded: dict[int, np.ndarray | None] = {}
        self.materials: dict[int | None, Material] = {}

    def material(self, index: int | None) -> "Material":
        if index not in self.materials:
            self.materials[index] = read(self.tree, index)
        return self.materials[index]

    def of_texture(self, texture: Json) -> np.ndarray | None:
        """The image (H, W, 3 or 4) uint8; None if it is missing and that is allowed."""
        sources = [texture.get("extensions", {}).get(name) for name in IMAGE_EXTENSIONS]
        sources = [entry["source"] for entry in sources if entry]
        if "source" in texture:  # the fallback, which all can read
            sources = [texture["source"]]
        if not sources:
            return self.files.report_missing("a texture without an image")
        index = sources[0]
        if index not in self.decoded:
            self.decoded[index] = self._decode(index)
        return self.decoded[index]

    def _decode(self, index: int) -> np.ndarray | None:
        image = self.tree["images"][index]
        name = image.get("uri", image.get("name", f"image {index}"))[:80]
        try:
            if "bufferView" in image:
                view = self.tree["bufferViews"][image["bufferView"]]
                start = view.get("byteOffset", 0)
                data = self.buffers[view["buffer"]][start : start + view["byteLength"]]
            else:
                data = read_uri(image["uri"], self.files)
        except (ValueError, OSError) as error:
            return self.files.report_missing(f"texture {error}")
        try:
            return decode_image(data)
        except ValueError as error:
            return self.files.report_missing(f"texture {name} {error}")


@dataclass
class Material:
    """The part of a material that a matt renderer shows; colours are linear (3.9.2).

    factor: (4,) RGBA; texture, emission_texture: textureInfo or None; emission: (3,).
    """

    factor: np.ndarray = field(default_factory=lambda: np.ones(4))
    texture: Json | None = None
    emission: np.ndarray = field(default_factory=lambda: np.zeros(3))
    emission_texture: Json | None = None
    alpha_mode: str = "OPAQUE"
    alpha_cutoff: float = 0.5
    combined: np.ndarray | None = None  # all of it in one image, once that is asked for


def read(tree: Json, index: int | None) -> Material:
    """A surface without a material has the default one, which is white (3.7.2.1)."""
    if index is None:
        return Material()
    description = tree["materials"][index]
    extensions = description.get("extensions", {})
    base = description.get("pbrMetallicRoughness", {})
    factor, texture = base.get("baseColorFactor"), base.get("baseColorTexture")
    if SPECULAR_GLOSSINESS in extensions:
        base = extensions[SPECULAR_GLOSSINESS]
        factor, texture = base.get("diffuseFactor"), base.get("diffuseTexture")
    strength = extensions.get("KHR_materials_emissive_strength", {}).get("emissiveStrength", 1.0)
    emission = np.array(description.get("emissiveFactor", [0, 0, 0]), float) * strength
    material = Material(
        np.array([1, 1, 1, 1] if factor is None else factor, float),
        texture,
        emission,
        description.get("emissiveTexture") if emission.any() else None,
        description.get("alphaMode", "OPAQUE"),
        description.get("alphaCutoff", 0.5),
    )
    transmission = extensions.get("KHR_materials_transmission", {}).get("transmissionFactor", 0)
    if transmission:
        material.factor[3] *= 1 - transmission
        material.alpha_mode = "BLEND"
    return material


def appearance(
    material: Material,
    color: np.ndarray | None,
    texture_sets: dict[int, np.ndarray | None],
    images: Images,
) -> dict[str, np.ndarray | None]:
    """Return the colour arguments of make_surface.

    color: (V, 4) of the vertices (COLOR_0), linear, multiplied with the base colour (3.7.2.1);
    texture_sets: uv (V, 2) of TEXCOORD_0 and so on, v from the top.
    """
    if color is not None and material.texture and (color == color[0]).all():
        material = replace(material, factor=material.factor * color[0], combined=None)
        color = None
    image, emission = _image(material.texture, images), _image(material.emission_texture, images)
    if image is None and emission is None:
        return _flat_color(material, color)
    info = material.texture if image is not None else material.emission_texture
    if (
        image is not None
        and emission is not None
        and _layout(info) != _layout(material.emission_texture)
    ):
        raise ValueError("its emissive texture lies otherwise than its base colour texture")
    if material.combined is None:
        material.combined = _combine(material, image, emission)
    texture = material.combined
    uv = texture_sets.get(_layout(info)[0])
    if uv is None:
        images.files.report_missing("a textured surface without its texture coordinates")
        return _flat_color(material, color)
    uv = _transform(uv, info)
    uv[:, 1] = 1 - uv[:, 1]
    sampler = images.tree["textures"][info["index"]].get("sampler")
    sampler = {} if sampler is None else images.tree["samplers"][sampler]
    modes = tuple(WRAP_MODES[sampler.get(key, 10497)] for key in ("wrapS", "wrapT"))
    texture, uv = wrap(texture, uv, modes)
    colors = None
    if color is not None and material.emission.any():
        raise ValueError("it has an emissive texture and vertex colours, which vary, at once")
    if color is not None:
        alpha = _alpha(material, material.factor[3] * color[:, 3:])
        colors = to_uint8(np.hstack([srgb_from_linear(color[:, :3]), alpha]))
    return {"uv": uv, "texture": texture, "vertex_colors": colors}


def _image(info: Json | None, images: Images) -> np.ndarray | None:
    return None if info is None else images.of_texture(images.tree["textures"][info["index"]])


def _flat_color(material: Material, color: np.ndarray | None) -> dict[str, np.ndarray]:
    """Colour without a texture, times the colours (V, 4) of the vertices."""
    rgba = material.factor if color is None else material.factor * color
    rgb = srgb_from_linear(rgba[..., :3] + material.emission)
    rgba = to_uint8(np.concatenate([rgb, _alpha(material, rgba[..., 3:])], axis=-1))
    return {"color" if color is None else "vertex_colors": rgba}


def _combine(
    material: Material, image: np.ndarray | None, emission: np.ndarray | None
) -> np.ndarray:
    """Base colour and emission in one image, with alpha unless the material is opaque."""
    none = np.zeros(3)
    constant = none if material.emission_texture else material.emission
    if emission is not None:
        emission = multiply_linear(emission[..., :3], material.emission, none)
    if image is None:
        rgb = np.tile(to_uint8(srgb_from_linear(material.factor[:3])), (*emission.shape[:2], 1))
    else:
        rgb = np.ascontiguousarray(image[..., :3])
        if (material.factor[:3] != 1).any() or constant.any():
            rgb = multiply_linear(rgb, material.factor[:3], constant)
    if emission is not None:
        rgb = add_linear(rgb, emission)
    if material.alpha_mode == "OPAQUE":
        return rgb
    alpha = np.full((*rgb.shape[:2], 1), material.factor[3])
    if image is not None and image.shape[2] == 4:
        alpha *= image[..., 3:] / 255
    return np.concatenate([rgb, to_uint8(_alpha(material, alpha))], axis=-1)


def _alpha(material: Material, alpha: np.ndarray) -> np.ndarray:
    """Alpha by the material's mode (3.9.4): ignored, cut at alphaCutoff, or as it is."""
    if material.alpha_mode == "OPAQUE":
        return np.ones_like(alpha)
    if material.alpha_mode == "MASK":
        return np.float64(alpha >= material.alpha_cutoff)
    return alpha


def _layout(info: Json) -> tuple:
    """Return how a texture lies on a surface: set of coordinates, offset, rotation, scale."""
    transform = info.get("extensions", {}).get("KHR_texture_transform", {})
    return (
        transform.get("texCoord", info.get("texCoord", 0)),
        tuple(transform.get("offset", (0, 0))),
        transform.get("rotation", 0),
        tuple(transform.get("scale", (1, 1))),
    )


def _transform(uv: np.ndarray, info: Json) -> np.ndarray:
    """KHR_texture_transform: translation * rotation * scale."""
    _, offset, rotation, scale = _layout(info)
    c, s = np.cos(rotation), np.sin(rotation)
    return (uv * scale) @ np.array([[c, s], [-s, c]]).T + offset
