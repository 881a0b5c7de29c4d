"""Evaluation under the disturbances of a robot."""

import textwrap
import zlib
from pathlib import Path

import numpy as np
import torch

from tiny_nvs_ros.geometry import SRN_CAMERA
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


class Farther:
    """Splits with the same views as some instances from farther away, for Disturbance.farther.

    distances: of their cameras, object radii. Raises ValueError if a split has other views.
    """

    def __init__(self, instances: list[SrnInstance], paths: list[Path]):
        splits = [SrnSplit(path, keep_distance=True) for path in paths]
        self._instances = [{one.name: one for one in split.instances} for split in splits]
        for path, others in zip(paths, self._instances, strict=True):
            for instance in instances:
                if instance.name not in others:
                    raise ValueError(f"{path}: does not hold {instance.name}")
                turns = [each.poses[:, :3, :3] for each in (others[instance.name], instance)]
                same = len(turns[0]) == len(turns[1])
                if not same or np.abs(turns[0] - turns[1]).max() > MAX_TURN:
                    raise ValueError(
                        f"{path / instance.name}: does not have the views of {instance.path}"
                    )
        positions = [split.instances[0].poses[:, :3, 3] for split in splits]
        self.distances = [
            float(np.median(np.linalg.norm(each, axis=-1)) / SRN_CAMERA.radius)
            for each in positions
        ]

    def instance(self, name: str, number: int) -> SrnInstance:
        """Return an instance of a split; number: from 1."""
        return self._instances[number - 1][name]


class Robustness:
    """Scores of a model under disturbances, by title."""

    def __init__(
        self,
        model: NovelViewModel,
        protocol: Protocol,
        disturbances: dict[str, Disturbance],
        farther: Farther,
    ):
        self.model, self.protocol = model, protocol
        self.disturbances, self.farther = disturbances, farther
        self.pictures: dict[str, list[np.ndarray]] = {}

    def evaluate(self, instances: list[SrnInstance]) -> dict[str, dict[str, float]]:
        """Return means over the views, then over the instances, by title of the disturbance.

        psnr: of the samples' mean; lost: dB below the first disturbance; copy_psnr: of the nearest
        source, disturbed too, as the answer.
        """
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
            instance = self.farther.instance(instance.name, how.farther)
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

    def draw(self) -> np.ndarray:
        """Return a contact sheet of one view of the first instance, a row for each disturbance."""
        count = self.protocol.sources
        sources = ["source"] if count == 1 else [f"source {k + 1}" for k in range(count)]
        rows = [(textwrap.wrap(title, 18), images) for title, images in self.pictures.items()]
        return draw_contact_sheet([*sources, "truth", "mean", "spread"], rows)


def table(cases: list[dict]) -> str:
    """Return the results as a Markdown table: PSNR and dB lost, spread/skill, of each case.

    cases: weights, sources, and disturbances as Robustness.evaluate returns them.
    """
    heads = ["disturbance"]
    for case in cases:
        name, sources = Path(case["weights"]).name, case["sources"]
        heads += [f"{name}, {sources}: PSNR, dB", "lost, dB", "spread/skill"]
    heads += ["copy, dB"]
    rows = []
    for title, first in cases[0]["disturbances"].items():
        row = [title]
        for case in cases:
            numbers = case["disturbances"][title]
            row += [f"{numbers[name]:.2f}" for name in ("psnr", "lost", "spread_skill")]
        rows.append([*row, f"{first['copy_psnr']:.2f}"])
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells: list[str]) -> str:
        first, *others = (f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
        return f"| {' | '.join([cells[0].ljust(len(first)), *others])} |"

    return "\n".join(map(line, [heads, rule, *rows]))
