"""Builds meshes from coloured parts (numpy only)."""

import numpy as np

from training.data.mesh import Mesh


class MeshBuilder:
    """Gathers coloured parts into one mesh. Colours are RGB in 0..1, lengths the caller's."""

    def __init__(self):
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def build(self) -> Mesh:
        """One mesh of all parts, with a colour for each face."""
        vertices, faces, colors = zip(*self.parts, strict=True)
        starts = np.cumsum([0, *map(len, vertices[:-1])])
        faces = np.concatenate([part + start for part, start in zip(faces, starts, strict=True)])
        rgb = np.round(255 * np.clip(np.concatenate(colors), 0, 1)).astype(np.uint8)
        return Mesh(np.concatenate(vertices), faces, rgb)

    def grid(self, points: np.ndarray, colors: np.ndarray) -> None:
        """A surface through a grid of points (S, R, 3); colors broadcast to (S - 1, R - 1, 3)."""
        rows, columns = points.shape[:2]
        i = np.arange(rows * columns).reshape(rows, columns)
        a, b, c, d = i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]
        faces = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], axis=2)
        colors = np.broadcast_to(colors, (rows - 1, columns - 1, 3))
        self.parts.append(
            (points.reshape(-1, 3), faces.reshape(-1, 3), colors.repeat(2, axis=1).reshape(-1, 3))
        )

    def box(self, centre, size, color, taper: float = 1.0, both: bool = False) -> None:
        """A box, its top `taper` times as large as its foot; `both`: also at -y."""
        corners = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) / 2.0
        corners[4:, :2] *= taper
        quads = np.array(
            [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
        )
        vertices = (corners * size)[quads].reshape(-1, 3) + centre
        faces = np.concatenate([[[4 * k, 4 * k + 1, 4 * k + 2], [4 * k, 4 * k + 2, 4 * k + 3]]
                                for k in range(6)])  # fmt: skip
        self.parts.append((vertices, faces, np.tile(color, (12, 1))))
        if both:
            self.box(np.asarray(centre) * [1, -1, 1], size, color, taper)

    def revolve(self, centre, axis: int, profile, colors, sectors: int = 18) -> None:
        """A body of revolution about x, y or z (axis 0, 1, 2).

        profile: (P, 2) radius and position along the axis; colors: (sectors, P - 1, 3) or less.
        """
        profile = np.asarray(profile, float)
        angle = np.linspace(0, 2 * np.pi, sectors + 1)[:, None]
        points = np.empty((sectors + 1, len(profile), 3))
        points[..., (axis + 1) % 3] = profile[:, 0] * np.cos(angle)
        points[..., (axis + 2) % 3] = profile[:, 0] * np.sin(angle)
        points[..., axis] = profile[:, 1]
        self.grid(points + centre, colors)

    def ellipsoid(self, centre, radii, color, lowest: float = -np.pi / 2) -> None:
        angle = np.linspace(lowest, np.pi / 2, 7)
        start = len(self.parts)
        self.revolve((0, 0, 0), 2, np.column_stack([np.cos(angle), np.sin(angle)]), color, 10)
        vertices, faces, colors = self.parts[start]
        self.parts[start] = (vertices * radii + centre, faces, colors)
