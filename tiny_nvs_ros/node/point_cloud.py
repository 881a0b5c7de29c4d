"""Publishes the object's shape as a point cloud."""

import sys
from array import array

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from tiny_nvs_ros.node.inference import Inference
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.shape import Shape

# rgb is packed as PCL and RViz expect it: 0x00RRGGBB in the bytes of a float.
POINT = np.dtype(
    [
        *((name, np.float32) for name in ("x", "y", "z")),
        ("rgb", np.uint32),
        *((name, np.float32) for name in ("confidence", "normal_x", "normal_y", "normal_z")),
        ("seen", np.uint8),
    ]
)
TYPES = {np.dtype(np.uint8): PointField.UINT8}  # all others are sent as FLOAT32


class ShapePublisher:
    """The topic ~/points."""

    def __init__(self, topics: Topics, monitor: Monitor):
        self._points = topics.advertise(PointCloud2, "~/points", 1)
        self._monitor = monitor
        self._pending = False

    def has_subscribers(self) -> bool:
        return self._points.get_subscription_count() > 0

    async def update(self, source: Source, inference: Inference, settings: NodeSettings) -> None:
        """Publish the shape that the remembered sources show, unless one is being made.

        source: the newest one. Does nothing without subscribers.
        """
        if not self.has_subscribers() or self._pending:
            return
        if not inference.renderer.config.gives_depth:
            self._monitor.warn("points", f"~/points needs depth, which {settings.weights} has not")
            return
        self._pending = True
        try:
            shape = await inference.worker.run_request(inference.shape(settings))
        finally:
            self._pending = False
        if shape is not None:
            header = Header(stamp=source.header.stamp, frame_id=settings.object_frame)
            self._points.publish(point_cloud(shape, header))


def point_cloud(shape: Shape, header: Header) -> PointCloud2:
    """Return a shape's points with the fields of POINT; metres, in the object frame."""
    points = np.zeros(len(shape.points), POINT)
    for names, values in (("xyz", shape.points), (POINT.names[5:8], shape.normals)):
        for name, column in zip(names, values.T, strict=True):
            points[name] = column
    red, green, blue = shape.colors.astype(np.uint32).T
    points["rgb"] = red << 16 | green << 8 | blue
    points["confidence"], points["seen"] = shape.confidence, shape.seen
    message = PointCloud2(header=header, height=1, width=len(points), is_dense=True)
    message.is_bigendian = sys.byteorder == "big"
    message.fields = [
        PointField(name=name, offset=offset, datatype=TYPES.get(type_, PointField.FLOAT32), count=1)
        for name, (type_, offset) in POINT.fields.items()
    ]
    message.point_step, message.row_step = POINT.itemsize, points.nbytes
    message.data = array("B", points.tobytes())
    return message
