from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("moderngl")

from tiny_nvs_ros.geometry import SRN_CAMERA, inverse, look_at
from tiny_nvs_ros.image import on_white
from training.data import cameras
from training.data.mesh import Mesh, normalise
from training.data.mesh_builder import MeshBuilder
from training.data.normals import corner_normals
from training.data.renderer import Renderer
from training.data.scene import Light, Scene, random_scene

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
    """Return the centroid of the object, pixels; a pixel's centre is at half."""
    weight = image[..., 3].astype(float)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def ball(centre):
    builder = MeshBuilder()
    builder.ellipsoid(np.array(centre), np.full(3, 0.04), (0, 0, 0))
    return builder.build()


@pytest.mark.parametrize("point", [(0.4, 0.1, 0.2), (-0.3, 0.3, -0.2), (0.1, -0.45, 0.05)])
def test_point_projects_where_the_pose_and_the_intrinsics_say(renderer, point):
    poses = cameras.random_views(20, np.random.default_rng(0))
    for pose, image in zip(poses, renderer.render([ball(point)], poses), strict=True):
        x, y, w = (inverse(pose) @ [*point, 1])[:3]
        expected = np.array([x, y]) / w * SRN_CAMERA.focal * SIZE + SIZE / 2
        assert np.abs(centroid(image) - expected).max() < 0.5


def test_the_focal_length_can_be_chosen():
    pose = look_at([[0, -2.0, 0]], [0, 0, 0])
    renderer = Renderer(SIZE, focal=100.0)
    image = renderer.render([ball((0.4, 0, 0))], pose)[0]
    renderer.close()
    assert np.abs(centroid(image) - [32 + 100 * 0.4 / 2, 32]).max() < 0.5


def test_rolled_camera_sees_a_rolled_image(renderer):
    pose = look_at([0, -1.3, 0], [0, 0, 0])
    turn = np.eye(4)
    turn[:2, :2] = [[0, -1], [1, 0]]
    upright, turned = renderer.render(
        [box((0.1, 0, 0.2), (0.3, 0.2, 0.1), (0, 0, 0))], np.stack([pose, pose @ turn])
    )
    difference = on_white(np.rot90(upright).copy()).astype(int) - on_white(turned)
    assert np.abs(difference).mean() < 1


def test_background_is_transparent_and_edges_are_smooth(renderer):
    image = renderer.render([ball((0, 0, 0))], look_at([[0, -1.3, 0]], [0, 0, 0]))[0]
    assert image.dtype == np.uint8 and image.shape == (SIZE, SIZE, 4)
    assert (image[0] == [255, 255, 255, 0]).all() and (on_white(image)[0] == 255).all()
    levels = set(np.unique(image[..., 3]))
    assert {0, 255} < levels <= {0, 64, 128, 191, 255}  # shares of 4 samples


def test_alpha_is_straight(renderer):
    wall = box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.5, 0.5))
    pose = look_at([0.3, -1.3, 0.2], [0, 0, 0])
    dark = Scene(lights=(), sky=(0.8, 0, 0), ground=(0.8, 0, 0), specular=0)
    image = renderer.render([wall], pose, dark)[0]
    edge = (image[..., 3] > 0) & (image[..., 3] < 255)
    assert edge.any() and (np.ptp(image[image[..., 3] > 0][:, :3], axis=0) <= 1).all()


def test_depth_is_that_of_the_surface_along_the_optical_axis(renderer):
    near = box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.5, 0.5))
    rgba, depth = renderer.render_with_depth([near], look_at([0, -1.3, 0], [0, 0, 0]))
    assert ((depth > 0) == (rgba[..., 3] > 0)).all() and depth.dtype == np.float32
    np.testing.assert_allclose(depth[0][rgba[0, ..., 3] == 255], 1.1, atol=1e-5)


def test_each_view_has_its_focal_length(renderer):
    poses = look_at([[0, -1.3, 0], [0, -5.2, 0]], [0, 0, 0])
    focals = SRN_CAMERA.focal * SIZE * np.array([1.0, 4.0])
    target = [ball((0.3, 0, 0))]
    images = renderer.render(target, poses, focals=focals)
    expected = SIZE / 2 + 0.3 / 1.3 * SRN_CAMERA.focal * SIZE
    assert np.abs(centroid(images[0])[0] - expected) < 0.5
    assert np.abs(centroid(images[1])[0] - expected) < 0.5
    with pytest.raises(ValueError, match="focals must be 2 positive numbers"):
        renderer.render(target, poses, focals=focals[:1])


def test_more_views_than_a_framebuffer_holds_are_each_as_if_alone(renderer):
    poses = cameras.random_views(150, np.random.default_rng(0))
    near = [box((0.1, 0, 0), (0.4, 0.3, 0.2), (0.5, 0.2, 0.1))]
    images = renderer.render(near, poses)
    for i in (0, 1, 9, 128, 149):
        np.testing.assert_allclose(images[i], renderer.render(near, poses[i])[0], atol=2)


def test_scene_is_for_one_call_alone(renderer):
    pose = look_at([[0, -1.3, 0]], [0, 0, 0])
    grey = [box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.5, 0.5))]
    first = renderer.render(grey, pose)
    blue = renderer.render(grey, pose, replace(Scene(), sky=(0, 0, 1), ground=(0, 0, 1)))[0]
    assert blue[32, 32, 2] > blue[32, 32, 0] + 30
    np.testing.assert_array_equal(renderer.render(grey, pose), first)


def test_light_comes_from_where_the_scene_says(renderer):
    wall = box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.5, 0.5))
    pose = look_at([[0, -1.3, 0]], [0, 0, 0])  # sees the side at -y
    front, back = (
        renderer.render([wall], pose, Scene(lights=(Light((0, y, 0), 0.6),)))[0] for y in (-1, 1)
    )
    assert front[32, 32].mean() > back[32, 32].mean() + 20


def test_published_scene_shades_as_published(renderer):
    """Phong's formula with the lights of the published cars, ambient 0.36, specular 0.25, 20."""
    wall = box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.4, 0.2))
    image = renderer.render([wall], look_at([0, -1.3, 0], [0, 0, 0]))[0, SIZE // 2, SIZE // 2]
    lights = [[0.5, 0.7, 1.6, 0.56], [-0.9, -0.5, 0.8, 0.24], [0.8, -1, 0.1, 0.24]]
    lights += [[-0.2, 0.3, -1, 0.42]]
    diffuse, shine = 0.36, 0.0
    for *direction, intensity in lights:
        facing = -direction[1] / np.linalg.norm(direction)  # the wall and the camera face -y
        if facing > 0:
            diffuse += intensity * facing
            shine += 0.25 * intensity * facing**20  # mirrored about the axis of view
    expected = 255 * np.clip(np.array([0.5, 0.4, 0.2]) * diffuse + shine, 0, 1)
    np.testing.assert_allclose(image[:3], expected, atol=1.5)


def test_headlight_lights_what_each_camera_sees(renderer):
    wall = box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.5, 0.5))
    poses = look_at([[0, -1.3, 0], [1.3, 0, 0], [0, 1.3, 0]], [0, 0, 0])
    lamp = Light((0, 0, -1), 0.6, from_camera=True)
    values = renderer.render([wall], poses, Scene(lights=(lamp,), specular=0))[:, 32, 32, 0]
    assert (values == values[0]).all() and abs(int(values[0]) - 255 * 0.5 * 0.96) <= 1


def test_contact_darkens_what_is_near_the_ground(renderer):
    pole = box((0, 0, 0), (0.2, 0.2, 0.8), (0.5, 0.5, 0.5))
    image = renderer.render([pole], look_at([0, -1.3, 0], [0, 0, 0]), Scene(contact=0.5))[0]
    column = np.flatnonzero(image[:, 32, 3] == 255)
    assert image[column[-2], 32, 0] < 0.9 * image[column[1], 32, 0]


def test_random_scenes_show_surfaces_about_as_bright_as_they_are(renderer):
    grey = [box((0, 0, 0), (0.4, 0.4, 0.4), (0.5, 0.5, 0.5))]
    poses = look_at([[0.8, -0.9, 0.5], [-0.8, -0.9, 0.5], [0.6, 1.0, 0.5]], np.zeros(3))
    levels = []
    for seed in range(40):
        scene = random_scene(np.random.default_rng(seed))
        assert scene == random_scene(np.random.default_rng(seed))
        images = renderer.render(grey, poses, scene)
        levels.append(images[images[..., 3] == 255][:, :3].mean() / 127.5)
    assert 0.8 < np.mean(levels) < 1.2 and min(levels) > 0.45 and max(levels) < 1.8
    assert len({scene for scene in levels}) > 25  # most are different


def test_scene_of_too_many_lights_is_refused():
    with pytest.raises(ValueError, match="at most 6 lights, not 7"):
        Scene(lights=(Light((0, 0, 1), 0.1),) * 7)


def test_normals_are_smooth_below_the_feature_angle_and_broken_above():
    def strip(angle):
        """Two squares that meet at the x axis, bent by an angle."""
        bend = np.radians(angle)
        points = [[0, -1, 0], [1, -1, 0], [0, 0, 0], [1, 0, 0]]
        points += [[x, np.cos(bend), np.sin(bend)] for x in (0, 1)]
        faces = [[0, 1, 2], [2, 1, 3], [2, 3, 4], [4, 3, 5]]
        return np.array(points, float), np.array(faces)

    for angle, smooth in ((30, True), (40, False)):
        normals = corner_normals(*strip(angle))
        np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1)
        meet = [normals[1, 2], normals[2, 1]]  # of the vertex 3 in faces of both squares
        assert np.allclose(*meet) is smooth
    corner = corner_normals(*strip(40))
    np.testing.assert_allclose(corner[:2], np.broadcast_to([0, 0, 1.0], (2, 3, 3)), atol=1e-12)


def test_face_without_area_has_no_invalid_normal():
    points = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0.0]])
    normals = corner_normals(points, np.array([[0, 1, 2], [0, 1, 3]]))
    assert np.isfinite(normals).all()
    np.testing.assert_allclose(normals[1], np.broadcast_to([0, 0, 1.0], (3, 3)))


def test_nearer_surface_hides_what_is_behind(renderer):
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
    assert image[20, 32, :3].argmax() == 0 and image[44, 32, :3].argmax() == 1
    colors = np.array([[0, 200, 0], [0, 200, 0], [200, 0, 0], [200, 0, 0]], np.uint8)
    image = renderer.render([Mesh(corners, faces, colors)], above)[0]
    assert image[20, 32, :3].argmax() == 0 and image[44, 32, :3].argmax() == 1


def test_colors_beside_a_texture_multiply_it(renderer):
    square = np.array([[-0.4, -0.4, 0], [0.4, -0.4, 0], [0.4, 0.4, 0], [-0.4, 0.4, 0]])
    faces, uv = np.array([[0, 1, 2], [0, 2, 3]]), square[:, :2] + 0.5
    texture = np.full((4, 4, 3), (200, 100, 60), np.uint8)
    tint = np.full((4, 3), (255, 128, 0), np.uint8)
    pose = look_at([[0, 0, 1.3]], [0, 0, 0])
    plain = renderer.render([Mesh(square, faces, None, uv, texture)], pose)[0, 32, 32, :3]
    tinted = renderer.render([Mesh(square, faces, tint, uv, texture)], pose)[0, 32, 32, :3]
    np.testing.assert_allclose(tinted, plain * np.array([1, 128 / 255, 0]), atol=4)  # gloss
    assert plain.min() > 20


def test_nothing_stays_between_objects(renderer):
    pose = look_at([[0, -1.3, 0]], [0, 0, 0])
    first = renderer.render([ball((0, 0, 0))], pose)
    renderer.render([ball((0.3, 0, 0.1))], pose)
    np.testing.assert_array_equal(renderer.render([ball((0, 0, 0))], pose), first)


def test_texture_is_multiplied_by_the_light_and_repeats(renderer):
    corners = np.array([[-0.4, -0.4, 0], [0.4, -0.4, 0], [0.4, 0.4, 0], [-0.4, 0.4, 0]])
    texture = np.full((4, 4, 4), 200, np.uint8)
    texture[:, :2, 3] = 0  # its left half is see-through
    uv = np.array([[1, 1], [2, 1], [2, 2], [1, 2.0]])
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), uv=uv, texture=texture)
    image = renderer.render([mesh], look_at([[0, 0, 1.3]], [0, 0, 0]))[0]
    assert image[32, 24, 3] == 0 and image[32, 40, 3] == 255


def test_renderers_of_different_sizes_serve_in_turn(renderer):
    pose = look_at([[0, -1.3, 0]], [0, 0, 0])
    first = renderer.render([ball((0, 0, 0))], pose)
    small = Renderer(16, supersample=4)
    assert small.render([ball((0, 0, 0))], pose).shape == (1, 16, 16, 4)
    small.close()
    np.testing.assert_array_equal(renderer.render([ball((0, 0, 0))], pose), first)


def test_normalise_centres_and_scales_the_box_to_a_unit_diagonal():
    meshes = normalise([box((5, 0, 1), (4, 2, 1), (0, 0, 0)), box((9, 0, 1), (1, 1, 1), (0, 0, 0))])
    points = np.concatenate([mesh.vertices for mesh in meshes])
    np.testing.assert_allclose(points.min(axis=0), -points.max(axis=0), atol=1e-12)
    assert np.linalg.norm(np.ptp(points, axis=0)) == pytest.approx(1)


def test_normalise_refuses_a_mesh_without_extent():
    with pytest.raises(ValueError, match="no extent"):
        normalise([Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]), np.zeros((1, 3), np.uint8))])


def test_mesh_needs_colors_that_fit():
    with pytest.raises(ValueError, match="2 colors fit neither 1 faces nor 3 vertices"):
        Mesh(np.eye(3), np.array([[0, 1, 2]]), np.zeros((2, 3), np.uint8))
