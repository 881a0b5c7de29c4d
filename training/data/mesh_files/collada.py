"""COLLADA (.dae) files, read by pycollada."""

import io
import warnings
from pathlib import Path

import numpy as np
from collada import Collada
from collada.common import DaeError
from collada.lineset import BoundLineSet
from collada.material import Effect, Map
from collada.polylist import BoundPolylist
from collada.primitive import BoundPrimitive

from training.data.mesh import Mesh
from training.data.mesh_files.files import ReferencedFiles
from training.data.mesh_files.materials import tint
from training.data.mesh_files.polygons import triangulate
from training.data.mesh_files.surface import grey, make_surface
from training.data.mesh_files.textures import to_uint8, wrap

# Maya's names, which other exporters use too, for how a texture lies, and the values that change
# nothing.
PLACEMENT = {"repeatU": 1, "repeatV": 1, "offsetU": 0, "offsetV": 0, "rotateUV": 0,
             "rotateFrame": 0, "translateFrameU": 0, "translateFrameV": 0, "coverageU": 1,
             "coverageV": 1, "mirrorU": 0, "mirrorV": 0, "stagger": 0}  # fmt: skip
WRAP_MODES = {"NONE": "border", "BORDER": "border", "CLAMP": "clamp", "MIRROR": "mirror"}
UP_AXES = {"X_UP": "x", "Y_UP": "y", "Z_UP": "z"}


def read(path: Path, files: ReferencedFiles) -> tuple[list[Mesh], str]:
    """Return the surfaces, and the axis that points up: x, y or z."""
    data = files.read_path(path)
    if b"<skew" in data:
        raise ValueError("nodes with <skew> are not supported; apply their transforms and export")
    try:
        document = Collada(io.BytesIO(data))
    except DaeError as error:
        raise ValueError(f"COLLADA: {getattr(error, 'msg', error)}") from error
    if document.scene is None:
        raise ValueError("COLLADA without a scene")
    if any(True for _ in document.scene.objects("controller")):
        raise ValueError("skinned and morphed meshes are not supported; apply them and export")
    _check_numbers(document)
    meshes = [
        _surface(primitive, document, files)
        for geometry in document.scene.objects("geometry")
        for primitive in geometry.primitives()
        if not isinstance(primitive, BoundLineSet)
    ]
    return [mesh for mesh in meshes if mesh is not None], _up_axis(document)


def _check_numbers(document: Collada) -> None:
    """Raise ValueError for NaN, which pycollada turns to 0."""
    for array in document.xmlnode.iter(document.tag("float_array")):
        if "nan" in (array.text or "").lower():
            raise ValueError("it has coordinates or colours that are not finite")


def _up_axis(document: Collada) -> str:
    """Return the asset's up axis; pycollada takes one with spaces around it for Y_UP."""
    text = document.xmlnode.getroot().findtext(f"{document.tag('asset')}/{document.tag('up_axis')}")
    name = (text or "Y_UP").strip().upper()
    if name not in UP_AXES:
        raise ValueError(f"up_axis {name!r} is not supported")
    return UP_AXES[name]


def _surface(primitive: BoundPrimitive, document: Collada, files: ReferencedFiles) -> Mesh | None:
    original = primitive.original
    if original.xmlnode.find(document.tag("ph")) is not None:
        raise ValueError("polygons with holes are not supported; triangulate and export")
    if primitive.vertex is None or not len(original.index):
        return None
    if np.min(original.index) < 0:
        raise ValueError("its triangles name vertices that it does not have")
    if isinstance(primitive, BoundPolylist):
        sizes = np.asarray(original.vcounts)
    else:
        sizes = np.full(len(primitive), 3)
    corners = primitive.vertex_index.reshape(-1)
    triangles, _ = triangulate(primitive.vertex, corners, sizes)
    # A corner has an index for each input: one new vertex for each combination that is in use.
    index = original.index.reshape(-1, original.index.shape[-1])
    used = [entry[0] for name in ("VERTEX", "TEXCOORD", "COLOR")
            for entry in original.sources.get(name, [])]  # fmt: skip
    ignored = np.setdiff1d(np.arange(index.shape[1]), used)  # normals
    index = index.copy()
    index[:, ignored] = 0
    index, of_corners = np.unique(index, axis=0, return_inverse=True)
    vertices = primitive.vertex[index[:, original.sources["VERTEX"][0][0]]]
    colors = None
    for offset, *_, source in original.sources.get("COLOR", [])[:1]:
        colors = source.data[index[:, offset]]
    faces = of_corners.reshape(-1)[triangles]
    return make_surface(vertices, faces, **_appearance(primitive, index, colors, document, files))


def _appearance(
    primitive: BoundPrimitive,
    index: np.ndarray,
    colors: np.ndarray | None,
    document: Collada,
    files: ReferencedFiles,
) -> dict[str, np.ndarray | None]:
    """Return the colour arguments of make_surface; colors: (C, 3 or 4) of the corners."""
    symbol, material = primitive.original.material, primitive.material
    if material is None and symbol is not None:  # some exporters bind none: the symbol is its id
        material = document.materials.get(symbol)
        if material is None:
            files.report_missing(f"material {symbol} is not bound to one of the document")
    if material is None:
        return {"vertex_colors": None if colors is None else to_uint8(colors[:, :3])}
    effect = material.effect
    _warn_of_transparency(effect)
    diffuse, emission = effect.diffuse, effect.emission
    if isinstance(diffuse, Map) and isinstance(emission, Map):
        if _image_name(diffuse) != _image_name(emission):
            raise ValueError("an emissive texture beside another is not supported in COLLADA")
        emission = None
    # The other of the two is one colour; that of an emissive texture is nearly always black.
    texture = next((value for value in (diffuse, emission) if isinstance(value, Map)), None)
    diffuse, emission = (
        None if value is None or isinstance(value, Map) else np.array(value[:3], float)
        for value in (diffuse, emission)
    )
    emission = np.zeros(3) if emission is None else emission
    if texture is not None:
        added = emission if texture is effect.diffuse else np.zeros(3)
        textured = _textured(primitive, index, texture, added, effect, files)
        if textured is not None:
            if colors is not None and (colors[:, :3] != 1).any():
                warnings.warn("vertex colours beside a texture are left out", stacklevel=2)
            return textured
    if colors is not None:
        return {"vertex_colors": to_uint8(colors[:, :3] * tint(diffuse))}
    if diffuse is None:
        diffuse = np.zeros(3) if emission.any() else grey() / 255
    return {"color": to_uint8(diffuse + emission)}


def _textured(
    primitive: BoundPrimitive,
    index: np.ndarray,
    texture: Map,
    emission: np.ndarray,
    effect: Effect,
    files: ReferencedFiles,
) -> dict[str, np.ndarray] | None:
    """Return the texture's arguments of make_surface; None if it is missing and that is allowed."""
    image = files.texture(_image_name(texture))
    if image is None:
        return None
    uv = _texture_coordinates(primitive, index, texture.texcoord)
    if uv is None:
        return files.report_missing("a textured surface without its texture coordinates")
    if emission.any():
        image = np.dstack([to_uint8(image[..., :3] / 255 + emission), image[..., 3:]])
    if not isinstance(effect.transparent, Map):
        image = image[..., :3]
    _check_placement(texture)
    node = texture.sampler.xmlnode
    names = [node.findtext(f".//{{*}}{name}") or "WRAP" for name in ("wrap_s", "wrap_t")]
    modes = tuple(WRAP_MODES.get(name.strip(), "repeat") for name in names)
    image, uv = wrap(image, uv, modes)
    return {"uv": uv, "texture": image}


def _image_name(texture: Map) -> str:
    image = texture.sampler.surface.image
    name = image.path or image.xmlnode.findtext(".//{*}ref")  # COLLADA 1.5
    if not name:
        raise ValueError(f"the image {image.id} names no file")
    return name.strip()


def _check_placement(texture: Map) -> None:
    """Raise ValueError if a texture is repeated, moved or turned by an exporter's extension."""
    for node in texture.xmlnode.iter():
        name = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
        if name in PLACEMENT and float(node.text or 0) != PLACEMENT[name]:
            raise ValueError(f"its texture has {name} {node.text}, which is not supported")


def _texture_coordinates(
    primitive: BoundPrimitive, index: np.ndarray, symbol: str
) -> np.ndarray | None:
    """uv (C, 2) of the set that the material's symbol is bound to, or of the only set."""
    inputs = primitive.original.sources.get("TEXCOORD", [])
    if not inputs:
        return None
    _, wanted = (primitive.inputmap or {}).get(symbol, (None, None))
    chosen = [entry for entry in inputs if str(entry[3] or 0) == str(wanted or 0)]
    if not chosen and len(inputs) > 1:
        raise ValueError(f"the texture coordinates {symbol!r} are not bound to one of its sets")
    offset, *_, source = (chosen or inputs)[0]
    return source.data[index[:, offset], :2]


def _warn_of_transparency(effect: Effect) -> None:
    """Half-transparent colours are drawn opaque: programs disagree on what their values mean."""
    if effect.transparent is None:
        return
    if isinstance(effect.transparent, Map):
        of_diffuse = isinstance(effect.diffuse, Map) and _image_name(effect.diffuse)
        if _image_name(effect.transparent) != of_diffuse:
            warnings.warn("opacity in an image of its own is left out: drawn opaque", stacklevel=2)
        return
    opacity = effect.transparent[3] * effect.transparency
    if effect.opaque_mode == "RGB_ZERO":
        opacity = 1 - np.mean(effect.transparent[:3]) * effect.transparency
    if opacity < 0.95:
        warnings.warn("transparent surfaces are drawn opaque", stacklevel=2)
