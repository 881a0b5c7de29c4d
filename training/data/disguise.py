"""Meshes in disguise: one scan becomes many objects, and shapes without colours get some."""

from dataclasses import replace

import numpy as np

from training.data.mesh import Mesh
from training.data.objects.recolour import recolour


def disguised(meshes: list[Mesh], rng: np.random.Generator) -> list[Mesh]:
    """Return an object turned about z, and now and then stretched, laid down or in other colours.

    meshes: its parts, which are treated alike. Not normalised.
    """
    stretch = np.exp(rng.normal(0, 0.18, 3)) if rng.random() < 0.5 else np.ones(3)
    laid = rng.random() < 0.12
    angle = rng.uniform(-np.pi, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tint = None
    if rng.random() < 0.4:
        saturation = rng.uniform(0.3, 1.6)
        tint = saturation, np.exp(rng.normal(0, 0.15, 3) + rng.normal(0, 0.2))
    result = []
    for mesh in meshes:
        vertices = mesh.vertices * stretch
        vertices = vertices[:, [2, 0, 1]] if laid else vertices
        vertices = np.column_stack([vertices[:, :2] @ turn.T, vertices[:, 2]])
        mesh = replace(mesh, vertices=vertices)
        if tint and mesh.texture is None:
            mesh = replace(mesh, colors=tinted(mesh.colors, *tint))
        elif tint:
            texture = mesh.texture.copy()
            texture[..., :3] = tinted(texture[..., :3], *tint)
            mesh = replace(mesh, texture=texture)
        result.append(mesh)
    return result


def tinted(colors: np.ndarray, saturation: float, gain: np.ndarray) -> np.ndarray:
    """Return colours (..., 3) uint8 with another saturation and white balance."""
    colors = colors.astype(float)
    grey = colors.mean(axis=-1, keepdims=True)
    colors = (grey + (colors - grey) * saturation) * gain
    return np.clip(colors, 0, 255).astype(np.uint8)


def is_colourless(meshes: list[Mesh]) -> bool:
    """Return whether all of an object has one colour, as that of files without any."""
    if any(mesh.texture is not None for mesh in meshes):
        return False
    return len(np.unique(np.concatenate([mesh.colors for mesh in meshes]), axis=0)) == 1


def coloured(meshes: list[Mesh], rng: np.random.Generator) -> list[Mesh]:
    """Return an object in random colours if it has none; see recolour."""
    return [recolour(mesh, rng) for mesh in meshes] if is_colourless(meshes) else meshes
