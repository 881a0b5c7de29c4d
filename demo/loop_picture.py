"""Draws what demo/loop.py did: the looks, what was imagined after each, and the errors."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from sheet import Sheet
from simulated_robot import azimuth

from tiny_nvs_ros.geometry import eye_at, inverse, look_at
from tiny_nvs_ros.image import on_white
from tiny_nvs_ros.node.camera_simulator import scaled
from tiny_nvs_ros.simulation.objects import SimulatedObject

TILE, GAP = 136, 12  # pixels
SHOWN = 4  # looks
LEFT = 104  # pixels: room for the names of the rows
BLOCK = SHOWN * (TILE + GAP) - GAP
ROWS = ("camera", "image", "imagined", "points")
TOP = 84  # pixels: room for the titles
CHART = 190  # pixels: height
TITLES = {"best": "the best pose of ~/rank_views", "random": "a random pose"}
COLORS = {"best": (222, 98, 20), "random": (70, 110, 180)}
PALE, GREY, INK = (214, 214, 218), (150, 150, 155), (60, 60, 60)
FINE = 3  # maps and points are drawn this many times larger, and averaged
FOCAL = 1.5  # image widths: of the camera that shows the points, DISTANCE object radii away
DISTANCE = 4.0
POINT_RADIUS = 0.035  # object radii


@dataclass(frozen=True)
class Look:
    """The state of knowledge after one image was taken (a look). Poses: T_object_camera, metres.

    pose, photo: the camera and its image. views: cameras of the imagined views, (N, 4, 4);
    imagined, truth: (N, H, W, 3) uint8. points: (M, 3), metres; colors: (M, 3) uint8. error: root
    mean squared error of the imagined views, uncertainty: what the node tells; both in [0, 1].
    """

    pose: np.ndarray
    photo: np.ndarray
    views: np.ndarray
    imagined: np.ndarray
    truth: np.ndarray
    points: np.ndarray
    colors: np.ndarray
    error: float
    uncertainty: float


def draw(
    runs: dict[str, list[list[Look]]],
    subject: SimulatedObject,
    radius: float,
    reachable: Callable[[np.ndarray], bool],
) -> np.ndarray:
    """Return a picture, H x W x 3 uint8: the policies, the truth, and the errors below.

    runs: the looks of each run, by policy; the first run is drawn. subject: the true object;
    radius: its, metres. reachable: tells whether the arm reaches a T_object_camera.
    """
    first = runs["best"][0][0]
    # From the far side, which the first look does not show.
    behind = look_at(eye_at(azimuth(first.pose) + 2.4, 0.5, DISTANCE * radius), np.zeros(3))
    lefts = {name: LEFT + i * (BLOCK + 4 * GAP) for i, name in enumerate(runs)}
    truth = LEFT + len(runs) * (BLOCK + 4 * GAP)
    chart = row_top(len(ROWS)) + 56
    sheet = Sheet(truth + TILE + 2 * GAP, chart + CHART + 64)
    for row, name in enumerate(ROWS):
        sheet.text(name, 2 * GAP, row_top(row) + TILE // 2 + 4)
    for name, left in lefts.items():
        sheet.text(f"next from {TITLES[name]}", left, 30, 0.65, 30, centre=BLOCK)
        cv2.rectangle(sheet.pixels, (left, 42), (left + BLOCK - 1, 45), COLORS[name], -1)
        looks = runs[name][0][:SHOWN]
        for i, look in enumerate(looks):
            x = left + i * (TILE + GAP)
            sheet.text(f"look {i + 1}", x, TOP - 14, centre=TILE)
            poses = [each.pose for each in looks[: i + 1]]
            paste(sheet, draw_map(poses, COLORS[name], reachable), x, row_top(0))
            paste(sheet, look.photo, x, row_top(1))
            draw_views(sheet, look.imagined, x, row_top(2))
            paste(sheet, draw_points(look, behind, radius), x, row_top(3))
            sheet.text(f"error {look.error:.3f}", x, row_top(4) + 8, 0.45, centre=TILE)
    sheet.text("true", truth, TOP - 14, centre=TILE)
    draw_views(sheet, first.truth, truth, row_top(2))
    true_size = TILE * FINE
    photo = subject.render(scaled(behind, 1 / radius), FOCAL * true_size, true_size)
    paste(sheet, on_white(photo), truth, row_top(3))
    left, right = lefts.values()
    draw_chart(sheet, "error of the imagined views (RMSE)", "error", runs, left, chart)
    draw_chart(sheet, "uncertainty by ~/rank_views", "uncertainty", runs, right, chart)
    return sheet.pixels


def row_top(row: int) -> int:
    return TOP + row * (TILE + GAP)


def paste(sheet: Sheet, image: np.ndarray, left: int, top: int) -> None:
    """Draw an image smoothly, TILE pixels wide, in a frame."""
    small = cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_AREA)
    sheet.pixels[top : top + TILE, left : left + TILE] = small
    cv2.rectangle(sheet.pixels, (left, top), (left + TILE - 1, top + TILE - 1), PALE)


def draw_views(sheet: Sheet, views: np.ndarray, left: int, top: int) -> None:
    """Draw four views from all sides, (N, H, W, 3), as four small tiles."""
    small = 64
    for i, view in enumerate(views[:: max(len(views) // 4, 1)][:4]):
        row, column = divmod(i, 2)
        step = TILE - small
        sheet.image(view, left + column * step, top + row * step, small)


def draw_map(
    poses: list[np.ndarray], color: tuple[int, int, int], reachable: Callable[[np.ndarray], bool]
) -> np.ndarray:
    """Return a map of the cameras from above: looked from (numbered), and out of reach (pale)."""
    size = TILE * FINE
    image = np.full((size, size, 3), 255, np.uint8)
    distance = np.linalg.norm(poses[0][:3, 3])
    scale = 0.4 * size / distance

    def place(position: np.ndarray) -> tuple[int, int]:
        return int(size / 2 + scale * position[0]), int(size / 2 - scale * position[1])

    for angle in np.radians(np.arange(0, 360, 6)):
        eye = eye_at(angle, np.radians(10), distance)
        inside = reachable(look_at(eye, np.zeros(3)))
        cv2.circle(image, place(eye), 2 * FINE if inside else FINE, PALE, -1, cv2.LINE_AA)
    cv2.circle(image, place(np.zeros(3)), int(scale * distance / 4), PALE, -1, cv2.LINE_AA)
    for i, pose in enumerate(poses):
        newest = i == len(poses) - 1
        at = place(pose[:3, 3])
        if newest:
            cv2.line(image, at, place(0.28 * pose[:3, 3]), color, FINE, cv2.LINE_AA)
        cv2.circle(image, at, 9 * FINE, color if newest else GREY, -1, cv2.LINE_AA)
        font = cv2.FONT_HERSHEY_DUPLEX
        (width, height), _ = cv2.getTextSize(str(i + 1), font, 0.42 * FINE, FINE)
        corner = at[0] - width // 2, at[1] + height // 2
        cv2.putText(
            image, str(i + 1), corner, font, 0.42 * FINE, (255, 255, 255), FINE, cv2.LINE_AA
        )
    return image


def draw_points(look: Look, T_object_camera: np.ndarray, radius: float) -> np.ndarray:
    """Return the points as discs, the farthest first; radius: of the object, metres."""
    size = TILE * FINE
    image = np.full((size, size, 3), 255, np.uint8)
    T_camera_object = inverse(T_object_camera)
    points = look.points @ T_camera_object[:3, :3].T + T_camera_object[:3, 3]
    focal = FOCAL * size
    for index in np.argsort(-points[:, 2]):
        x, y, z = points[index]
        at = round(focal * x / z + size / 2), round(focal * y / z + size / 2)
        disc = round(focal * POINT_RADIUS * radius / z)
        cv2.circle(image, at, disc, look.colors[index].tolist(), -1)
    return image


def draw_chart(
    sheet: Sheet, title: str, field: str, runs: dict[str, list[list[Look]]], left: int, top: int
) -> None:
    """Draw a field of the looks over their number, one line for each run."""
    curves = {
        name: [[getattr(look, field) for look in looks] for looks in of_policy]
        for name, of_policy in runs.items()
    }
    values = [value for each in curves.values() for curve in each for value in curve]
    longest = max(len(curve) for each in curves.values() for curve in each)
    ceiling = 0.02 * np.ceil(max(values) / 0.02)
    width = BLOCK
    sheet.text(title, left, top - 14, 0.5)

    def place(look: int, value: float) -> tuple[int, int]:
        x = left + 40 + (width - 60) * look / max(longest - 1, 1)
        return int(x), int(top + CHART * (1 - value / ceiling))

    for tick in np.arange(0, ceiling + 1e-9, 0.02):
        cv2.line(sheet.pixels, place(0, tick), (left + width, place(0, tick)[1]), PALE)
        sheet.text(f"{tick:.2f}", left - 6, place(0, tick)[1] + 4, 0.4, 130)
    for look in range(longest):
        sheet.text(str(look + 1), place(look, 0)[0] - 4, top + CHART + 20, 0.42, 130)
    sheet.text("looks; pale: more random runs", left + 40, top + CHART + 40, 0.42, 130)
    for name in reversed(curves):
        for i, curve in enumerate(curves[name]):
            line = np.array([place(*each) for each in enumerate(curve)])
            drawn = i == 0  # above
            color = COLORS[name] if drawn else tuple((2 * 255 + c) // 3 for c in COLORS[name])
            cv2.polylines(sheet.pixels, [line], False, color, 2, cv2.LINE_AA)
            for point in line:
                cv2.circle(sheet.pixels, point.tolist(), 4 if drawn else 3, color, -1, cv2.LINE_AA)
