"""The service ~/render_pose: imagines one view of an image on request."""

import time

from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Image

from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.image_decoder import check_image
from tiny_nvs_ros.node.inputs import Inputs
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.publish import camera_info, duration, view_header
from tiny_nvs_ros.node.rejection import Rejected
from tiny_nvs_ros.node.service import Service
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.srv import RenderPose

MAX_SAMPLES = 64


class RenderPoseService(Service):
    """Answers requests with a view of the request's image, or of the latest one."""

    name = "render_pose"

    async def _answer(self, request: RenderPose.Request, response: RenderPose.Response) -> None:
        arrival = time.monotonic()
        settings = self._parameters.settings
        inputs, _ = self._require_active()
        if request.samples > MAX_SAMPLES:
            raise Rejected("invalid", f"samples is {request.samples}; at most {MAX_SAMPLES}")
        camera = request.camera_pose
        T_frame_target = conversions.matrix_from_pose(camera.pose)
        source = await self._source(request.source_image, inputs, settings)
        T_object_frame = await self._T_object_frame(
            camera.header, "camera_pose", source, inputs, settings
        )
        targets = (T_object_frame @ T_frame_target)[None]
        _, inference = self._require_active()  # may have changed during the waits
        samples = request.samples or settings.samples
        remember = source.number > 0  # of the node's own images
        job = inference.views(source, targets, settings, samples, request.seed, remember)
        views = await inference.worker.run_request(job)
        if views is None:
            raise Rejected("inactive", "the node was deactivated")
        if fault := views.sources[0].fault:
            self._monitor.warn("image", fault)
        header = view_header(source)
        response.image = conversions.image_from_array(views.images[0], header)
        if views.uncertainties is not None:
            response.uncertainty = conversions.image_from_array(views.uncertainties[0], header)
        response.camera_info = camera_info(views, header)
        pose = conversions.pose_from_matrix(views.poses[0])
        response.view_pose = PoseStamped(header=source.header, pose=pose)
        response.source_stamp = source.header.stamp
        response.render_time = duration(time.monotonic() - arrival)

    async def _source(self, image: Image, inputs: Inputs, settings: NodeSettings) -> Source:
        """Return the request's image as a source, or the latest one if the request has none."""
        if image.width or image.height or image.data:
            check_image(image)
            return await inputs.sources.assemble(image, settings)
        return self._latest_source(inputs, settings)
