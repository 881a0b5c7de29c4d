"""A procedural car's greenhouse: windows and roof, or an open car's windscreen and seats."""

import numpy as np

from training.data.cars.body import BodyBuilder


class GreenhouseBuilder(BodyBuilder):
    """Builds what stands on the body, lofted from the windscreen to the tail."""

    def _greenhouse(self) -> None:
        s, c = self.s, self.c
        roof = s.height - s.crown
        control = np.array([
            (s.cowl, s.belt - 0.03),
            (s.roof_begin, roof - 0.025),
            (0.6 * s.roof_begin + 0.4 * s.roof_end, roof),
            (s.roof_end, roof - s.drop),
            (s.tail, self._top(np.array(s.tail)) - 0.03),
        ])  # fmt: skip
        x, z = _smooth_path(control, 40, s.round)
        foot = np.minimum(self._top(x) - 0.02, z - 0.004)
        height = z - foot
        wide = self._half_width(x, s.width / 2) * s.inset
        plan = np.clip((s.roof_begin - x) / (s.roof_begin - s.tail), 0, 1) ** 2
        wide = wide - 0.1 * plan * s.tumblehome * s.width
        upper = wide - s.tumblehome * height
        bevel = np.minimum(0.1, 0.3 * height)
        u = np.linspace(0, 1, 9)[:, None]
        sides = np.stack([wide + u * (upper - wide), foot + u * (height - bevel)])
        t = np.linspace(0, 1, 8)[1:, None]
        rim = upper - 0.5 * bevel
        dome = s.crown * np.clip(height / 0.3, 0, 1)
        top = np.stack([rim * (1 - t), z + dome * (1 - (1 - t) ** 2)])
        ring = np.concatenate([sides, top], axis=1).transpose(2, 1, 0)  # S, R, 2
        left = np.concatenate([np.broadcast_to(x[:, None, None], (*ring.shape[:2], 1)), ring], -1)
        bow = 0.12 * np.clip(1 - 2 * plan, 0, 1) - 0.05 * np.clip(2 * plan - 1, 0, 1)
        sunroof = self.rng.random() < 0.15
        blank = "panels" in s.extras and self.rng.random() < 0.5
        for side in (1, -1):
            points = left * [1, side, 1]
            centre = (points[:-1, :-1] + points[1:, 1:]) / 2
            cx, cy, cz = np.moveaxis(centre, -1, 0)
            colors = np.tile(c.body, (*cx.shape, 1))
            flank = np.arange(cx.shape[1])[None, :] < 8
            crest = ((z[1:] + z[:-1]) / 2)[:, None]
            base = ((foot[1:] + foot[:-1]) / 2)[:, None]
            reach = ((rim[1:] + rim[:-1]) / 2)[:, None]
            colors[~flank.repeat(len(cx), 0) | (crest - cz < 0.08)] = c.roof
            glass = flank & (cz > base + 0.05) & (crest - cz > 0.1) & (cx > self._window_end())
            for begin, end in self._pillars():
                glass &= (cx < begin) | (cx > end)
            if blank and s.windows > 1:
                glass &= cx > self._pillars()[0][0]
            colors[glass] = c.glass
            across = ~flank & (np.abs(cy) < reach - 0.05)
            tilt_front = cx > s.roof_begin + 0.02
            tilt_rear = (cx < s.roof_end - 0.01) & (cz > self._rear_sill())
            colors[across & tilt_front & (crest > base + 0.06)] = c.glass
            if not (blank and self.rng.random() < 0.5):
                colors[across & tilt_rear & (crest > base + 0.06)] = c.glass
            if sunroof:
                middle = 0.65 * s.roof_begin + 0.35 * s.roof_end
                opening = (np.abs(cx - middle) < 0.35) & (np.abs(cy) < 0.4)
                colors[~flank & opening] = c.glass
            if s.stripe is not None:
                painted = ~flank & (cx < s.roof_begin) & (cx > s.roof_end)
                colors[painted & (np.abs(np.abs(cy) - s.stripe[0]) < s.stripe[1])] = c.second
            points = points - np.stack(
                [bow[:, None] * (points[..., 1] / (s.width / 2)) ** 2, 0 * points[..., 1],
                 0 * points[..., 1]], axis=-1)  # fmt: skip
            self.grid(self._bend(points), colors)

    def _rear_sill(self) -> float:
        return self.s.belt + 0.04

    def _cockpit(self) -> None:
        """Windscreen, seats and perhaps the folded roof of an open car."""
        s, c, rng = self.s, self.c, self.rng
        self._windscreen(s.width / 2 * s.inset)
        floor = s.belt - 0.35
        rows = [s.cowl - 0.95]
        if rows[0] - 0.8 > s.tail + 0.2:
            rows.append(rows[0] - 0.8)
        for x in rows:
            for y in (-0.36, 0.36):
                self.box((x, y * s.width / 1.8, floor + 0.1), (0.5, 0.5, 0.2), c.seat)
                top = s.belt + rng.uniform(0.02, 0.1)
                self.box(
                    (x - 0.25, y * s.width / 1.8, (top + floor) / 2 + 0.05),
                    (0.16, 0.48, top - floor + 0.1), c.seat, 0.8,
                )  # fmt: skip
        self.box((s.cowl - 0.42, 0, s.belt - 0.1), (0.25, s.width * 0.8, 0.16), c.dark)
        if rng.random() < 0.6:
            color = (c.dark, c.second, c.seat)[rng.integers(3)]
            z = float(self._top(np.array(s.tail)))
            self.box((s.tail - 0.05, 0, z + 0.05), (0.4, s.width * 0.74, 0.14), color, 0.8)
        elif rng.random() < 0.4:
            self.box(
                (s.tail + 0.1, 0, s.belt + 0.15), (0.06, 0.4, 0.35), c.chrome, 0.85, both=False
            )

    def _windscreen(self, half_width: float) -> None:
        s, c = self.s, self.c
        u, v = np.meshgrid(np.linspace(0, 1, 8), np.linspace(-1, 1, 13), indexing="ij")
        rise = s.height - s.belt
        y = v * (half_width - s.tumblehome * rise * u)
        x = s.cowl - u * (s.rake * s.length) - 0.15 * v**2 - 0.02
        points = np.stack([x, y, s.belt - 0.02 + u * rise], -1)
        frame = (u[:-1, :-1] > 0.8) | (np.abs(v[:-1, :-1] + 1 / 12) > 0.9)
        color = np.where(frame[..., None], c.body, c.glass * 1.5 + 0.1)
        self.grid(points, color)
        self.grid(points - [0.03, 0, 0], color)


def _smooth_path(control: np.ndarray, count: int, radius: float) -> np.ndarray:
    """Points (2, count), evenly along the polyline (P, 2), its corners rounded over `radius`."""
    steps = np.linalg.norm(np.diff(control, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], count)
    # The window shrinks towards the ends, so that the path keeps them.
    reach = np.minimum(radius, 2 * np.minimum(at, along[-1] - at))
    window = at[:, None] + np.linspace(-0.5, 0.5, 11) * reach[:, None]
    return np.stack([np.interp(window, along, control[:, k]).mean(axis=1) for k in (0, 1)])
