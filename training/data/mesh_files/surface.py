"""One surface of a mesh file, checked and reduced to what its triangles use."""

import warnings

import numpy as np

from training.data.mesh import Mesh
from training.data.mesh_files.textures import OPAQUE, cut_out, limit_size, used_texels

GREY = 180  # sRGB of a surface to which its file gives no colour
HALF_TRANSPARENT = (13, 242)  # alpha that is neither nearly 0 nor nearly 255
LEFT_OUT = "transparent surfaces are left out"


def make_surface(
    vertices: np.ndarray,
    faces: np.ndarray,
    *,
    color: np.ndarray | None = None,
    vertex_colors: np.ndarray | None = None,
    face_colors: np.ndarray | None = None,
    uv: np.ndarray | None = None,
    texture: np.ndarray | None = None,
) -> Mesh | None:
    """Return a Mesh of what is visible of a surface, None if that is nothing.

    vertices: (V, 3); faces: (F, 3); color: (3 or 4,), of all; vertex_colors: (V, 3 or 4);
    face_colors: (F, 3 or 4); uv: (V, 2), origin at the lower left; texture: (H, W, 3 or 4),
    multiplied with vertex_colors if both are given. Colours are sRGB uint8. What has an alpha below
    one half is left out. Raises ValueError if indices are out of range or coordinates not finite.
    """
    vertices, faces = np.asarray(vertices, float), np.asarray(faces, int).reshape(-1, 3)
    if not len(faces):
        return None
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError("its triangles name vertices that it does not have")
    if texture is None and vertex_colors is None and face_colors is None:
        if color is None:
            color = grey()
        face_colors = np.tile(color, (len(faces), 1))
    visible = np.ones(len(faces), bool)
    if face_colors is not None:
        face_colors, visible = _visible(np.asarray(face_colors), visible)
    if vertex_colors is not None:
        _, visible = _visible(np.asarray(vertex_colors)[faces].mean(axis=1), visible)
        vertex_colors = np.uint8(vertex_colors[:, :3])
    if texture is not None and texture.shape[2] == 4:
        alpha = texture[..., 3][used_texels(uv, faces, texture.shape[:2])]
        _warn_if_half_transparent(alpha)
        texture = cut_out(texture, alpha)
        visible &= texture is not None
    if not visible.all():
        warnings.warn(LEFT_OUT, stacklevel=2)
    if not visible.any():
        return None
    used, indices = np.unique(faces[visible], return_inverse=True)
    faces = indices.reshape(-1, 3)
    if len(used) == len(faces):
        # The number of colours tells whose they are: one spare vertex makes that clear.
        used = np.append(used, used[0])
    vertices = vertices[used]
    if not np.isfinite(vertices).all():
        raise ValueError("it has vertices that are not finite")
    vertex_colors = None if vertex_colors is None else vertex_colors[used]
    if face_colors is not None:
        return Mesh(vertices, faces, np.uint8(face_colors[visible]))
    if texture is None:
        return Mesh(vertices, faces, vertex_colors)
    uv = np.asarray(uv, float)[used]
    if not np.isfinite(uv).all():
        raise ValueError("it has texture coordinates that are not finite")
    texture = np.ascontiguousarray(limit_size(texture))
    return Mesh(vertices, faces, vertex_colors, uv, texture)


def choose_colors(
    of_faces: np.ndarray, of_vertices: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the colours of faces (F, 3 or 4) or those of vertices, and None for the others.

    Faces of one colour are what MeshLab writes beside the colours of the vertices.
    """
    if of_vertices is not None and not np.ptp(of_faces, axis=0).any():
        return None, of_vertices
    return of_faces, None


def grey() -> np.ndarray:
    """Return the colour (3,) uint8 of a surface to which its file gives none, and warn of it."""
    warnings.warn("surfaces to which the file gives no colour are drawn grey", stacklevel=2)
    return np.full(3, GREY, np.uint8)


def _visible(colors: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split the alpha, if there is one, from the colours of faces (F, 3 or 4)."""
    if colors.shape[1] < 4:
        return colors, visible
    _warn_if_half_transparent(colors[:, 3])
    return colors[:, :3], visible & (colors[:, 3] >= OPAQUE)


def _warn_if_half_transparent(alpha: np.ndarray) -> None:
    low, high = HALF_TRANSPARENT
    if ((alpha >= low) & (alpha <= high)).any():
        warnings.warn(
            "half-transparent surfaces are drawn opaque, or left out below an opacity of one half",
            stacklevel=2,
        )
