"""Evaluation under the disturbances of a robot."""

import textwrap
import zlib

import numpy as np
import torch

from tiny_nvs_ros.model import NovelViewModel, ViewRequest
from tiny_nvs_ros.model.request import MAX_VIEWS_AT_ONCE
from tiny_nvs_ros.srn_data import SrnInstance, SrnSplit
from training.eval.contact_sheet import draw_contact_sheet
from training.eval.disturbances import Disturbance, DisturbedViews
from training.eval.methods import Protocol, imagine, model_poses
from training.eval.metrics import psnr, spread_skill, squared_error
from training.eval.scores import mean_scores
from training.progress import track

MAX_TURN = 1e-3  # largest difference of rotation matrices of the same view in two splits


class Robustness:
    """Scores of a model under disturbances, by title. farther: splits for Disturbance.farther."""

    def __init__(
        self,
        model: NovelViewModel,
        protocol: Protocol,
        disturbances: dict[str, Disturbance],
        farther: list[SrnSplit],
    ):
        self.model, self.protocol, self.disturbances = model, protocol, disturbances
        self.farther = [{one.name: one for one in split.instances} for split in farther]
        self.pictures: dict[str, list[np.ndarray]] = {}

    def evaluate(self, instances: list[SrnInstance]) -> dict[str, dict[str, float]]:
        """Return means over the views, then over the instances, by title of the disturbance.

        psnr: of the samples' mean; lost: dB below the first disturbance; copy_psnr: of the nearest
        source, disturbed too, as the answer. Raises ValueError if a farther split has other views.
        """
        for instance in instances:
            for number in range(1, len(self.farther) + 1):
                self._farther(instance, number)
        means = []
        for instance in track(instances, unit="instance"):
            means.append(
                {
                    title: self._scores(title, how, instance)
                    for title, how in self.disturbances.items()
                }
            )
        result = mean_scores(means)
        undisturbed = next(iter(result.values()))["psnr"]
        for numbers in result.values():
            variance, error = numbers.pop("variance"), numbers.pop("squared_error")
            numbers["lost"] = undisturbed - numbers["psnr"]
            numbers["spread_skill"] = spread_skill(variance, error)
        return result

    @torch.inference_mode()
    def _scores(self, title: str, how: Disturbance, instance: SrnInstance) -> dict[str, float]:
        """Return the means over an instance's targets."""
        size, entries = self.model.config.size, self.protocol.entries
        targets = self.protocol.targets(instance)
        if how.farther:
            instance = self._farther(instance, how.farther)
        seed = [self.protocol.seed, zlib.crc32(instance.name.encode())]
        views = DisturbedViews(instance, how, size, seed)
        poses = model_poses(self.model, views.poses)
        sources = [(views.source(i, self.protocol.alpha), poses[i]) for i in entries]
        parts, batch = [], max(1, MAX_VIEWS_AT_ONCE // self.protocol.samples)
        for some in np.split(targets, range(batch, len(targets), batch)):
            request = ViewRequest.create(
                self.model.config, sources, poses[some], heading_known=False
            )
            given = np.stack([source.image for source in request.sources])
            copied = (poses[some, :3, 2] @ poses[entries, :3, 2].T).argmax(axis=1)
            samples = imagine(
                self.model, request, self.protocol, instance.name, some, self.protocol.steps
            )
            truths = np.stack([views.truth(i) for i in some])
            # The first instance's view in the middle of its targets.
            if title not in self.pictures:
                k = len(some) // 2
                spread = np.repeat(1 - np.clip(3 * samples.std[k, ..., None], 0, 1), 3, axis=-1)
                self.pictures[title] = [*given, truths[k], samples.mean[k], spread]
            truths = truths / np.float32(255)
            scores = {
                "psnr": psnr(samples.mean, truths),
                "copy_psnr": psnr(given[copied] / np.float32(255), truths),
                "variance": (samples.std.astype(np.float64) ** 2).mean(axis=(1, 2)),
                "squared_error": squared_error(samples.mean, truths),
            }
            parts.append({title: scores})
        return mean_scores(parts)[title]

    def _farther(self, instance: SrnInstance, number: int) -> SrnInstance:
        """Return the same instance in a farther split; ValueError if its views are others."""
        instances = self.farther[number - 1]
        other = instances.get(instance.name)
        folder = next(iter(instances.values())).path.parent
        if other is None:
            raise ValueError(f"{folder}: does not hold {instance.name}")
        turns = other.poses[:, :3, :3], instance.poses[:, :3, :3]
        if len(turns[0]) != len(turns[1]) or np.abs(turns[0] - turns[1]).max() > MAX_TURN:
            raise ValueError(f"{other.path}: does not have the views of {instance.path}")
        return other

    def draw(self) -> np.ndarray:
        """Return a contact sheet of one view of the first instance, a row for each disturbance."""
        count = self.protocol.sources
        sources = ["source"] if count == 1 else [f"source {k + 1}" for k in range(count)]
        rows = [(textwrap.wrap(title, 18), images) for title, images in self.pictures.items()]
        return draw_contact_sheet([*sources, "truth", "mean", "spread"], rows)


def distance_of(split: SrnSplit, radius: float) -> float:
    """Return the median distance of a split's first instance's cameras, object radii."""
    positions = split.instances[0].poses[:, :3, 3]
    return float(np.median(np.linalg.norm(positions, axis=-1)) / radius)


def table(result: dict[str, dict[str, float]]) -> str:
    """Return the result as a Markdown table."""
    width = max(map(len, result))
    lines = [
        f"| {'disturbance':<{width}} | PSNR, dB | lost, dB | spread/skill | copy, dB |",
        f"| {'-' * width} | -------: | -------: | -----------: | -------: |",
    ]
    for title, numbers in result.items():
        psnr, lost, spread, copy = (
            numbers[name] for name in ("psnr", "lost", "spread_skill", "copy_psnr")
        )
        lines.append(
            f"| {title:<{width}} | {psnr:8.2f} | {lost:8.2f} | {spread:12.2f} | {copy:8.2f} |"
        )
    return "\n".join(lines)
