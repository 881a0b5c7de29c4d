"""The topic ~/next_view and the service ~/rank_views: where to look next."""

from copy import copy

import numpy as np
from geometry_msgs.msg import PoseArray, PoseStamped
from std_msgs.msg import Header

from tiny_nvs_ros.geometry import orbit
from tiny_nvs_ros.next_best_view import Ranking
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.inference import Inference
from tiny_nvs_ros.node.parameters import MAX_VIEWS, NodeSettings
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.rejection import Rejected
from tiny_nvs_ros.node.service import Service
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.srv import RankViews


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


class RankViewsService(Service):
    """Answers requests with candidate cameras, the most useful first."""

    name = "rank_views"

    async def _answer(self, request: RankViews.Request, response: RankViews.Response) -> None:
        settings = self._parameters.settings
        inputs, _ = self._require_active()
        source = self._latest_source(inputs, settings)
        given = request.candidates
        if len(given.poses) > MAX_VIEWS:
            raise Rejected("invalid", f"{len(given.poses)} candidates; there may be {MAX_VIEWS}")
        if given.poses:
            T_object_frame = await self._T_object_frame(
                given.header, "candidates", source, inputs, settings
            )
            poses = conversions.matrices_from_poses(given.poses, "candidates")
            candidates, listed = T_object_frame @ poses, list(given.poses)
            header = copy(given.header)
        else:
            candidates = ring(source, settings)
            listed = conversions.poses_from_matrices(candidates)
            header = Header(stamp=source.header.stamp, frame_id=settings.object_frame)
        _, inference = self._require_active()  # may have changed during the wait
        # The latest image may have come while nobody subscribed: then it is not remembered yet.
        job = inference.ranking(candidates, settings, source)
        ranking: Ranking | None = await inference.worker.run_request(job)
        if ranking is None:
            raise Rejected("inactive", "the node was deactivated")
        order = np.argsort(-ranking.gains, kind="stable")[: request.count or None]
        response.poses = PoseArray(header=header, poses=[listed[i] for i in order])
        response.gains = ranking.gains[order].astype(np.float32).tolist()
        response.uncertainty = float(ranking.uncertainty)


def ring(source: Source, settings: NodeSettings) -> np.ndarray:
    """Return the cameras that next_view.* describe, (N, 4, 4) T_object_camera, metres."""
    distance = settings.next_view_distance or float(np.linalg.norm(source.pose[:3, 3]))
    return orbit(settings.next_view_count, settings.next_view_elevations, distance)
