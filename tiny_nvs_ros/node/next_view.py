"""The topic ~/next_view and the service ~/rank_views: where to look next."""

import traceback
from collections.abc import Callable
from copy import copy

import numpy as np
from geometry_msgs.msg import PoseArray, PoseStamped
from rclpy.time import Time
from std_msgs.msg import Header

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.next_best_view import Ranking
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.frame_gate import FrameGate
from tiny_nvs_ros.node.inference import Inference
from tiny_nvs_ros.node.inputs import Inputs
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import NodeSettings, Parameters
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.rejection import Rejected
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.srv import RankViews

MAX_CANDIDATES = 256


class NextViewPublisher:
    """The topic ~/next_view: the best camera of the ring, in the object frame."""

    def __init__(self, topics: Topics):
        self._next_view = topics.advertise(PoseStamped, "~/next_view", 1)
        self._pending = False

    def has_subscribers(self) -> bool:
        return self._next_view.get_subscription_count() > 0

    async def update(self, source: Source, inference: Inference, settings: NodeSettings) -> None:
        """Rank the ring and publish its best camera, unless one ranking is being made.

        source: the newest one. Does nothing without subscribers.
        """
        if not self.has_subscribers() or self._pending:
            return
        self._pending = True
        try:
            candidates = ring(source, settings)
            job = inference.ranking(candidates, settings)
            ranking = await inference.worker.run_request(job)
        finally:
            self._pending = False
        if ranking is not None:
            header = Header(stamp=source.header.stamp, frame_id=settings.object_frame)
            best = conversions.pose_from_matrix(candidates[ranking.gains.argmax()])
            self._next_view.publish(PoseStamped(header=header, pose=best))


class RankViewsService:
    """Answers requests with candidate cameras, the most useful first."""

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
        self, request: RankViews.Request, response: RankViews.Response
    ) -> RankViews.Response:
        """Answer a request; a failure is in the response's message."""
        try:
            await self._rank(request, response)
            response.success = True
        except (Rejected, ValueError, MemoryError) as error:
            response.message = str(error)
        except Exception as error:
            response.message = f"{type(error).__name__}: {error}"
            self._monitor.error("rank_views", traceback.format_exc())
        return response

    async def _rank(self, request: RankViews.Request, response: RankViews.Response) -> None:
        settings = self._parameters.settings
        inputs, _ = self._require_active()
        source = self._gate.latest
        if source is None or source.object_frame != settings.object_frame:
            missing = ", no ".join(self._monitor.missing) or inputs.image_stream
            raise Rejected("no image", f"no image of the object yet: no {missing}")
        given = request.candidates
        if len(given.poses) > MAX_CANDIDATES:
            raise Rejected(
                "invalid", f"{len(given.poses)} candidates; there may be {MAX_CANDIDATES}"
            )
        if given.poses:
            T_object_frame = await self._frame(given.header, source, inputs, settings)
            poses = conversions.matrices_from_poses(given.poses, "candidates")
            candidates, listed = T_object_frame @ poses, list(given.poses)
            header = copy(given.header)
        else:
            candidates = ring(source, settings)
            listed = conversions.poses_from_matrices(candidates)
            header = Header(stamp=source.header.stamp, frame_id=settings.object_frame)
        _, inference = self._require_active()  # may have changed during the wait
        # The latest image may have come while nobody subscribed: then nothing is remembered yet.
        job = inference.ranking(candidates, settings, source)
        ranking: Ranking | None = await inference.worker.run_request(job)
        if ranking is None:
            raise Rejected("inactive", "the node was deactivated")
        order = np.argsort(-ranking.gains, kind="stable")[: request.count or None]
        response.poses = PoseArray(header=header, poses=[listed[i] for i in order])
        response.gains = ranking.gains[order].astype(np.float32).tolist()
        response.uncertainty = float(ranking.uncertainty)

    async def _frame(
        self, header: Header, source: Source, inputs: Inputs, settings: NodeSettings
    ) -> np.ndarray:
        """Return T_object_frame of the candidates' frame, at its stamp or else the source's."""
        if not header.frame_id:
            raise Rejected("invalid", "candidates has no frame_id")
        stamp = Time.from_msg(header.stamp)
        if stamp.nanoseconds == 0:
            stamp = source.stamp
        if header.frame_id == settings.object_frame:
            return np.eye(4)
        return await inputs.transforms.lookup(
            settings.object_frame, header.frame_id, stamp, settings.tf_timeout
        )


def ring(source: Source, settings: NodeSettings) -> np.ndarray:
    """Return the cameras that next_view.* describe, (N, 4, 4) T_object_camera, metres."""
    distance = settings.next_view_distance or float(np.linalg.norm(source.pose[:3, 3]))
    return orbit(settings.next_view_count, settings.next_view_elevations, distance)
