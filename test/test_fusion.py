"""Shapes from views of solids whose images and depths are known exactly."""

from dataclasses import replace

import numpy as np
import pytest

from tiny_nvs_ros import geometry
from tiny_nvs_ros.fusion import around, fuse
from tiny_nvs_ros.geometry import ModelCamera
from tiny_nvs_ros.model import SourceView, ViewSamples
from tiny_nvs_ros.pipeline import ImaginedViews, PreparedSource
from tiny_nvs_ros.shape import SIDE, SOLID, Shape
from tiny_nvs_ros.virtual_camera import virtual_cameras

SIZE = 32
RADIUS = 0.2  # metres
CAMERA = ModelCamera(any_distance=True)
VOXEL = 2 * RADIUS / SIDE
COLOR = np.uint8([200, 60, 20])


def sphere(origins: np.ndarray, directions: np.ndarray, radius: float = 0.12) -> np.ndarray:
    """Return how many steps of `directions` rays take to a ball, inf if they miss it."""
    a, b = (directions**2).sum(-1), (origins * directions).sum(-1)
    root = b**2 - a * ((origins**2).sum(-1) - radius**2)
    with np.errstate(invalid="ignore"):
        return np.where(root > 0, (-b - np.sqrt(root)) / a, np.inf)


def box(origins: np.ndarray, directions: np.ndarray, half=(0.06, 0.1, 0.13)) -> np.ndarray:
    """Return how many steps of `directions` rays take to a box, inf if they miss it."""
    with np.errstate(divide="ignore"):
        planes = np.stack([(sign * np.array(half) - origins) / directions for sign in (-1, 1)])
    enter, leave = planes.min(axis=0).max(axis=-1), planes.max(axis=0).min(axis=-1)
    return np.where(enter < leave, enter, np.inf)


def look(solid, cameras, fine: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return alpha (N, SIZE, SIZE) and depth behind the centre (N, SIZE, SIZE), object radii."""
    ticks = (np.arange(SIZE * fine) + 0.5) / (SIZE * fine) - 0.5
    alphas, depths = [], []
    for camera in cameras:
        distance, rotation = camera.distance, camera.pose[:3, :3]
        focal = camera.focal(RADIUS)
        x, y = np.meshgrid(ticks / focal, ticks / focal)
        rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ rotation.T
        depth = solid(-distance * rotation[:, 2], rays)
        hit = np.isfinite(depth)
        blocks = np.where(hit, depth - distance, 0).reshape(SIZE, fine, SIZE, fine)
        count = hit.reshape(SIZE, fine, SIZE, fine).sum(axis=(1, 3))
        alphas.append(count / fine**2)
        depths.append(blocks.sum(axis=(1, 3)) / np.maximum(count, 1) / RADIUS)
    return np.float32(alphas), np.float32(depths)


def views_of(solid, T_object_sources, T_object_targets=None, samples: int = 2):
    """Return what pipeline.imagine would of a perfect model."""
    targets = around(RADIUS) if T_object_targets is None else T_object_targets
    source_cameras, cameras = (
        virtual_cameras(poses, ["a camera"] * len(poses), CAMERA, RADIUS)
        for poses in (T_object_sources, targets)
    )
    alpha, depth = look(solid, cameras)
    white = 255 * (1 - alpha[..., None])
    rgb = np.round(white + alpha[..., None] * COLOR).astype(np.uint8)
    maps = (np.repeat(each[:, None], samples, axis=1) for each in (rgb, alpha, depth))
    white_image = np.full((SIZE, SIZE, 3), 255, np.uint8)
    sources = [
        PreparedSource(SourceView(white_image, camera.pose, mask), camera, pose)
        for camera, mask, pose in zip(
            source_cameras, look(solid, source_cameras)[0], T_object_sources, strict=True
        )
    ]
    return ImaginedViews(ViewSamples(*maps), cameras, sources, RADIUS)


def front() -> np.ndarray:
    return geometry.orbit(1, (0.3,), 4 * RADIUS)


def nothing(origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    return np.full(directions.shape[:-1], np.inf)


@pytest.fixture(scope="module")
def ball() -> Shape:
    return fuse(views_of(sphere, front()))


def test_points_of_a_ball_lie_on_it_and_cover_it(ball):
    distances = np.linalg.norm(ball.points, axis=-1)
    assert np.abs(distances - 0.12).max() < VOXEL
    directions = geometry.orbit(16, (-1.2, -0.5, 0.5, 1.2), 0.12)[:, :3, 3]
    gaps = np.linalg.norm(ball.points[:, None] - directions, axis=-1).min(axis=0)
    assert gaps.max() < 1.5 * VOXEL


def test_normals_of_a_ball_point_outwards(ball):
    cosine = (ball.normals * ball.points).sum(axis=-1) / np.linalg.norm(ball.points, axis=-1)
    assert np.allclose(np.linalg.norm(ball.normals, axis=-1), 1, atol=1e-5)
    assert np.degrees(np.arccos(cosine.mean())) < 10
    assert cosine.min() > 0.7


@pytest.mark.parametrize("solid", [sphere, box])
def test_occupancy_equals_the_solid_but_for_the_voxels_at_its_surface(solid):
    shape = fuse(views_of(solid, front()))
    centres = shape.voxel_centres()
    if solid is sphere:
        depth = 0.12 - np.linalg.norm(centres, axis=-1)
    else:
        depth = (np.array([0.06, 0.1, 0.13]) - np.abs(centres)).min(axis=-1)
    solid_voxels = shape.occupancy > SOLID
    assert solid_voxels[depth > VOXEL].all()
    assert not solid_voxels[depth < -2 * VOXEL].any()  # corners of a hull stick out a little
    union = (solid_voxels | (depth > 0)).sum()
    assert (solid_voxels & (depth > 0)).sum() / union > 0.8


def test_colours_are_the_objects_without_the_white_background(ball):
    assert np.abs(ball.colors.astype(int) - COLOR).max() <= 4


def test_seen_is_the_side_that_a_source_sees(ball):
    towards = front()[0, :3, 3]
    towards = towards / np.linalg.norm(towards)
    height = ball.points @ towards
    assert ball.seen[height > 0.06].all()  # the horizon is at 0.12^2 / 0.8 = 0.018
    assert not ball.seen[height < -0.02].any()


def test_second_source_sees_the_other_side():
    both = np.concatenate([front(), geometry.orbit(1, (0.3,), 4 * RADIUS, start=np.pi)])
    shape = fuse(views_of(sphere, both))
    assert shape.seen.mean() > 0.8


def test_confidence_falls_with_the_spread_of_the_depths(ball):
    views = views_of(sphere, front())
    depth = views.samples.depth.copy()
    depth[:, 0] += 0.3
    depth[:, 1] -= 0.3
    doubtful = fuse(replace(views, samples=replace(views.samples, depth=depth)))
    assert ball.confidence.min() >= 0 and ball.confidence.max() <= 1
    assert doubtful.confidence.mean() < ball.confidence.mean() - 0.2


def test_order_of_views_and_sources_changes_nothing():
    two = geometry.orbit(2, (0.3,), 4 * RADIUS)
    targets = around(RADIUS)
    order = np.random.default_rng(0).permutation(len(targets))
    first, second = fuse(views_of(box, two)), fuse(views_of(box, two[::-1], targets[order]))
    assert np.allclose(first.points, second.points, atol=1e-6)
    assert np.allclose(first.occupancy, second.occupancy, atol=1e-5)
    assert np.allclose(first.confidence, second.confidence, atol=1e-4)
    assert np.array_equal(first.seen, second.seen)


def test_views_of_another_scale_give_the_same_shape_in_metres():
    """Twice as large an object from twice as far away has the same images."""
    small = views_of(sphere, front())
    large = replace(small, object_radius=2 * RADIUS)
    assert np.allclose(2 * fuse(small).points, fuse(large).points)


def test_views_without_object_give_an_empty_shape(tmp_path):
    shape = fuse(views_of(nothing, front()))
    assert len(shape.points) == len(shape.colors) == len(shape.normals) == 0
    assert len(shape.confidence) == len(shape.seen) == 0
    assert shape.occupancy.shape == (SIDE,) * 3 and not shape.occupancy.any()
    vertices, faces, colors = shape.to_mesh()
    assert len(vertices) == len(faces) == len(colors) == 0
    with pytest.raises(ValueError, match=r"out\.ply: the shape has no surface"):
        shape.write_mesh(tmp_path / "out.ply")


def test_one_sample_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        fuse(views_of(sphere, front(), samples=1))


def test_model_without_depth_is_refused_with_a_remedy():
    views = views_of(sphere, front())
    with pytest.raises(ValueError, match=r"no alpha and depth.*objects"):
        fuse(replace(views, samples=ViewSamples(views.samples.rgb)))


def test_mesh_is_closed_and_has_the_volume_of_the_ball(ball):
    trimesh = pytest.importorskip("trimesh")
    vertices, faces, colors = ball.to_mesh()
    mesh = trimesh.Trimesh(vertices, faces)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 0.12**3, rel=0.25)  # positive: outwards
    assert np.linalg.norm(mesh.centroid) < VOXEL
    assert np.abs(colors.astype(int) - COLOR).max() <= 4


@pytest.mark.parametrize("suffix", [".ply", ".glb"])
def test_mesh_file_is_in_metres_and_upright(suffix, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    shape = fuse(views_of(box, front()))
    shape.write_mesh(tmp_path / f"box{suffix}")
    mesh = trimesh.load(tmp_path / f"box{suffix}", force="mesh")
    x, y, z = mesh.extents
    if suffix == ".glb":  # y is up
        y, z = z, y
    assert np.allclose([x, y, z], [0.12, 0.2, 0.26], atol=2 * VOXEL)
    assert np.allclose(mesh.visual.vertex_colors[:, :3].mean(axis=0), COLOR, atol=4)


def test_mesh_of_another_format_is_refused(ball, tmp_path):
    with pytest.raises(ValueError, match=r"a\.obj: a mesh is written as \.ply or \.glb"):
        ball.write_mesh(tmp_path / "a.obj")


def test_missing_scikit_image_is_named(ball, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "skimage.measure", None)
    with pytest.raises(ImportError, match="pip install scikit-image"):
        ball.to_mesh()


def test_cameras_around_an_object_look_at_it_from_above_and_below():
    poses = around(0.1, distance=5.0)
    assert poses.shape == (24, 4, 4)
    assert np.allclose(np.linalg.norm(poses[:, :3, 3], axis=-1), 0.5)
    assert (poses[:, 2, 3] < 0).any() and (poses[:, 2, 3] > 0.4).any()
    with pytest.raises(ValueError, match="object_radius is 0"):
        around(0.0)


def test_cameras_inside_the_object_are_refused():
    with pytest.raises(ValueError, match=r"distance is 0\.5 object radii"):
        around(0.1, 0.5)
