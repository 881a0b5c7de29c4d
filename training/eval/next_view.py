"""Measure policies of choosing the next view: error of imagined views after k sources."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tiny_nvs_ros.geometry import look_at
from tiny_nvs_ros.next_best_view import rank, ring
from tiny_nvs_ros.pipeline import PreparedSource, imagine, prepare
from tiny_nvs_ros.runtime import Renderer
from training.eval.contact_sheet import draw_contact_sheet
from training.eval.subjects import RADIUS, Subject, SubjectFile
from training.eval.true_shape import sphere
from training.progress import track

VIEWS = 5
PER_RING = 12  # candidates
DISTANCE = 5.0  # object radii, of the candidates
CHECKS = 24  # views all around, in which errors are measured
RANDOM_DRAWS = 3
PICTURE_ROWS = 6
TITLES = {
    "random": "random",
    "farthest": "farthest from the sources",
    "ring": "ring, equal steps of azimuth",
    "ours": "next_best_view.rank",
    "oracle": "oracle (greedy)",
}


@dataclass
class Search:
    """An object, its candidate cameras, and what a model makes of some of them as sources."""

    renderer: Renderer
    subject: Subject
    samples: int
    candidates: np.ndarray = field(init=False)
    images: list[PreparedSource] = field(init=False)
    errors: dict[tuple[int, ...], float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.candidates = ring(RADIUS, DISTANCE * RADIUS, PER_RING)
        self.images = [
            prepare(image, self.renderer.config.camera, RADIUS)
            for image in self.subject.source_images(self.candidates)
        ]
        self.checks = look_at(DISTANCE * RADIUS * sphere(CHECKS), np.zeros(3))
        self.truth = self.subject.true_views(self.checks).rgb[:, 0]

    def sources(self, chosen: list[int]) -> list[PreparedSource]:
        return [self.images[i] for i in sorted(chosen)]  # their order does not matter

    def mean_views(self, chosen: list[int]) -> np.ndarray:
        """Return the means of the imagined check views, (CHECKS, size, size, 3), 0 to 1."""
        views = imagine(
            self.renderer,
            self.sources(chosen),
            self.checks,
            samples=self.samples,
            seed=self.subject.number,
            object_radius=RADIUS,
        )
        return views.samples.mean

    def error(self, chosen: list[int]) -> float:
        """Return the root mean square error of the check views' colours, 0 to 1."""
        key = tuple(sorted(chosen))
        if key not in self.errors:
            difference = self.mean_views(chosen) - self.truth / np.float32(255)
            self.errors[key] = float(np.sqrt(np.square(difference).mean()))
        return self.errors[key]

    def left(self, chosen: list[int]) -> list[int]:
        return [i for i in range(len(self.candidates)) if i not in chosen]

    def best(self, chosen: list[int], score: Callable[[int], float]) -> int:
        return max(self.left(chosen), key=score)

    def angle(self, i: int, j: int) -> float:
        cosine = self.candidates[i, :3, 2] @ self.candidates[j, :3, 2]
        return float(np.arccos(np.clip(cosine, -1, 1)))

    def ours(self, chosen: list[int]) -> int:
        gains = rank(
            self.renderer,
            self.sources(chosen),
            self.candidates,
            object_radius=RADIUS,
            samples=max(self.samples, 2),
        )
        return self.best(chosen, lambda i: gains[i])

    def farthest(self, chosen: list[int]) -> int:
        return self.best(chosen, lambda i: min(self.angle(i, j) for j in chosen))

    def oracle(self, chosen: list[int]) -> int:
        return self.best(chosen, lambda i: -self.error([*chosen, i]))

    def ring(self, chosen: list[int]) -> int:
        start = chosen[0] // PER_RING * PER_RING
        step = round(PER_RING * len(chosen) / VIEWS)
        return start + (chosen[0] - start + step) % PER_RING

    def run(self, first: int, choose: Callable[[list[int]], int]) -> list[int]:
        """Return the VIEWS candidates that a policy takes, from the first one on."""
        chosen = [first]
        while len(chosen) < VIEWS:
            chosen.append(choose(chosen))
        return chosen

    def curve(self, chosen: list[int]) -> list[float]:
        """Return the errors after 1, 2 ... views."""
        return [self.error(chosen[:k]) for k in range(1, VIEWS + 1)]


def measure(renderer: Renderer, files: list[SubjectFile], samples: int) -> tuple[dict, np.ndarray]:
    """Return the report, and a contact sheet, H x W x 3 uint8."""
    curves: dict[str, list[list[float]]] = defaultdict(list)
    drawn = np.linspace(0, len(files) - 1, min(len(files), PICTURE_ROWS)).round().astype(int)
    rows = []
    for i, file in enumerate(track(files, unit="object")):
        search = Search(renderer, file.build(), samples)
        rng = search.subject.rng(2)
        first = int(rng.integers(len(search.candidates)))
        draws = [
            search.run(first, lambda chosen: int(rng.choice(search.left(chosen))))  # noqa: B023
            for _ in range(RANDOM_DRAWS)
        ]
        curves["random"].append(np.mean([search.curve(each) for each in draws], axis=0).tolist())
        for name in TITLES:
            if name != "random":
                chosen = search.run(first, getattr(search, name))
                curves[name].append(search.curve(chosen))
                if name == "ours" and i in drawn:
                    rows.append(picture_row(search, chosen))
    means = {name: np.mean(curves[name], axis=0) for name in TITLES}
    areas = {name: float(curve.mean()) for name, curve in means.items()}
    span = areas["random"] - areas["oracle"]
    table = [
        {
            "policy": name,
            "errors": means[name].tolist(),
            "area_to_random": areas[name] / areas["random"],
            "area_to_farthest": areas[name] / areas["farthest"],
            "share_of_oracle": (areas["random"] - areas[name]) / span if span else float("nan"),
        }
        for name in TITLES
    ]
    headings = ["truth"] + [f"{k} view{'s' * (k > 1)}" for k in range(1, VIEWS + 1)]
    return {"objects": len(files), "table": table}, draw_contact_sheet(headings, rows)


def picture_row(search: Search, chosen: list[int]) -> tuple[list[str], list[np.ndarray]]:
    """Return the check view that is worst from one source, as the sources become more."""
    means = [search.mean_views(chosen[:k]) for k in range(1, VIEWS + 1)]
    difference = means[0] - search.truth / np.float32(255)
    view = int(np.square(difference).mean(axis=(1, 2, 3)).argmax())
    name = search.subject.name.removesuffix(".glb")[:18]
    return [name], [search.truth[view], *(mean[view] for mean in means)]


def table(report: dict) -> str:
    """Return the report as a Markdown table."""
    numbers = " | ".join(f"{k}" for k in range(1, VIEWS + 1))
    lines = [
        f"| policy | error after {numbers} views | area / random's | area / farthest's "
        "| of the oracle's gain |",
        "| :--- |" + " ---: |" * (VIEWS + 3),
    ]
    for row in report["table"]:
        errors = " | ".join(f"{error:.4f}" for error in row["errors"])
        lines.append(
            f"| {TITLES[row['policy']]} | {errors} | {row['area_to_random']:.3f} "
            f"| {row['area_to_farthest']:.3f} | {100 * row['share_of_oracle']:.0f} % |"
        )
    return "\n".join(lines)
