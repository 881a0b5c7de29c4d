"""Wavefront OBJ files and their materials (MTL)."""

import re
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.data.mesh import Mesh
from training.data.mesh_files.files import ReferencedFiles, decode_text
from training.data.mesh_files.materials import Material, read_mtl, tint
from training.data.mesh_files.polygons import triangulate
from training.data.mesh_files.surface import make_surface
from training.data.mesh_files.textures import to_uint8

NO_MATERIAL = ("", "none", "(null)")  # what exporters write for it
FREE_FORM = {"surf", "curv", "curv2"}


@dataclass
class Faces:
    """The polygons of one material: flat lists of their corners, 0-based."""

    sizes: list[int] = field(default_factory=list)
    corners: list[int] = field(default_factory=list)
    uv_corners: list[int] = field(default_factory=list)  # -1 if the corner has none


@dataclass
class ObjFile:
    """The content of an OBJ file. positions: rows of 3 to 8 numbers, as they are written."""

    positions: list[list[float]] = field(default_factory=list)
    uv: list[list[float]] = field(default_factory=list)
    faces: dict[str, Faces] = field(default_factory=lambda: defaultdict(Faces))  # by material
    libraries: list[str] = field(default_factory=list)  # lines of mtllib
    missing_libraries: list[str] = field(default_factory=list)
    polypaint: str = ""  # ZBrush's vertex colours, MMRRGGBB in hexadecimal


def read(path: Path, files: ReferencedFiles) -> list[Mesh]:
    content = parse(decode_text(files.read_path(path)))
    if not content.faces:
        return []
    materials = _read_materials(content, files)
    positions = np.array([row[:3] for row in content.positions], float).reshape(-1, 3)
    colors = _vertex_colors(content)
    uv = np.array(content.uv, float).reshape(-1, 2)
    meshes = []
    for name, faces in content.faces.items():
        material = _find_material(name, materials, content, files)
        meshes.append(_surface(positions, colors, uv, faces, material, files))
    return [mesh for mesh in meshes if mesh is not None]


def parse(text: str) -> ObjFile:
    """Read the lines of an OBJ file; raises ValueError for lines that cannot be understood."""
    content, faces = ObjFile(), None
    material = ""
    for number, line in enumerate(re.sub(r"\\[ \t]*\r?\n", " ", text).splitlines(), 1):
        if line.startswith("#MRGB "):
            content.polypaint += line[6:].strip()
            continue
        words = line.partition("#")[0].split()
        if not words:
            continue
        keyword = words[0].lower()
        try:
            if keyword == "v":
                content.positions.append([float(word) for word in words[1:]])
                if len(words) < 4:
                    raise ValueError
            elif keyword == "vt":
                content.uv.append([float(word) for word in [*words[1:3], "0"][:2]])
            elif keyword == "f":
                if faces is None:
                    faces = content.faces[material]
                _add_face(content, faces, words[1:])
            elif keyword == "usemtl":
                material, faces = line.split(None, 1)[1].strip() if len(words) > 1 else "", None
            elif keyword in ("p", "l"):
                warnings.warn("points and lines are left out", stacklevel=2)
            elif keyword == "mtllib":
                content.libraries.append(line.split(None, 1)[1].strip())
            elif keyword in FREE_FORM:
                raise ValueError("free-form curves and surfaces are not supported")
        except (ValueError, IndexError) as error:
            reason = str(error) if keyword in FREE_FORM else "cannot be understood"
            raise ValueError(f"line {number} {reason}: {line.strip()[:60]!r}") from None
    last = re.split(r"[\r\n]", text)[-1].split()  # without an end of the line
    if last[:1] == ["f"] and len(last) < 4:
        raise ValueError("cut off: its last face has less than 3 corners")
    return content


def _add_face(content: ObjFile, faces: Faces, words: list[str]) -> None:
    """Add a polygon; its words are v, v/vt, v//vn or v/vt/vn, 1-based, negative from the end."""
    positions, uvs = len(content.positions), len(content.uv)
    faces.sizes.append(len(words))
    for word in words:
        vertex, _, rest = word.partition("/")
        index = int(vertex)
        if index == 0:
            raise ValueError
        faces.corners.append(index - 1 if index > 0 else positions + index)
        texture = rest.partition("/")[0]
        index = int(texture) if texture else 0
        faces.uv_corners.append(index - 1 if index >= 0 else uvs + index)


def _vertex_colors(content: ObjFile) -> np.ndarray | None:
    """Colours (V, 3) uint8 behind the coordinates (in [0, 1] or 0..255) or of ZBrush; or None."""
    widths = {len(row) for row in content.positions}
    if widths & {6, 7}:  # 4: a weight, of no meaning for polygons
        if not widths <= {6, 7}:
            raise ValueError("some of its vertices have colours, and others have none")
        colors = np.array([row[3:6] for row in content.positions])
        return to_uint8(colors / (255 if colors.max() > 1 else 1))
    if max(widths, default=0) > 7:
        raise ValueError(f"it has vertices of {max(widths)} numbers")
    if content.polypaint:
        colors = np.frombuffer(bytes.fromhex(content.polypaint), np.uint8).reshape(-1, 4)[:, 1:]
        if len(colors) != len(content.positions):
            raise ValueError("its polypaint (#MRGB) does not have a colour for each vertex")
        return colors
    return None


def _read_materials(content: ObjFile, files: ReferencedFiles) -> dict[str, Material]:
    """All materials of the mtllib lines; a file that is missing matters if a face needs it."""
    materials = {}
    for line in content.libraries:
        names = [line] if len(line.split()) == 1 else [line, *line.split()]
        found = False
        for name in names:
            try:
                path = files.find(name)
            except FileNotFoundError:
                continue
            materials |= read_mtl(decode_text(files.read_path(path)), path)
            found = True
            if name == line:
                break
        if not found:
            content.missing_libraries.append(line)
    return materials


def _find_material(
    name: str, materials: dict[str, Material], content: ObjFile, files: ReferencedFiles
) -> Material | None:
    if name in materials:
        return materials[name]
    same = [key for key in materials if _fold(key) == _fold(name)]
    if len(same) == 1:
        return materials[same[0]]
    if name.casefold() in NO_MATERIAL:
        return None
    missing = [line for line in content.libraries if line in content.missing_libraries]
    where = f"it is not in {', '.join(content.libraries)}"
    if missing or not content.libraries:
        where = f"{', '.join(missing)} is not there" if missing else "there is no mtllib line"
    files.report_missing(f"material {name}: {where}")
    return None


def _fold(name: str) -> str:
    """Without a comment behind it, and the same for upper and lower case."""
    return re.split(r"\s#", name)[0].strip().casefold()


def _surface(
    positions: np.ndarray,
    colors: np.ndarray | None,
    uv: np.ndarray,
    faces: Faces,
    material: Material | None,
    files: ReferencedFiles,
) -> Mesh | None:
    corners, uv_corners = np.array(faces.corners), np.array(faces.uv_corners)
    if corners.min() < 0 or corners.max() >= len(positions):
        raise ValueError("its faces name vertices that it does not have")
    triangles, _ = triangulate(positions, corners, np.array(faces.sizes))
    texture = material.load_texture(files) if material else None
    if texture is None:
        return make_surface(positions, corners[triangles], **_colors(colors, material))
    if colors is not None and (colors != 255).any():
        warnings.warn("vertex colours beside a texture are left out", stacklevel=2)
    if (uv_corners < 0).any():
        name = material.used_texture.name
        files.report_missing(f"texture {name}: some of its faces have no texture coordinates")
        return make_surface(positions, corners[triangles], color=material.color)
    if uv_corners.max() >= len(uv):
        raise ValueError("its faces name texture coordinates that it does not have")
    # A corner is a vertex with texture coordinates: one new vertex for each pair.
    pairs, indices = np.unique(np.stack([corners, uv_corners], axis=1), axis=0, return_inverse=True)
    texture, uv = material.place_texture(texture, uv[pairs[:, 1]])
    return make_surface(
        positions[pairs[:, 0]], indices.reshape(-1)[triangles], uv=uv, texture=texture
    )


def _colors(colors: np.ndarray | None, material: Material | None) -> dict[str, np.ndarray | None]:
    """Colour arguments of make_surface: the vertices' colours, tinted, or the material's."""
    if colors is None:
        return {"color": material.color_with_alpha if material else None}
    if material is None:
        return {"vertex_colors": colors}
    alpha = np.full((len(colors), 1), 255 * material.opacity)
    return {"vertex_colors": np.hstack([np.round(colors * tint(material.diffuse)), alpha])}
