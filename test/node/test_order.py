"""The order in which views go out, whatever the order in which the executor resumes who waits."""

import numpy as np
import pytest
import rclpy
from rclpy.parameter import Parameter
from rclpy.task import Future
from std_msgs.msg import Header

from tiny_nvs_ros import geometry
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.nvs_node import NvsNode

CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])  # T_object_camera


@pytest.fixture
def node(ros_domain_id, weights):
    """An active node in this process, of which no executor knows."""
    context = rclpy.Context()
    rclpy.init(context=context)
    values = {"weights": str(weights), "samples": 1, "steps": 1, "lazy": False}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = NvsNode(context=context, parameter_overrides=overrides)
    assert node.start()
    yield node
    node.close()
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_views_of_an_older_image_do_not_follow_those_of_a_newer_one(node, monkeypatch):
    """Before Kilted, rclpy resumes of all coroutines that can go on the last one first."""
    published, inferences = [], []

    async def pose(*_: object) -> np.ndarray:
        return CAMERA

    def newest(job: object) -> Future:
        inferences.append((job, Future()))
        return inferences[-1][1]

    monkeypatch.setattr(node._transforms, "lookup", pose)
    monkeypatch.setattr(node._worker, "newest", newest)
    monkeypatch.setattr(node._views, "publish", lambda views: published.append(views.header.stamp))

    images, coroutines = [], []
    for _ in range(2):
        header = Header(frame_id="camera", stamp=node.get_clock().now().to_msg())
        picture = np.zeros((32, 32, 3), np.uint8)
        images.append(conversions.image_from_array(picture, header))
        coroutines.append(node._on_image(images[-1]))
        coroutines[-1].send(None)
    for job, future in inferences:
        future.set_result(job())
    for coroutine in reversed(coroutines):
        with pytest.raises(StopIteration):
            coroutine.send(None)
    assert published == [images[1].header.stamp]
    assert node._account.counts == {"published": 1, "newer image": 1}
