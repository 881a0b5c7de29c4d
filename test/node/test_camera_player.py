from pathlib import Path

import cv2
import numpy as np
import pytest
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from tf2_ros import Buffer, TransformListener

from tiny_nvs_ros import geometry
from tiny_nvs_ros.decode import rgb_from_raw
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.camera import T_WORLD_OBJECT
from tiny_nvs_ros.node.camera_player import read_sequence

PLAYER = "tiny_nvs_ros.node.camera_player"
POSES = geometry.orbit(3, [0.4])


@pytest.fixture
def cars(tmp_path) -> Path:
    """Two instances, a and b, of three 16 x 16 views each; their intrinsics are for 32 x 32."""
    for name, grey in (("b", 100), ("a", 0)):
        for folder in ("rgb", "pose"):
            (tmp_path / name / folder).mkdir(parents=True)
        for i, pose in enumerate(POSES):
            image = np.full((16, 16, 4), grey + i, np.uint8)
            image[..., 3] = 255
            image[0, 0] = (0, 0, 0, 0)
            cv2.imwrite(str(tmp_path / name / "rgb" / f"{i:06d}.png"), image)
            text = " ".join(map(str, pose.ravel()))
            (tmp_path / name / "pose" / f"{i:06d}.txt").write_text(text)
        (tmp_path / name / "intrinsics.txt").write_text("40. 16. 12. 0.\n0. 0. 0.\n1.\n32 32\n")
    return tmp_path


def test_sequence_is_read_in_the_order_of_its_files(cars):
    first = read_sequence(cars)
    assert first.name == "a"
    assert [frame.image[5, 5, 0] for frame in first.frames] == [0, 1, 2]
    assert (first.frames[0].image[0, 0] == 255).all()  # clear pixels are white
    np.testing.assert_allclose([frame.pose for frame in first.frames], POSES)
    assert first.intrinsics == (20.0, 8.0, 6.0)
    assert read_sequence(cars, "b").frames[0].image[5, 5, 0] == 100
    assert read_sequence(cars / "b").name == "b"
    assert read_sequence(cars.parent, "b").name == "b"


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (lambda a: (a / "pose/000001.txt").unlink(), r"pose/000001\.txt: missing"),
        (lambda a: (a / "pose/000001.txt").write_text("1 2 3"), r"pose/000001\.txt"),
        (
            lambda a: (a / "pose/000001.txt").write_text("nan " * 16),
            r"pose/000001\.txt.*not finite",
        ),
        (lambda a: (a / "rgb/000002.png").write_bytes(b"no"), r"000002\.png: not a readable"),
        (lambda a: (a / "intrinsics.txt").unlink(), r"intrinsics\.txt"),
        (lambda a: (a / "intrinsics.txt").write_text("40 16"), r"intrinsics\.txt"),
        (lambda a: (a / "rgb").rename(a / "gone"), "no instance 'a' in .*: there is b"),
        (lambda a: [p.unlink() for p in (a / "rgb").iterdir()], r"rgb: no \.png files"),
    ],
)
def test_invalid_sequence_is_refused_by_file_name(cars, spoil, reason):
    spoil(cars / "a")
    with pytest.raises((OSError, ValueError), match=reason):
        read_sequence(cars, "a")


def test_each_image_has_its_camera_info_and_transform(start, robot, cars):
    buffer = Buffer()
    listener = TransformListener(buffer, robot.node)
    images: list[Image] = []
    infos: list[CameraInfo] = []
    robot.node.create_subscription(Image, "played", images.append, 20)
    robot.node.create_subscription(CameraInfo, "camera_info", infos.append, 20)
    parameters = {"folder": cars, "instance": "b", "rate": 20.0, "scale": 0.5}
    frames = {"object_frame": "thing", "camera_frame": "eye"}
    player = start(PLAYER, {**parameters, **frames}, {"image": "played"})
    robot.spin_until(lambda: len(images) > 6 and len(infos) > 6)  # it loops
    for image in images[-3:]:
        assert image.header.frame_id == "eye"
        index = rgb_from_raw(image)[5, 5, 0] - 100
        stamp = Time.from_msg(image.header.stamp)
        robot.spin_until(lambda stamp=stamp: buffer.can_transform("thing", "eye", stamp))
        transform = buffer.lookup_transform("thing", "eye", stamp).transform
        expected = POSES[index].copy()
        expected[:3, 3] *= 0.5
        np.testing.assert_allclose(
            conversions.matrix_from_transform(transform), expected, atol=1e-6
        )
        info = next(info for info in infos if info.header == image.header)
        assert list(info.k) == [20, 0, 7.5, 0, 20, 5.5, 0, 0, 1]
        assert (info.width, info.height) == (16, 16)
    still = buffer.lookup_transform("world", "thing", Time()).transform
    np.testing.assert_allclose(conversions.matrix_from_transform(still), T_WORLD_OBJECT, atol=1e-6)
    assert player.end() == 0, player.output
    assert "Traceback" not in player.output
    listener.unregister()


def test_without_loop_it_exits_after_the_last_image(start, cars):
    player = start(PLAYER, {"folder": cars, "rate": 100.0, "loop": "false"})
    assert player.popen.wait(timeout=60) == 0
    assert "playing a, 3 images of 16x16, at 100 Hz on /image" in player.output


def test_folder_without_images_ends_the_start(start, tmp_path):
    player = start(PLAYER, {"folder": tmp_path})
    assert player.popen.wait(timeout=60) == 1
    assert f"{tmp_path} holds no object" in player.output
    assert "Traceback" not in player.output
