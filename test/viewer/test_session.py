"""What a page does, without a page; the model is the shipped one."""

import dataclasses

import numpy as np
import pytest

from tiny_nvs_ros import runtime
from tiny_nvs_ros.geometry import eye_at, look_at
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.simulation.objects import (
    PHOTO_SHARE,
    PHOTO_SIZE,
    SimulatedObject,
    object_names,
    source_pose,
)
from tiny_nvs_ros.viewer.photo import Photo
from tiny_nvs_ros.viewer.session import DISTANCES, Session, mesh_file

BEHIND = look_at(eye_at(np.radians(230), 0.4, 4.0), np.zeros(3))


@pytest.fixture(scope="module")
def renderer():
    return runtime.load(find_weights("objects"), "cpu")


@pytest.fixture(scope="module")
def cars():
    return runtime.load(find_weights("cars"), "cpu")


@pytest.fixture(scope="module")
def van():
    return SimulatedObject.load("van")


@pytest.fixture
def session(renderer, van):
    return Session(renderer, van)


def error(view) -> float:
    return np.abs(view.image.astype(float) - view.truth).mean()


@pytest.mark.parametrize("name", object_names())
def test_every_object_fits_its_sphere_and_its_photo(name):
    subject = SimulatedObject.load(name)
    low, high = subject.vertices.min(axis=0), subject.vertices.max(axis=0)
    assert np.linalg.norm(high - low) / 2 == pytest.approx(1, abs=0.01)
    image = subject.photograph(source_pose(0)).image
    rows, columns = np.nonzero(image[..., 3])
    margin = PHOTO_SIZE * (1 - PHOTO_SHARE) / 2 - 6  # nearer parts look larger
    assert margin < min(rows.min(), columns.min())
    assert max(rows.max(), columns.max()) < PHOTO_SIZE - margin


def test_view_from_the_source_resembles_the_truth(session):
    view = session.view_from(source_pose(0))
    white = np.abs(255 - view.truth.astype(float)).mean()
    assert error(view) < 0.5 * white


def test_same_camera_gives_the_same_view(session):
    first, second = session.view_from(BEHIND), session.view_from(BEHIND)
    assert (first.image == second.image).all()


def test_another_camera_gives_another_view(session):
    there, here = session.view_from(BEHIND), session.view_from(source_pose(0))
    assert np.abs(there.image.astype(int) - here.image).max() > 20


def test_looking_from_a_camera_lowers_uncertainty_and_error_there(session):
    before = session.view_from(BEHIND)
    session.look_from(BEHIND)
    after = session.view_from(BEHIND)
    assert len(session.photos) == 2
    assert after.mean_uncertainty < before.mean_uncertainty
    assert error(after) < error(before)


def test_source_count_adds_and_drops_the_newest(session):
    session.look_from(BEHIND)
    session.set_source_count(4)
    poses = [photo.T_object_camera for photo in session.photos]
    assert len(poses) == 4
    assert (poses[1] == BEHIND).all()
    session.set_source_count(2)
    assert [photo.T_object_camera is pose for photo, pose in
            zip(session.photos, poses, strict=False)] == [True, True]  # fmt: skip


def test_reset_keeps_the_first_source(session):
    session.set_source_count(3)
    session.reset()
    assert len(session.photos) == 1


def test_too_many_sources_are_refused_and_nothing_changes(session):
    session.set_source_count(100)
    assert len(session.photos) == session.max_sources == 8
    with pytest.raises(ValueError, match="at most 8"):
        session.look_from(BEHIND)
    assert len(session.photos) == 8


def test_where_next_is_away_from_the_source(session):
    pose = session.next_view()
    direction, source = (p[:3, 3] / np.linalg.norm(p[:3, 3]) for p in (pose, source_pose(0)))
    assert np.degrees(np.arccos(direction @ source)) > 40


def test_shape_is_about_as_large_as_the_object(session, van):
    session.set_source_count(4)
    shape = session.shape()
    extent = np.ptp(shape.points[shape.confidence > 0.5], axis=0)
    assert extent == pytest.approx(np.ptp(van.vertices, axis=0), rel=0.3)


def test_mesh_file_is_a_mesh_with_colours(session):
    trimesh = pytest.importorskip("trimesh")
    pytest.importorskip("skimage")
    session.set_source_count(4)
    import io

    mesh = trimesh.load(io.BytesIO(mesh_file(session.shape())), file_type="glb", force="mesh")
    assert len(mesh.faces) > 100
    assert np.ptp(mesh.visual.vertex_colors[:, :3], axis=0).max() > 30


def test_larger_scale_shows_the_object_smaller(session):
    def width(view) -> int:
        return np.ptp(np.nonzero(view.truth.min(axis=-1) < 200)[1])

    before = session.view_from(BEHIND)
    session.scale = 1.4
    after = session.view_from(BEHIND)
    assert width(after) == pytest.approx(width(before) / 1.4, abs=2)
    assert np.abs(after.image.astype(int) - before.image).max() > 20


def test_photo_has_one_source_and_no_truth(renderer, van):
    rgba = van.photograph(source_pose(0)).image
    session = Session(renderer, Photo("mine", rgba))
    session.set_source_count(3)
    assert len(session.photos) == session.max_sources == 1
    assert session.view_from(BEHIND).truth is None
    with pytest.raises(ValueError, match="one side"):
        session.look_from(BEHIND)


def test_elevation_of_a_photo_changes_what_is_imagined(renderer, van):
    photo = Photo("mine", van.photograph(source_pose(0)).image, elevation=0.0)
    level = Session(renderer, photo).view_from(BEHIND)
    above = Session(renderer, dataclasses.replace(photo, elevation=1.2)).view_from(BEHIND)
    assert np.abs(level.image.astype(int) - above.image).max() > 20


def test_model_of_one_source_and_without_depth(cars, session):
    session.set_source_count(3)
    session.renderer = cars
    assert len(session.photos) == session.max_sources == 1
    assert not session.gives_shape
    assert not len(session.shape().points)
    session.look_from(BEHIND)
    assert (session.photos[0].T_object_camera == BEHIND).all()
    assert session.view_from(BEHIND).image.shape == (32, 32, 3)


def test_sessions_do_not_share_state(renderer, van):
    one, other = Session(renderer, van), Session(renderer, van)
    one.set_source_count(4)
    one.scale = 1.2
    assert (len(other.photos), other.scale) == (1, 1.0)


def test_change_that_cannot_be_made_leaves_the_session_as_it_was(session):
    session.set_source_count(2)
    before = session.view_from(BEHIND)
    blank = Photo("blank", np.full((PHOTO_SIZE, PHOTO_SIZE, 4), 255, np.uint8))
    with pytest.raises(ValueError, match="nothing but background"):
        session.subject = blank
    with pytest.raises(ValueError, match="in the image"):
        session.scale = 4.0 - 1e-3
    after = session.view_from(BEHIND)
    assert (session.subject.name, len(session.photos), session.scale) == ("van", 2, 1.0)
    assert (after.image == before.image).all()


@pytest.mark.parametrize("scale", [1.0, 1.4])
@pytest.mark.parametrize(
    ("distance", "expected"), [(0.1, DISTANCES[0]), (5.0, 5.0), (100.0, DISTANCES[1])]
)
def test_target_camera_looks_at_the_object_from_where_the_model_was_trained(
    session, scale, distance, expected
):
    session.scale = scale
    pose = session.target_camera(eye_at(1.0, 0.3, scale * distance))
    assert pose == pytest.approx(look_at(eye_at(1.0, 0.3, scale * expected), np.zeros(3)))


@pytest.mark.parametrize("position", [(0, 0, 0), (np.nan, 0, 0), (np.inf, 0, 0), (0, 0, 4)])
def test_target_camera_of_any_position_is_a_pose(session, position):
    assert np.isfinite(session.target_camera(position)).all()
