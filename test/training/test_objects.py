"""Procedural objects: valid, determined by seed and number, of many kinds."""

import hashlib

import numpy as np
import pytest

from training.data.mesh import Mesh
from training.data.objects import FAMILIES, build_object, family_of
from training.data.objects.build import MAX_FACES
from training.data.objects.recolour import recolour


def digest(meshes: list[Mesh]) -> str:
    arrays = [(m.vertices, m.faces, m.colors, m.uv, m.texture) for m in meshes]
    data = [a.tobytes() for mesh in arrays for a in mesh if a is not None]
    return hashlib.sha256(b"".join(data)).hexdigest()


def shape_digest(meshes: list[Mesh]) -> str:
    return hashlib.sha256(b"".join(m.vertices.tobytes() for m in meshes)).hexdigest()


def areas(mesh: Mesh) -> np.ndarray:
    a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def check_valid(meshes: list[Mesh]) -> None:
    points = np.concatenate([mesh.vertices for mesh in meshes])
    low, high = points.min(axis=0), points.max(axis=0)
    assert np.isfinite(points).all()
    np.testing.assert_allclose(np.linalg.norm(high - low), 1)
    np.testing.assert_allclose(low + high, 0, atol=1e-9)
    assert sum(len(mesh.faces) for mesh in meshes) in range(4, MAX_FACES + 1)
    for mesh in meshes:
        assert set(np.unique(mesh.faces)) == set(range(len(mesh.vertices)))
        assert areas(mesh).min() > 0
        if mesh.texture is None:
            assert mesh.colors.dtype == np.uint8
        else:
            assert mesh.texture.dtype == np.uint8 and max(mesh.texture.shape) <= 256
            assert mesh.uv.min() >= -0.01 and mesh.uv[:, 1].max() <= 1.01


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_objects_of_each_family_are_valid(family):
    for number in range(6):
        check_valid(build_object(5, number, family))


def test_same_seed_and_number_give_the_same_object():
    for number in range(30):
        assert digest(build_object(1, number)) == digest(build_object(1, number))


def test_no_two_objects_are_alike():
    objects = [build_object(seed, number) for seed in (0, 1) for number in range(150)]
    assert len({digest(meshes) for meshes in objects}) == len(objects)
    assert len({shape_digest(meshes) for meshes in objects}) == len(objects)


def test_objects_are_of_many_families():
    assert len(FAMILIES) >= 45
    assert len({family_of(0, number) for number in range(1500)}) == len(FAMILIES)


def test_family_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match="teapots"):
        build_object(0, 0, "teapots")


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_normals_point_outward(family):
    """The volume that the faces enclose is positive, which it is not with faces turned inside."""
    for number in range(4):
        volume = 0.0
        for mesh in build_object(2, number, family):
            if len(mesh.faces) < 8:  # a flat print encloses nothing
                continue
            a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
            volume += np.einsum("ij,ij->", a, np.cross(b, c)) / 6
        assert volume > 0, number


def test_objects_are_coloured_as_products_are():
    """Whites, blacks and greys are common, and so are saturated colours."""
    colors = []
    for number in range(300):
        for mesh in build_object(3, number):
            rgb = mesh.colors if mesh.texture is None else mesh.texture.reshape(-1, 3)
            colors.append(rgb.mean(axis=0))
    colors = np.array(colors)
    saturation = colors.max(axis=1) - colors.min(axis=1)
    assert (saturation < 30).mean() > 0.2
    assert (saturation > 90).mean() > 0.15
    assert 60 < colors.mean() < 170


def test_recoloured_mesh_keeps_its_shape_and_differs_by_seed():
    bare = build_object(0, 4, "mug")[-1]
    bare = Mesh(bare.vertices, bare.faces, np.full((len(bare.vertices), 3), 128, np.uint8))
    first, again, other = (recolour(bare, np.random.default_rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.vertices, bare.vertices)
    np.testing.assert_array_equal(first.colors, again.colors)
    assert digest([first]) != digest([other])
