"""STL files, with the two conventions for colours in binary ones."""

import codecs
import io
from pathlib import Path

import numpy as np
import trimesh

from training.data.mesh import Mesh
from training.data.mesh_files.files import ReferencedFiles
from training.data.mesh_files.surface import make_surface

HEADER_BYTES = 80
TRIANGLE = np.dtype([("normal", "<f4", 3), ("vertices", "<f4", (3, 3)), ("attribute", "<u2")])
MAGICS = b"COLOR="  # in the header: the object's colour, 4 bytes RGBA (Materialise Magics)
MESHLAB = b" MATERIAL="  # behind that in MeshLab's files, which use HAS_COLOR the other way round
HAS_COLOR = 0x8000  # VisCAM and SolidView: the triangle has a colour; Magics: it has none


def read(path: Path, files: ReferencedFiles) -> list[Mesh]:
    data = files.read_path(path)
    colors = None
    if not _is_text(data):
        triangles = _read_triangles(data)
        vertices = triangles["vertices"].reshape(-1, 3)
        faces = np.arange(len(vertices)).reshape(-1, 3)
        colors = face_colors(triangles["attribute"], data[:HEADER_BYTES])
    else:
        if b"endsolid" not in data.lower():
            raise ValueError("cut off: it has no endsolid")
        part = trimesh.load_mesh(io.BytesIO(data), file_type="stl", process=False)
        vertices, faces = part.vertices, part.faces
    mesh = make_surface(vertices, faces, face_colors=colors)
    return [] if mesh is None else [mesh]


def _is_text(data: bytes) -> bool:
    """By its zeros too, because the header of a binary file may begin with "solid"."""
    text = data.removeprefix(codecs.BOM_UTF8)
    return text.lstrip()[:5].lower() == b"solid" and b"\0" not in text


def _read_triangles(data: bytes) -> np.ndarray:
    """Return the triangles of a binary file; bytes behind them are ignored."""
    rest = data[HEADER_BYTES + 4 :]
    if len(data) < HEADER_BYTES + 4:
        raise ValueError("cut off, or no STL file")
    count = int(np.frombuffer(data[HEADER_BYTES : HEADER_BYTES + 4], "<u4")[0])
    if count * TRIANGLE.itemsize > len(rest):
        there = len(rest) // TRIANGLE.itemsize
        raise ValueError(f"cut off, or no STL file: it has {there} of {count} triangles")
    if not count and len(rest) >= TRIANGLE.itemsize:
        raise ValueError("it says that it has 0 triangles, and has some")
    return np.frombuffer(rest[: count * TRIANGLE.itemsize], TRIANGLE)


def face_colors(attributes: np.ndarray, header: bytes) -> np.ndarray | None:
    """Colours (F, 3) uint8 from the triangles' attributes (F,) uint16; None if they have none.

    5 bits a channel; red is the lowest in Magics' files and the highest in the others'.
    """
    channels = np.stack([attributes >> shift & 31 for shift in (0, 5, 10)], axis=-1)
    rgb = np.uint8(np.round(channels * (255 / 31)))
    colored = attributes & HAS_COLOR != 0
    start = header.find(MAGICS)
    if start >= 0:
        of_object = np.frombuffer(header[start + 6 : start + 9].ljust(3, b"\0"), np.uint8)
        # Without any attribute, all triangles would be black: they have none of their own.
        own = ~colored if attributes.any() else colored
        if header[start + 9 :].startswith(MESHLAB):
            own = colored
        return np.where(own[:, None], rgb, of_object)
    if not colored.any():
        return None
    if not colored.all():
        raise ValueError("some of its triangles have colours, and others have none")
    return rgb[:, ::-1]
