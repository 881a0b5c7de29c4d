"""Recordings whose TF, camera_info or masks are unusual, as robots make them."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rosbags")

from rosbags.rosbag2 import Writer
from test_from_bag import (
    START,
    STORE,
    T_mug_camera,
    camera_info,
    centroid,
    compressed,
    convert,
    depth,
    numbers,
    picture,
    raw,
    tf,
    transform,
)

from tiny_nvs_ros.geometry import inverse, pose_from
from tiny_nvs_ros.virtual_camera import virtual_camera
from training.data.recorded_masks import RecordedMasks
from training.data.recording import Recording

ASIDE = pose_from([0.3, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0])
UNSTAMPED = 0


def write_bag(path, messages):
    """messages: (topic, time of recording, message)."""
    with Writer(path, version=8) as writer:
        topics = {}
        for topic, recorded, content in messages:
            kind = content.__msgtype__
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(topics[topic], recorded, STORE.serialize_cdr(content, kind))
    return path


def scene(
    images=6,
    pose=lambda stamp, T: [("/tf", tf(transform(stamp, "mug", "camera", T)))],
    info=lambda i, stamp: camera_info(stamp),
    mask=lambda stamp, mask: [],
    stamped=True,
    background=255,
):
    """Images at 10 Hz with what the functions add to each; a mask is the mug's, H x W bool."""
    for i in range(images):
        stamp = START + i * 10**8
        T = T_mug_camera(i / 10)
        image = picture(T)
        shown = (image < 255).any(axis=-1)
        image[~shown] = background
        yield "/cam/camera_info", stamp, info(i, stamp)
        yield "/cam/image", stamp, raw(stamp if stamped else UNSTAMPED, image, "rgb8")
        for topic, content in (*pose(stamp, T), *mask(stamp, shown)):
            yield topic, stamp, content


def offsets(instance):
    """Pixels from each view's centre to the mug's."""
    dark = 255.0 - instance.images().mean(axis=-1)
    return np.array([np.linalg.norm(centroid(weight) - 32) for weight in dark])


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        convert(*arguments)
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_static_transform_that_changes_is_valid_from_its_stamp_on(tmp_path):
    def pose(stamp, T):
        moved = ASIDE if stamp >= START + 3 * 10**8 else np.eye(4)
        yield "/tf", tf(transform(stamp, "world", "camera", moved @ T))
        if stamp in (START, START + 3 * 10**8):
            yield "/tf_static", tf(transform(stamp, "world", "mug", moved))

    instance = convert(write_bag(tmp_path / "a", scene(pose=pose)), tmp_path)
    assert len(instance) == 6 and offsets(instance).max() < 2.5


def test_static_transform_without_a_stamp_is_valid_from_its_recording_on(tmp_path):
    def pose(stamp, T):
        moved = ASIDE if stamp >= START + 3 * 10**8 else np.eye(4)
        yield "/tf", tf(transform(stamp, "world", "camera", moved @ T))
        yield "/tf_static", tf(transform(UNSTAMPED, "world", "mug", moved))

    instance = convert(write_bag(tmp_path / "a", scene(pose=pose)), tmp_path)
    assert len(instance) == 6 and offsets(instance).max() < 2.5


def test_frame_that_is_static_first_and_moves_later_has_the_moving_poses(tmp_path):
    start = ("/tf_static", START, tf(transform(START, "mug", "camera", T_mug_camera(2))))
    instance = convert(write_bag(tmp_path / "a", [start, *scene()]), tmp_path)
    expected = [virtual_camera(T_mug_camera(i / 10)).pose for i in range(6)]
    np.testing.assert_allclose(instance.poses, expected, atol=2e-3)


def test_transforms_without_a_valid_rotation_are_named(tmp_path, capsys):
    broken = transform(START, "world", "mug", np.eye(4))
    broken.transform.rotation.w = 0.0
    bag = write_bag(
        tmp_path / "a",
        [
            ("/tf_static", START, tf(broken)),
            *scene(pose=lambda stamp, T: [("/tf", tf(transform(stamp, "world", "camera", T)))]),
        ],
    )
    assert "transform world <- mug has no valid pose" in refused(capsys, bag, tmp_path)


def test_tf_on_several_topics_is_read_if_asked_for(tmp_path, capsys):
    def pose(stamp, T):
        yield "/tf", tf(transform(stamp, "world", "camera", T))
        yield "/arm/tf", tf(transform(stamp, "world", "mug", np.eye(4)))

    bag = write_bag(tmp_path / "a", scene(pose=pose))
    assert "other topics with TF: /arm/tf (--tf-topic)" in refused(capsys, bag, tmp_path)
    instance = convert(bag, tmp_path, "--tf-topic", "/tf", "/arm/tf")
    assert len(instance) == 6 and offsets(instance).max() < 2.5


@pytest.mark.parametrize("frame", ["camera", ""])
def test_two_runs_in_one_bag_are_refused_with_its_name(tmp_path, capsys, frame):
    """Also if TF is read with the first image, because camera_info names no frame."""
    run = list(scene(20, info=lambda i, stamp: camera_info(stamp, frame=frame)))
    again = [(topic, recorded + 2 * 10**9, content) for topic, recorded, content in run]
    bag = write_bag(tmp_path / "a", [*run, *again])
    said = refused(capsys, bag, tmp_path)
    assert f"error: {bag}: transform mug <- camera: time jumps back by 2 s" in said


def test_tf_of_another_clock_is_named(tmp_path, capsys):
    def pose(stamp, T):
        yield "/tf", tf(transform(stamp - 10**12, "mug", "camera", T))

    bag = write_bag(tmp_path / "a", scene(pose=pose))
    assert "more than a minute away, so by another clock?" in refused(capsys, bag, tmp_path)


def test_camera_info_without_stamps_is_valid_from_its_recording_on(tmp_path):
    """The first calibration is wrong: with it the mug would be half as large."""

    def info(i, stamp):
        return camera_info(UNSTAMPED, focal=280.0 if i >= 3 else 560.0)

    right = convert(write_bag(tmp_path / "a", scene()), tmp_path / "1")
    instance = convert(write_bag(tmp_path / "b", scene(info=info)), tmp_path / "2")
    np.testing.assert_array_equal(instance.images()[3:], right.images()[3:])


def test_images_without_a_stamp_are_refused(tmp_path, capsys):
    bag = write_bag(tmp_path / "a", scene(stamped=False))
    assert "image has no stamp" in refused(capsys, bag, tmp_path)


@pytest.mark.parametrize(
    "change, reason",
    [
        (np.logical_not, "the mask covers most of what is farther than object_radius"),
        (np.ones_like, "the mask is zero nowhere"),
    ],
)
def test_mask_of_the_background_is_refused(tmp_path, capsys, change, reason):
    def mask(stamp, shown):
        yield "/mask", numbers(stamp, change(shown), "mono8")

    bag = write_bag(tmp_path / "a", scene(mask=mask, background=90))
    assert reason in refused(capsys, bag, tmp_path, "--mask-topic", "/mask")


def test_mask_of_another_camera_is_reported(tmp_path, capsys):
    def mask(stamp, shown):
        message = numbers(stamp, shown, "mono8")
        message.header.frame_id = "right"
        yield "/mask", message

    bag = write_bag(tmp_path / "a", scene(mask=mask))
    assert len(convert(bag, tmp_path, "--mask-topic", "/mask")) == 6
    said = capsys.readouterr().out
    assert "6 doubtful: image of 'camera', /mask of 'right': another camera's?" in said


def test_depth_without_a_frame_is_of_the_images_camera(tmp_path):
    def mask(stamp, shown):
        message = numbers(stamp, depth(T_mug_camera((stamp - START) / 1e9)), "32FC1")
        message.header.frame_id = ""
        yield "/depth", message

    bag = write_bag(tmp_path / "a", scene(mask=mask))
    assert len(convert(bag, tmp_path, "--depth-topic", "/depth")) == 6


def test_topics_are_found_without_their_leading_slash(tmp_path):
    messages = [(topic[1:], *rest) for topic, *rest in scene()]
    bag = write_bag(tmp_path / "a", messages)
    with Recording(bag) as recording:
        assert recording.resolve("/tf") == "tf"
    assert len(convert(bag, tmp_path)) == 6


def test_no_readable_mask_is_said():
    image = SimpleNamespace(header=raw(START, picture(T_mug_camera(0)), "rgb8").header)
    with pytest.raises(LookupError, match="no message of /mask could be read"):
        RecordedMasks("/mask", [], np.asarray).of(image)


def test_compressed_masks_are_named(tmp_path, capsys):
    def mask(stamp, shown):
        yield "/mask", compressed(stamp, np.dstack([shown] * 3).astype(np.uint8))

    bag = write_bag(tmp_path / "a", scene(mask=mask))
    said = refused(capsys, bag, tmp_path, "--mask-topic", "/mask")
    assert f"{bag}: /mask is sensor_msgs/msg/CompressedImage; it must be sensor_msgs/msg/Im" in said


def test_object_that_is_grasped_changes_its_parent(tmp_path):
    """From the fourth image on it hangs on the gripper, whose frame is elsewhere.

    The gripper did not matter before, so its pose at the fourth image was not kept.
    """

    def pose(stamp, T):
        yield "/tf", tf(transform(stamp, "world", "camera", T))
        yield "/tf", tf(transform(stamp, "arm", "gripper", ASIDE))
        grasped = stamp >= START + 3 * 10**8
        parent, at = ("gripper", inverse(ASIDE)) if grasped else ("world", np.eye(4))
        yield "/tf", tf(transform(stamp, parent, "mug", at))

    arm = ("/tf_static", START, tf(transform(START, "world", "arm", np.eye(4))))
    instance = convert(write_bag(tmp_path / "a", [arm, *scene(pose=pose)]), tmp_path)
    assert len(instance) == 5 and offsets(instance).max() < 2.5
