"""An image, its camera_info and its mask belong to the same camera."""

from types import SimpleNamespace

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.source import SourceAssembler, check_same_camera


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


@pytest.mark.parametrize(("mask_frame", "warnings"), [("camera", 0), ("", 0), ("right", 1)])
def test_mask_of_another_camera_is_a_warning(mask_frame, warnings):
    logged = []

    async def lookup(*_: object) -> np.ndarray:
        return np.eye(4)

    async def match(*_: object) -> Image:
        return Image(header=Header(frame_id=mask_frame))

    assembler = SourceAssembler(
        SimpleNamespace(warn=lambda kind, text: logged.append(text)),
        SimpleNamespace(lookup=lookup),
        camera_infos=None,
        masks=SimpleNamespace(match=match),
    )
    coroutine = assembler.assemble(Image(header=Header(frame_id="camera")), NodeSettings(mask=True))
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)
    assert end.value.value.mask.header.frame_id == mask_frame
    assert len(logged) == warnings
    assert all("image is of the camera 'camera', mask of 'right'" in text for text in logged)
