"""Views are published in the order of their images, however the executor resumes them."""

from collections.abc import Callable

import numpy as np
import pytest
import rclpy
from rclpy.parameter import Parameter
from rclpy.task import Future
from std_msgs.msg import Header

from tiny_nvs_ros import geometry
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.node import NvsNode
from tiny_nvs_ros.node.publish import ViewPublisher
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.transforms import AsyncTransforms
from tiny_nvs_ros.node.worker import InferenceWorker

CAMERA = geometry.look_at([1.2, -0.9, 0.8], [0.0, 0.0, 0.0])  # T_object_camera


@pytest.fixture
def callbacks(ros_domain_id, weights, monkeypatch) -> dict[str, Callable]:
    """The callbacks, by topic, of an active node in this process that no executor spins."""
    subscribe, callbacks = Topics.subscribe, {}

    def record(topics, type_, topic, callback, *args):
        callbacks[topic] = callback
        return subscribe(topics, type_, topic, callback, *args)

    async def camera_pose(*_: object) -> np.ndarray:
        return CAMERA

    monkeypatch.setattr(Topics, "subscribe", record)
    monkeypatch.setattr(AsyncTransforms, "lookup", camera_pose)
    context = rclpy.Context()
    rclpy.init(context=context)
    values = {"weights": str(weights), "samples": 1, "steps": 1, "lazy": False}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = NvsNode(context=context, parameter_overrides=overrides)
    assert node.start()
    yield callbacks
    node.close()
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_views_of_an_older_image_are_not_published_after_those_of_a_newer_one(
    callbacks, monkeypatch, picture
):
    """Before Kilted, rclpy resumes the coroutine that can continue last first."""
    published, inferences = [], []

    def run_newest(worker, job: Callable) -> Future:
        inferences.append((job, Future()))
        return inferences[-1][1]

    monkeypatch.setattr(InferenceWorker, "run_newest", run_newest)
    monkeypatch.setattr(
        ViewPublisher, "publish", lambda _, source, *args: published.append(source.header.stamp)
    )
    stamps, coroutines = [], []
    for nanoseconds in (1, 2):
        header = Header(frame_id="camera")
        header.stamp = (
            rclpy.clock.Clock().now() + rclpy.time.Duration(nanoseconds=nanoseconds)
        ).to_msg()
        image = conversions.image_from_array(picture, header)
        stamps.append(header.stamp)
        coroutines.append(callbacks["image"](image))
        coroutines[-1].send(None)
    for job, future in inferences:
        future.set_result(job())
    for coroutine in reversed(coroutines):
        with pytest.raises(StopIteration):
            coroutine.send(None)
    assert published == stamps[1:]
