"""Whether an image and a camera_info belong to the same camera."""

import pytest
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from tiny_nvs_ros.node.source import check_same_camera


@pytest.mark.parametrize(
    ("image", "info"),
    [("camera", "camera"), ("camera", ""), ("camera", "/camera"), ("/camera", "camera")],
)
def test_camera_info_of_the_same_camera_or_without_frame_id_is_accepted(image, info):
    check_same_camera(image, CameraInfo(header=Header(frame_id=info)))


@pytest.mark.parametrize("info", ["robot/camera", "camera2", "Camera"])
def test_camera_info_of_another_camera_is_refused_with_the_remedy(info):
    with pytest.raises(ValueError, match=f"camera_info of '{info}': remap camera_info to"):
        check_same_camera("camera", CameraInfo(header=Header(frame_id=info)))
