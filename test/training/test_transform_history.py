import numpy as np
import pytest

pytest.importorskip("rosbags")

from rosbags.typesys import Stores, get_typestore

from tiny_nvs_ros.geometry import inverse, pose_from, quaternion_from_rotation
from training.data.transform_history import TransformHistory

STORE = get_typestore(Stores.ROS2_HUMBLE)


def stamped(seconds, parent, child, T=None):
    """A TransformStamped, or one with a quaternion of zeros without T."""
    stamp = round(seconds * 1e9)
    x, y, z, w = (0.0,) * 4 if T is None else quaternion_from_rotation(T[:3, :3])
    px, py, pz = (0.0,) * 3 if T is None else T[:3, 3]
    make = STORE.types
    time = make["builtin_interfaces/msg/Time"](sec=stamp // 10**9, nanosec=stamp % 10**9)
    return make["geometry_msgs/msg/TransformStamped"](
        header=make["std_msgs/msg/Header"](stamp=time, frame_id=parent),
        child_frame_id=child,
        transform=make["geometry_msgs/msg/Transform"](
            translation=make["geometry_msgs/msg/Vector3"](x=px, y=py, z=pz),
            rotation=make["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w),
        ),
    )


def test_transforms_are_interpolated_along_the_shortest_rotation():
    transforms = TransformHistory()
    quarter = pose_from([2, 0, 0], [0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)])
    transforms.add(stamped(1.8, "a", "b", quarter), static=False)
    transforms.add(stamped(1, "a", "b", np.eye(4)), static=False)  # late, as TF may come
    middle = transforms.lookup("a", "b", 14 * 10**8)
    np.testing.assert_allclose(
        middle, pose_from([1, 0, 0], [0, 0, np.sin(np.pi / 8), np.cos(np.pi / 8)]), atol=1e-12
    )
    np.testing.assert_allclose(transforms.lookup("b", "a", 14 * 10**8), inverse(middle), atol=1e-12)
    np.testing.assert_allclose(transforms.lookup("a", "b", 18 * 10**8), quarter, atol=1e-12)
    for outside in (0, 18 * 10**8 + 1):
        with pytest.raises(LookupError, match="does not reach its time"):
            transforms.lookup("a", "b", outside)


def test_transforms_above_the_common_ancestor_do_not_matter():
    transforms = TransformHistory()
    step = pose_from([1, 0, 0], [0, 0, 0, 1])
    transforms.add(stamped(1, "map", "robot", step), static=False)  # ends before
    transforms.add(stamped(1, "robot", "left", step), static=True)
    transforms.add(stamped(1, "robot", "right", inverse(step)), static=True)
    np.testing.assert_allclose(transforms.lookup("left", "right", 5 * 10**9)[:3, 3], [-2, 0, 0])
    with pytest.raises(LookupError, match="no transform left <- moon"):
        transforms.lookup("left", "moon", 5 * 10**9)


def test_frames_that_form_no_tree_are_refused():
    transforms = TransformHistory()
    transforms.add(stamped(1, "a", "b", np.eye(4)), static=True)
    transforms.add(stamped(1, "c", "b", np.eye(4)), static=True)
    with pytest.raises(ValueError, match="several parents: a, c"):
        transforms.lookup("a", "b", 0)
    loop = TransformHistory()
    loop.add(stamped(1, "a", "b", np.eye(4)), static=True)
    loop.add(stamped(1, "b", "a", np.eye(4)), static=True)
    with pytest.raises(ValueError, match="loop: a <- b <- a"):
        loop.lookup("a", "b", 0)


def test_pose_is_not_interpolated_over_a_long_gap():
    transforms = TransformHistory(max_gap_s=0.5)
    for seconds in (0, 0.4, 1.0):
        transforms.add(stamped(seconds, "a", "b", np.eye(4)), static=False)
    transforms.lookup("a", "b", 200_000_000)
    transforms.lookup("a", "b", 10**9)
    with pytest.raises(LookupError, match=r"a <- b has a gap of more than 0\.5 s \(--max-gap\)"):
        transforms.lookup("a", "b", 700_000_000)


def test_transform_that_was_sent_once_is_explained():
    transforms = TransformHistory()
    transforms.add(stamped(1, "a", "b", np.eye(4)), static=False)
    with pytest.raises(LookupError, match=r"was sent once.*/tf_static"):
        transforms.lookup("a", "b", 2 * 10**9)


def test_transforms_that_are_not_rigid_are_ignored():
    transforms = TransformHistory()
    transforms.add(stamped(1, "a", "b"), static=False)
    transforms.add(stamped(1, "a", "b", np.eye(4)), static=False)
    nan = np.eye(4)
    nan[0, 3] = np.nan
    transforms.add(stamped(1.1, "a", "b", nan), static=False)
    np.testing.assert_array_equal(transforms.lookup("a", "b", 10**9), np.eye(4))


def test_time_that_jumps_back_is_refused():
    transforms = TransformHistory()
    transforms.add(stamped(60, "a", "b", np.eye(4)), static=False)
    with pytest.raises(ValueError, match="a <- b: time jumps back by 50 s"):
        transforms.add(stamped(10, "a", "b", np.eye(4)), static=False)


def test_frames_that_do_not_connect_the_pair_take_no_memory():
    """A robot with 50 other frames; the camera's connection appears only after a while."""
    all_frames = TransformHistory()
    needed = TransformHistory(between=[("mug", "camera")])
    for transforms in (all_frames, needed):
        for i in range(100):
            for joint in range(50):
                transforms.add(stamped(i / 10, "base", f"joint_{joint}", np.eye(4)), static=False)
            transforms.add(stamped(i / 10, "world", "base", np.eye(4)), static=False)
            if i >= 50:
                transforms.add(stamped(i / 10, "base", "camera", np.eye(4)), static=False)
            transforms.add(stamped(i / 10, "world", "mug", np.eye(4)), static=False)
        transforms.lookup("mug", "camera", 6 * 10**9)
    assert needed.pose_count == 250 and all_frames.pose_count == 5250
