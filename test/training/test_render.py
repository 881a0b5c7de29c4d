from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pyvista")

from tiny_nvs_ros.geometry import FOCAL, inverse, look_at
from training.data import cameras
from training.data.mesh import Mesh, normalise
from training.data.mesh_builder import MeshBuilder
from training.data.renderer import Light, Renderer, Scene

SIZE = 64


@pytest.fixture(scope="module")
def renderer():
    renderer = Renderer(SIZE)
    yield renderer
    renderer.close()


def box(centre, size, color):
    builder = MeshBuilder()
    builder.box(centre, size, color)
    return builder.build()


def centroid(image):
    """Of what is not white, in pixels; a pixel's centre is at half."""
    weight = 255.0 - image.mean(axis=-1)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def ball(centre):
    builder = MeshBuilder()
    builder.ellipsoid(np.array(centre), np.full(3, 0.04), (0, 0, 0))
    return builder.build()


@pytest.mark.parametrize("point", [(0.4, 0.1, 0.2), (-0.3, 0.3, -0.2), (0.1, -0.45, 0.05)])
def test_a_point_projects_where_the_pose_and_the_intrinsics_say(renderer, point):
    poses = cameras.random_views(20, np.random.default_rng(0))
    for pose, image in zip(poses, renderer.render([ball(point)], poses), strict=True):
        x, y, w = (inverse(pose) @ [*point, 1])[:3]
        expected = np.array([x, y]) / w * FOCAL * SIZE + SIZE / 2
        assert np.abs(centroid(image) - expected).max() < 0.5


def test_the_focal_length_can_be_chosen():
    pose = look_at([[0, -2.0, 0]], [0, 0, 0])
    renderer = Renderer(SIZE, focal=100.0)
    image = renderer.render([ball((0.4, 0, 0))], pose)[0]
    renderer.close()
    assert np.abs(centroid(image) - [32 + 100 * 0.4 / 2, 32]).max() < 0.5


def test_a_rolled_camera_sees_a_rolled_picture(renderer):
    pose = look_at([0, -1.3, 0], [0, 0, 0])
    turn = np.eye(4)
    turn[:2, :2] = [[0, -1], [1, 0]]
    upright, turned = renderer.render(
        [box((0.1, 0, 0.2), (0.3, 0.2, 0.1), (0, 0, 0))], np.stack([pose, pose @ turn])
    )
    difference = np.rot90(upright).astype(int) - turned
    assert np.abs(difference).mean() < 1


def test_the_background_is_white_and_edges_are_smooth(renderer):
    image = renderer.render([ball((0, 0, 0))], look_at([[0, -1.3, 0]], [0, 0, 0]))[0]
    assert image.dtype == np.uint8 and image.shape == (SIZE, SIZE, 3)
    assert (image[0] == 255).all()
    assert len(np.unique(image[..., 0])) > 3


def test_a_scene_is_for_one_object_alone(renderer):
    pose = look_at([[0, -1.3, 0]], [0, 0, 0])
    white = renderer.render([ball((0, 0, 0))], pose)
    scene = replace(Scene(), background=((0, 0, 1), (1, 0, 0)))
    image = renderer.render([ball((0, 0, 0))], pose, scene)[0]
    assert image[0, 0].argmax() == 0 and image[-1, 0].argmax() == 2  # red above, blue below
    np.testing.assert_array_equal(renderer.render([ball((0, 0, 0))], pose), white)


def test_light_comes_from_where_the_scene_says(renderer):
    wall = box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.5, 0.5))
    pose = look_at([[0, -1.3, 0]], [0, 0, 0])  # sees the side at -y
    dark = Light((0, 1, 0), 0.0)
    front, back = (
        renderer.render([wall], pose, Scene(lights=(Light((0, y, 0), 0.6), dark, dark, dark)))[0]
        for y in (-1, 1)
    )
    assert front[32, 32].mean() > back[32, 32].mean() + 30


def test_what_is_nearer_hides_what_is_behind(renderer):
    near = box((0, -0.3, 0), (0.2, 0.1, 0.2), (1, 0, 0))
    far = box((0, 0.3, 0), (0.2, 0.1, 0.2), (0, 0, 1))
    poses = look_at([[0, -1.3, 0], [0, 1.3, 0]], [0, 0, 0])
    front, back = renderer.render([near, far], poses)[:, 32, 32]
    assert front[0] > 100 and front[2] < 30
    assert back[2] > 100 and back[0] < 30


def test_textures_and_vertex_colors_are_drawn(renderer):
    corners = np.array([[-0.4, -0.4, 0], [0.4, -0.4, 0], [0.4, 0.4, 0], [-0.4, 0.4, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    texture = np.zeros((8, 8, 3), np.uint8)
    texture[:4, :, 0] = texture[4:, :, 1] = 200  # the upper half red, the lower green
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    above = look_at([[0, 0, 1.3]], [0, 0, 0])  # +y is up
    image = renderer.render([Mesh(corners, faces, uv=uv, texture=texture)], above)[0]
    assert image[20, 32].argmax() == 0 and image[44, 32].argmax() == 1
    colors = np.array([[0, 200, 0], [0, 200, 0], [200, 0, 0], [200, 0, 0]], np.uint8)
    image = renderer.render([Mesh(corners, faces, colors)], above)[0]
    assert image[20, 32].argmax() == 0 and image[44, 32].argmax() == 1


def test_nothing_stays_in_the_window_between_objects(renderer):
    pose = look_at([[0, -1.3, 0]], [0, 0, 0])
    first = renderer.render([ball((0, 0, 0))], pose)
    renderer.render([ball((0.3, 0, 0.1))], pose)
    np.testing.assert_array_equal(renderer.render([ball((0, 0, 0))], pose), first)
    assert not renderer.plotter.actors


def test_normalise_centres_and_scales_the_box_to_a_unit_diagonal():
    meshes = normalise([box((5, 0, 1), (4, 2, 1), (0, 0, 0)), box((9, 0, 1), (1, 1, 1), (0, 0, 0))])
    points = np.concatenate([mesh.vertices for mesh in meshes])
    np.testing.assert_allclose(points.min(axis=0), -points.max(axis=0), atol=1e-12)
    assert np.linalg.norm(np.ptp(points, axis=0)) == pytest.approx(1)


def test_normalise_refuses_a_mesh_without_extent():
    with pytest.raises(ValueError, match="no extent"):
        normalise([Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]), np.zeros((1, 3), np.uint8))])


def test_a_mesh_needs_colors_that_fit():
    with pytest.raises(ValueError, match="2 colors fit neither 1 faces nor 3 vertices"):
        Mesh(np.eye(3), np.array([[0, 1, 2]]), np.zeros((2, 3), np.uint8))
