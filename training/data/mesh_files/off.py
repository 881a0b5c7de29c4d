"""OFF files (Object File Format), with colours of vertices (COFF) or of faces."""

import re
from pathlib import Path

import numpy as np

from training.data.mesh import Mesh
from training.data.mesh_files.files import ReferencedFiles, decode_text
from training.data.mesh_files.polygons import triangulate
from training.data.mesh_files.surface import GREY, choose_colors, make_surface
from training.data.mesh_files.textures import to_uint8

HEADER = re.compile(r"((?:ST|C|N)*)(4?n?)OFF|off")


def read(path: Path, files: ReferencedFiles) -> list[Mesh]:
    text = re.sub(r"#.*", "", decode_text(files.read_path(path)))
    header = HEADER.match(text.lstrip())
    if header is None:
        raise ValueError("it does not start with OFF")
    kinds, dimensions = header[1] or "", header[2]
    if dimensions:
        raise ValueError(f"{header.group()} is not supported: its vertices are not in 3 dimensions")
    lines = [line.split() for line in text.lstrip()[header.end() :].splitlines() if line.strip()]
    if lines[0][0].upper() == "BINARY":
        raise ValueError("binary OFF is not supported; export it as text")
    vertex_count, face_count = int(lines[0][0]), int(lines[0][1])
    if len(lines) < 1 + vertex_count + face_count:
        raise ValueError("it ends before all of its vertices and faces")
    rows = lines[1 : 1 + vertex_count]
    vertices = np.array([list(map(float, row[:3])) for row in rows]).reshape(-1, 3)
    faces = lines[1 + vertex_count : 1 + vertex_count + face_count]
    sizes = np.array([int(face[0]) for face in faces], int)
    corners = np.array([int(word) for face in faces for word in face[1 : 1 + int(face[0])]], int)
    if len(corners) != sizes.sum():
        raise ValueError("a face has fewer vertices than it says")
    if corners.min(initial=0) < 0 or corners.max(initial=-1) >= len(vertices):
        raise ValueError("its faces name vertices that it does not have")
    triangles, polygons = triangulate(vertices, corners, sizes)
    # Normals come before colours in the format's definition, whose name is then CNOFF. MeshLab
    # writes NCOFF, and them in the other order. Texture coordinates are last.
    end = -2 if "ST" in kinds else None
    start = 6 if "N" in kinds and "NC" not in kinds else 3
    if "NC" in kinds:
        end = (end or 0) - 3
    face_colors = _colors([face[1 + int(face[0]) :] for face in faces])
    vertex_colors = _colors([row[start:end] for row in rows])
    if face_colors is not None:
        face_colors, vertex_colors = choose_colors(face_colors[polygons], vertex_colors)
    mesh = make_surface(
        vertices, corners[triangles], vertex_colors=vertex_colors, face_colors=face_colors
    )
    return [] if mesh is None else [mesh]


def _colors(rows: list[list[str]]) -> np.ndarray | None:
    """Colours (N, 3 or 4) uint8 of rows of 0, 3 or 4 numbers; None if all are empty.

    They are in [0, 1], or 0..255 if one is larger than 1. A row without numbers has no colour,
    which is grey. Alpha counts if it varies. Raises ValueError for colour map indices.
    """
    if not any(rows):
        return None
    if any(len(row) not in (0, 3, 4) for row in rows):
        raise ValueError("its colours are neither RGB nor RGBA")
    values = [list(map(float, row)) for row in rows]
    if min(min(row) for row in values if row) < 0:
        raise ValueError("it has colours below 0")
    scale = 255 if max(max(row) for row in values if row) > 1 else 1
    grey = [GREY / 255 * scale] * 3
    # An alpha of 1 beside colours in 0..255 is written too.
    rgba = np.array([((row or grey) + [scale])[:4] for row in values]) / scale
    return to_uint8(rgba if np.ptp(rgba[:, 3]) > 0 else rgba[:, :3])
