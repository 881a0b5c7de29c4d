"""Random colours for meshes that have none (scanned shapes without texture, bare geometry)."""

import numpy as np

from training.data.mesh import Mesh
from training.data.objects.draw import Draw, color, contrast, shade
from training.data.objects.part import rotation, to_uint8, unit_points
from training.data.objects.surfaces import (
    bands,
    blotches,
    brushed,
    fade,
    grain,
    material,
    mottled,
    pattern,
)

CREASE = 40.0  # degrees; sharper edges may border a colour


def recolour(mesh: Mesh, rng: np.random.Generator) -> Mesh:
    """Paint a mesh in random colours; its shape stays as it is.

    One material, two tones by height or by the direction of the surface, stripes, gradients,
    patches, noise; the same state of `rng` gives the same colours.
    """
    draw = Draw(generator=rng)
    turn = rotation("z", draw.uniform(0, 360)) @ rotation("x", draw.pick((0, 0, 0, 90)))
    points = unit_points(mesh.vertices) @ turn.T
    painted = Mesh(mesh.vertices, mesh.faces, to_uint8(np.array(_paint(draw)(points), float)))
    return _second_material(draw, painted) if draw.chance(0.35) else painted


def _paint(draw: Draw):
    rgb = color(draw)
    kind = draw.pick(
        ("material", "pattern", "tones", "fade", "noise", "wood", "metal", "blotches"),
        (4, 3, 2, 1.5, 2, 0.7, 0.7, 1),
    )
    if kind == "material":
        return material(draw, rgb)
    if kind == "pattern":
        return pattern(draw, rgb)
    if kind == "tones":
        edges = np.sort(draw.uniforms(-0.7, 0.7, draw.integer(1, 2)))
        return bands([rgb, contrast(draw, rgb), rgb][: len(edges) + 1], edges, draw.pick((2, 2, 0)))
    if kind == "fade":
        return fade(rgb, color(draw), draw.pick((2, 2, 0, 1)))
    if kind == "noise":
        return mottled(draw, rgb, draw.uniform(0.05, 0.25), draw.log(1, 8))
    if kind == "wood":
        return grain(draw)
    if kind == "metal":
        return brushed(draw, shade(rgb, 0.9))
    return blotches(draw, rgb, contrast(draw, rgb), draw.uniform(0.8, 4), draw.uniform(0, 1))


def _second_material(draw: Draw, mesh: Mesh) -> Mesh:
    """Give the faces that look one way, or some connected pieces, another colour."""
    axis = draw.normal(3)
    axis /= np.linalg.norm(axis)
    if draw.chance(0.5):
        axis = np.array([0.0, 0.0, draw.sign()])
    if draw.chance(0.6):
        piece = _pieces(mesh)
        chosen = draw.generator.random(piece.max() + 1) < 0.4
        faces = chosen[piece[mesh.faces[:, 0]]]
    else:
        a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
        normal = np.cross(b - a, c - a)
        length = np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
        faces = normal @ axis / length > np.cos(np.radians(CREASE))
    colors = mesh.colors[mesh.faces].mean(axis=1)  # of faces: a sharp border
    colors[faces] = to_uint8(color(draw))
    return Mesh(mesh.vertices, mesh.faces, colors.astype(np.uint8))


def _pieces(mesh: Mesh) -> np.ndarray:
    """Number (V,) of each vertex's connected piece, 0 to the number of pieces - 1."""
    label = np.arange(len(mesh.vertices))
    for _ in range(1000):
        low = label[mesh.faces].min(axis=1)
        new = label.copy()
        np.minimum.at(new, mesh.faces.ravel(), low.repeat(3))
        new = new[new]  # follow the chain: halves the number of rounds
        if np.array_equal(new, label):
            break
        label = new
    return np.unique(label, return_inverse=True)[1]
