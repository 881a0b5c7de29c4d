"""The service ~/render_pose: imagines one view of an image on request."""

import time
import traceback
from collections.abc import Callable

from geometry_msgs.msg import PoseStamped
from rclpy.time import Time
from sensor_msgs.msg import Image

from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.frame_gate import FrameGate
from tiny_nvs_ros.node.image_decoder import check_image
from tiny_nvs_ros.node.inference import Inference
from tiny_nvs_ros.node.inputs import Inputs
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import NodeSettings, Parameters
from tiny_nvs_ros.node.publish import camera_info, duration, view_header
from tiny_nvs_ros.node.rejection import Rejected
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.srv import RenderPose

MAX_SAMPLES = 64


class RenderPoseService:
    """Answers requests with a view of the request's image, or of the latest one."""

    def __init__(
        self,
        parameters: Parameters,
        monitor: Monitor,
        gate: FrameGate,
        require_active: Callable[[], tuple[Inputs, Inference]],
    ):
        """require_active: returns the active node's inputs and model, or raises Rejected."""
        self._parameters, self._monitor, self._gate = parameters, monitor, gate
        self._require_active = require_active

    async def on_request(
        self, request: RenderPose.Request, response: RenderPose.Response
    ) -> RenderPose.Response:
        """Answer a request; a failure is in the response's message."""
        arrival = time.monotonic()
        try:
            await self._render(request, response)
            response.success = True
            response.render_time = duration(time.monotonic() - arrival)
        except (Rejected, ValueError, MemoryError) as error:
            response.message = str(error)
        except Exception as error:
            response.message = f"{type(error).__name__}: {error}"
            self._monitor.error("render_pose", traceback.format_exc())
        return response

    async def _render(self, request: RenderPose.Request, response: RenderPose.Response) -> None:
        settings = self._parameters.settings
        inputs, _ = self._require_active()
        if request.samples > MAX_SAMPLES:
            raise Rejected("invalid", f"samples is {request.samples}; at most {MAX_SAMPLES}")
        if not request.camera_pose.header.frame_id:
            raise Rejected("invalid", "camera_pose has no frame_id")
        T_frame_target = conversions.matrix_from_pose(request.camera_pose.pose)
        source = await self._source(request.source_image, inputs, settings)
        T_object_frame = await self._request_frame(request, source, inputs, settings)
        targets = (T_object_frame @ T_frame_target)[None]
        _, inference = self._require_active()  # may have changed during the waits
        samples = request.samples or settings.samples
        remember = source.number > 0  # of the node's own images
        job = inference.views(source, targets, settings, samples, request.seed, remember)
        views = await inference.worker.run_request(job)
        if views is None:
            raise Rejected("inactive", "the node was deactivated")
        header = view_header(source)
        response.image = conversions.image_from_array(views.images[0], header)
        if views.uncertainties is not None:
            response.uncertainty = conversions.image_from_array(views.uncertainties[0], header)
        response.camera_info = camera_info(views, header)
        pose = conversions.pose_from_matrix(views.poses[0])
        response.view_pose = PoseStamped(header=source.header, pose=pose)
        response.source_stamp = source.header.stamp

    async def _source(self, image: Image, inputs: Inputs, settings: NodeSettings) -> Source:
        """Return the request's image as a source, or the latest one if the request has none."""
        if image.width or image.height or image.data:
            check_image(image)
            return await inputs.sources.assemble(image, settings)
        latest = self._gate.latest
        if latest is None or latest.object_frame != settings.object_frame:
            missing = ", no ".join(self._monitor.missing) or inputs.image_stream
            raise Rejected("no image", f"no image of the object yet: no {missing}")
        return latest

    async def _request_frame(
        self, request: RenderPose.Request, source: Source, inputs: Inputs, settings: NodeSettings
    ):
        """Return T_object_frame of the request's frame, at its stamp or else the source's."""
        header = request.camera_pose.header
        stamp = Time.from_msg(header.stamp)
        if stamp.nanoseconds == 0:
            stamp = source.stamp
        if (header.frame_id, stamp) == (source.header.frame_id, source.stamp):
            return source.pose  # known for longer than TF remembers it
        return await inputs.transforms.lookup(
            settings.object_frame, header.frame_id, stamp, settings.tf_timeout
        )
