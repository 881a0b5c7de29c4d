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
from training.data.mesh_files.surface import GREY, make_surface
from training.data.mesh_files.textures import to_uint8

UP_AXES = {"X_UP": "x", "Y_UP": "y", "Z_UP": "z"}


def read(path: Path, files: ReferencedFiles) -> tuple[list[Mesh], str]:
    """Return the surfaces, and the axis that points up: x, y or z."""
    try:
        document = Collada(io.BytesIO(files.read_path(path)))
    except DaeError as error:
        raise ValueError(f"COLLADA: {getattr(error, 'msg', error)}") from error
    if document.scene is None:
        raise ValueError("COLLADA without a scene")
    if any(True for _ in document.scene.objects("controller")):
        raise ValueError("skinned and morphed meshes are not supported; apply them and export")
    meshes = [
        _surface(primitive, document, files)
        for geometry in document.scene.objects("geometry")
        for primitive in geometry.primitives()
        if not isinstance(primitive, BoundLineSet)
    ]
    return [mesh for mesh in meshes if mesh is not None], _up_axis(document)


def _up_axis(document: Collada) -> str:
    """Of the document's asset; pycollada takes one with spaces around it for Y_UP."""
    text = document.xmlnode.getroot().findtext(f"{document.tag('asset')}/{document.tag('up_axis')}")
    name = (text or "Y_UP").strip().upper()
    if name not in UP_AXES:
        raise ValueError(f"up_axis {name!r} is not supported")
    return UP_AXES[name]


def _surface(primitive: BoundPrimitive, document: Collada, files: ReferencedFiles) -> Mesh | None:
    original = primitive.original
    if primitive.vertex is None or not len(original.index):
        return None
    if isinstance(primitive, BoundPolylist):
        sizes = np.asarray(original.vcounts)
        if original.xmlnode.find(document.tag("ph")) is not None:
            raise ValueError("polygons with holes are not supported; triangulate and export")
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
    diffuse = effect.diffuse
    if isinstance(diffuse, Map):
        image = files.texture(diffuse.sampler.surface.image.path)
        if image is not None:
            uv = _texture_coordinates(primitive, index, diffuse.texcoord)
            if uv is not None:
                keep_alpha = isinstance(effect.transparent, Map)
                return {"uv": uv, "texture": image if keep_alpha else image[..., :3]}
            files.report_missing("a textured surface without its texture coordinates")
        diffuse = None
    _warn_of_transparency(effect)
    if isinstance(effect.emission, Map):
        raise ValueError("emissive textures are not supported in COLLADA")
    diffuse = None if diffuse is None else np.array(diffuse[:3], float)
    if colors is not None:
        return {"vertex_colors": to_uint8(colors[:, :3] * tint(diffuse))}
    emission = np.zeros(3) if effect.emission is None else np.array(effect.emission[:3], float)
    if diffuse is None:
        diffuse = np.zeros(3) if emission.any() else np.full(3, GREY / 255)
    return {"color": to_uint8(diffuse + emission)}


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
    if isinstance(effect.transparent, Map) or effect.transparent is None:
        return
    opacity = effect.transparent[3] * effect.transparency
    if effect.opaque_mode == "RGB_ZERO":
        opacity = 1 - np.mean(effect.transparent[:3]) * effect.transparency
    if 0.05 < opacity < 0.95:
        warnings.warn("half-transparent surfaces are drawn opaque", stacklevel=2)
