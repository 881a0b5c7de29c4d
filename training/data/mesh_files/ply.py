"""PLY files, read by plyfile."""

import io
import re
import warnings
from pathlib import Path

import numpy as np
import plyfile

from training.data.mesh import Mesh
from training.data.mesh_files.files import ReferencedFiles, decode_text
from training.data.mesh_files.polygons import triangulate
from training.data.mesh_files.surface import choose_colors, make_surface
from training.data.mesh_files.textures import to_uint8

# Names that programs give to the same property.
INDICES = ("vertex_indices", "vertex_index")
COLORS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"),
          ("r", "g", "b"))  # fmt: skip
UVS = (("texture_u", "texture_v"), ("u", "v"), ("s", "t"), ("texture_s", "texture_t"),
       ("tu", "tv"))  # fmt: skip
UNSUPPORTED = {
    "tristrips": "export it with faces",
    "multi_texture_face": "export it with faces",
    "material": "export it with colours of vertices or faces",
}


def read(path: Path, files: ReferencedFiles) -> list[Mesh]:
    content = files.read_path(path)
    header, end, body = content.partition(b"end_header")
    # plyfile reads ASCII alone; comments, and names of textures in them, are in other encodings.
    ascii_header = re.sub(rb"[\x80-\xff]", b"?", header)
    data = plyfile.PlyData.read(io.BytesIO(ascii_header + end + body))
    elements = {element.name: element for element in data.elements}
    for name, remedy in UNSUPPORTED.items():
        if name in elements and elements[name].count:
            raise ValueError(f"its element {name} is not supported; {remedy}")
    if "face" not in elements or not elements["face"].count:
        return []
    vertex, face = elements["vertex"].data, elements["face"].data
    vertices = np.stack([vertex[axis] for axis in "xyz"], axis=-1).astype(float)
    indices = next((face[name] for name in INDICES if name in face.dtype.names), None)
    if indices is None:
        raise ValueError(f"its faces have no {' or '.join(INDICES)}")
    sizes = np.array([len(polygon) for polygon in indices])
    corners = np.concatenate(indices).astype(int)
    if corners.min(initial=0) < 0 or corners.max(initial=-1) >= len(vertices):
        raise ValueError("its faces name vertices that it does not have")
    triangles, polygons = triangulate(vertices, corners, sizes)
    texture = _texture(decode_text(header), files)
    of_faces, of_vertices = _colors(elements["face"]), _colors(elements["vertex"])
    of_corners = None if texture is not None else _corner_colors(face, sizes)
    if of_corners is not None:
        return _as_list(make_surface(vertices[corners], triangles, vertex_colors=of_corners))
    if texture is not None:
        if any(colors is not None and (colors != 255).any() for colors in (of_faces, of_vertices)):
            warnings.warn("colours beside a texture are left out", stacklevel=2)
        uv, by_corner = _texture_coordinates(vertex, face, sizes)
        if uv is None:
            files.report_missing("a texture without texture coordinates")
        elif by_corner:
            return _as_list(make_surface(vertices[corners], triangles, uv=uv, texture=texture))
        else:
            return _as_list(make_surface(vertices, corners[triangles], uv=uv, texture=texture))
    if of_faces is not None:
        of_faces, of_vertices = choose_colors(of_faces[polygons], of_vertices)
    faces = corners[triangles]
    return _as_list(make_surface(vertices, faces, vertex_colors=of_vertices, face_colors=of_faces))


def _as_list(mesh: Mesh | None) -> list[Mesh]:
    return [] if mesh is None else [mesh]


def _texture(header: str, files: ReferencedFiles) -> np.ndarray | None:
    names = re.findall(r"^comment\s+texturefile[\s:]+(.+)$", header, re.IGNORECASE | re.MULTILINE)
    if len(names) > 1:
        raise ValueError("several textures in a PLY file are not supported")
    return files.texture(names[0].strip()) if names else None


def _texture_coordinates(
    vertex: np.ndarray, face: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray | None, bool]:
    """uv (V, 2) of the vertices, or (C, 2) of the corners; True for the latter."""
    for name in ("texcoord", "texcoords"):
        if name in face.dtype.names:
            values = np.concatenate(face[name])
            if len(values) != 2 * sizes.sum():
                raise ValueError("its texture coordinates do not fit its faces")
            return values.reshape(-1, 2), True
    for names in UVS:
        if set(names) <= set(vertex.dtype.names):
            return np.stack([vertex[name] for name in names], axis=-1), False
    return None, False


def _corner_colors(face: np.ndarray, sizes: np.ndarray) -> np.ndarray | None:
    """MeshLab's colours per wedge: (C, 3 or 4) uint8 of the corners, in [0, 1] in the file."""
    if "color" not in face.dtype.names or not face.dtype["color"].hasobject:
        return None
    values = np.concatenate(face["color"])
    if len(values) not in (3 * sizes.sum(), 4 * sizes.sum()):
        raise ValueError("its colours per wedge do not fit its faces")
    return to_uint8(values.reshape(sizes.sum(), -1))


def _colors(element: plyfile.PlyElement) -> np.ndarray | None:
    """Colours (N, 3 or 4) uint8 of an element.

    Bytes are 0..255; other integers too, unless a value is larger: then they are in their type's
    range. Floats are in [0, 1], or 0..255 if a value is larger than 1.
    Alpha counts if it varies; if it is the same everywhere, programs wrote it without a meaning.
    """
    data = element.data
    names = next((n for n in COLORS if set(n) <= set(data.dtype.names)), None)
    if names is None:
        return None
    alpha = data["alpha"] if "alpha" in data.dtype.names else None
    if alpha is not None and len(alpha) and (alpha != alpha[0]).any():
        names = (*names, "alpha")
    values = np.stack([data[name] for name in names], axis=-1)
    scale, highest = 255.0, values.max(initial=0)
    if values.dtype.kind == "f":
        scale = 255.0 if highest > 1 else 1.0
    elif values.dtype == np.int8 or highest > 255:
        scale = float(np.iinfo(values.dtype).max)
    return to_uint8(values / scale)
