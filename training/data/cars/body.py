"""A procedural car's body: everything below the window sills.

It is lofted along x with arches over the wheels. Lamps, seams, bumpers and stripes are colours of
the loft's small faces.
"""

from types import SimpleNamespace

import numpy as np

from training.data.mesh_builder import MeshBuilder


class BodyBuilder(MeshBuilder):
    """Builds a body from its shape and palette; `rng` draws what is particular to it."""

    def __init__(self, shape: SimpleNamespace, palette: SimpleNamespace, rng: np.random.Generator):
        super().__init__()
        self.s, self.c, self.rng = shape, palette, rng

    def _top(self, x: np.ndarray) -> np.ndarray:
        """Height (...) of the body's upper edge at x: hood, sill, deck."""
        s = self.s
        half = s.length / 2
        rear = s.deck
        control = [
            (half, s.nose),
            (s.cowl, s.belt - 0.01),
            (min(s.roof_end, s.cowl - 0.3), s.belt + s.belt_rise),
            (s.tail, max(rear, s.belt * 0.9) if "fenders" not in s.extras else rear * 1.1),
            (-half, rear),
        ]
        if "bed" in s.extras:
            control[3:] = [(-half, s.belt + s.belt_rise * 0.5)]
        if "cargo" in s.extras:
            low = s.clearance + 0.35
            control[2:] = [(s.tail, s.belt), (s.tail - 0.01, low), (-half, low)]
        xs, zs = np.array(sorted(control)).T
        x = np.asarray(x, float)
        window = np.linspace(-0.5, 0.5, 9) * min(s.round, 0.6)
        if "cargo" in s.extras:
            window = np.zeros(1)
        return np.interp(x[..., None] + window, xs, zs).mean(axis=-1)

    def _half_width(self, x: np.ndarray, half_width: float) -> np.ndarray:
        s = self.s
        front = np.clip((x / (s.length / 2) - 0.5) / 0.5, 0, 1) ** 2
        rear = np.clip((-x / (s.length / 2) - 0.6) / 0.4, 0, 1) ** 2
        return half_width * (1 - s.taper_front * front - s.taper_rear * rear)

    def _bend(self, points: np.ndarray) -> np.ndarray:
        """Round the car's ends in plan, lean them, and let the bumpers stand out."""
        s = self.s
        x, y, z = np.moveaxis(points, -1, 0)
        end = np.clip(np.abs(x) / (s.length / 2), 0, 1) ** 6
        corner = s.corner * np.clip(np.abs(y) / (s.width / 2), 0, 1.1) ** 2.4
        lean = np.where(x > 0, s.lean_front, s.lean_rear) * np.clip(z / s.belt, 0, 1) ** 2
        chin = 0.12 * np.clip(1 - (z - s.clearance) / 0.2, 0, 1) ** 2
        low, high = s.bumper_z
        bumper = s.bumper * ((z > low) & (z < high))
        x = x - np.sign(x) * end * (corner + lean + chin - bumper)
        return np.stack([x, y, z], axis=-1)

    def _bottom(self, x: np.ndarray) -> np.ndarray:
        """Height (...) of the body's lower edge at x: sill, arches over the wheels."""
        s = self.s
        edge = np.full(np.shape(x), s.clearance)
        if "race" not in s.extras:
            for axle in s.axles:
                rise = np.sqrt(np.clip(s.arch**2 - (x - axle) ** 2, 0, None))
                edge = np.maximum(edge, np.where(rise > 0, s.wheel + rise, 0))
        half = s.length / 2
        ends = 0.1 * np.clip((np.abs(x) - half + 0.4) / 0.4, 0, 1) ** 2
        return np.maximum(edge, s.clearance + ends)

    def _body(self, half_width: float, hole: tuple[float, float, float] | None = None) -> None:
        """The lofted body with its ends. hole: x begin, x end and depth of an open box on top."""
        s = self.s
        if "bed" in s.extras and self.rng.random() < 0.85:
            hole = (-s.length / 2 + 0.08, s.tail - 0.06, self.rng.uniform(0.35, 0.5))
        if "open" in s.extras:
            hole = (s.tail, s.cowl - 0.35, self.rng.uniform(0.3, 0.42))
        x = np.linspace(s.length / 2, -s.length / 2, 66)
        steps = [s.tail, s.tail - 0.02] if "cargo" in s.extras else []
        if hole:
            steps += [hole[0] - 1e-3, hole[0] + 1e-3, hole[1] - 1e-3, hole[1] + 1e-3]
        x = np.sort(np.concatenate([x, steps]))[::-1]
        top, bottom, wide = self._top(x), self._bottom(x), self._half_width(x, half_width)
        top = np.maximum(top, bottom + 0.03)
        depth = np.zeros_like(x)
        if hole:
            depth[(x > hole[0]) & (x < hole[1])] = hole[2]
        sill = np.minimum(s.clearance + 0.14, top - 0.06)
        waist = s.clearance + 0.52 * (top - s.clearance)
        lip = np.clip(half_width - 0.09, 0.05, None) / half_width
        corner = [  # half a section from the bottom's middle to the top's: y / wide, z
            (0 * x, bottom),
            (0 * x + 0.9, bottom),
            (0 * x + 0.965, np.maximum(sill, bottom)),
            (0 * x + 1.0, np.maximum(waist, bottom)),
            (0 * x + 0.975, np.maximum(top - s.shoulder - 0.02, bottom)),
            (0 * x + 0.92, np.maximum(top - 0.008, bottom)),
            (0 * x + lip * 0.92, top),
            (0 * x + lip * 0.91, top - depth),
            (0 * x, top - depth + np.where(depth > 0, 0, s.crown)),
        ]
        pieces = (3, 2, 4, 4, 2, 1, 2, 6)
        region = np.repeat([0, 1, 1, 1, 1, 2, 3, 2], pieces)  # bottom, side, top, wall of the hole
        half = np.array([(y * wide, z) for y, z in corner])  # 9, 2, S
        ring = [half[:1]]
        for a, b, n in zip(half[:-1], half[1:], pieces, strict=True):
            t = np.arange(1, n + 1)[:, None, None] / n
            ring.append(a + t * (b - a))
        ring = np.concatenate(ring).transpose(2, 0, 1)  # S, R, 2
        arc = ring[:, -6:]  # the hood and deck are domed
        arc[..., 1] += (
            np.where(depth > 0, 0, s.crown)[:, None]
            * (1 - (arc[..., 0] / wide[:, None]) ** 2)
            * np.linspace(0.3, 0, 6)
        )
        left = np.concatenate([np.broadcast_to(x[:, None, None], (*ring.shape[:2], 1)), ring], -1)
        for side in (1, -1):
            points = left * [1, side, 1]
            centre = (points[:-1, :-1] + points[1:, 1:]) / 2
            colors = self._body_colors(
                centre, np.broadcast_to(region, centre.shape[:2]), half_width
            )
            if hole:
                inside = (centre[..., 0] > hole[0]) & (centre[..., 0] < hole[1]) & (region >= 2)
                inside &= np.abs(centre[..., 1]) < 0.92 * lip * half_width
                lining = self.c.dark if "bed" in s.extras or "race" in s.extras else self.c.seat
                colors[inside] = lining * 0.8
            self.grid(self._bend(points), colors)
        for station, end in ((0, "front"), (-1, "rear")):
            edge = left[station]
            across = np.linspace(1, -1, 19)
            points = edge[:, None] * np.stack([across * 0 + 1, across, across * 0 + 1], -1)
            centre = (points[:-1, :-1] + points[1:, 1:]) / 2
            self.grid(self._bend(points), self._end_colors(centre, end, half_width))

    def _body_colors(self, centre, region, half_width) -> np.ndarray:
        s, c = self.s, self.c
        x, y, z = np.moveaxis(centre, -1, 0)
        colors = np.tile(c.body, (*x.shape, 1))
        side, top, bottom = region == 1, region == 2, region == 0
        if s.two_tone_z is not None:
            colors[side & (z < s.two_tone_z)] = c.second
        if s.side_stripe is not None:
            colors[side & (np.abs(z - s.side_stripe[0]) < s.side_stripe[1])] = c.second
        if s.decal is not None:
            colors[side & (np.hypot(x - s.decal[0], z - s.belt * 0.62) < s.decal[1])] = c.second
        if s.stripe is not None:
            colors[top & (np.abs(np.abs(y) - s.stripe[0]) < s.stripe[1])] = c.second
        if "race" not in s.extras:
            for seam in self._seams():
                colors[side & (np.abs(x - seam) < 0.032) & (z > s.clearance + 0.12)] *= 0.55
            for axle in s.axles:
                reach = np.hypot(x - axle, z - s.wheel)
                if s.clad:
                    colors[side & (reach < s.arch + 0.09)] = c.dark
                else:
                    colors[side & (reach < s.arch + 0.05)] *= 0.8
            if s.clad:
                colors[side & (z < s.clad_z)] = c.dark
        low, high = s.bumper_z
        near_end = np.abs(x) > s.length / 2 - 0.3
        colors[side & near_end & (z > low) & (z < high)] = s.bumper_color
        head = np.abs(z - s.head_z) < s.head_h
        colors[side & (x > s.length / 2 - s.head_wrap) & head] = c.head
        lamp = np.abs(z - s.tail_z) < s.tail_h
        colors[side & (x < -s.length / 2 + s.tail_wrap) & lamp] = c.lamp
        colors[bottom] = c.under
        if "race" not in s.extras:
            for axle in s.axles:
                colors[bottom & (np.abs(x - axle) < s.arch)] = 0.06
        return colors

    def _seams(self) -> list[float]:
        s = self.s
        if "cargo" in s.extras:
            return [s.seam_front]
        return [s.seam_front, *[0.5 * (a + b) for a, b in self._pillars()[:2]]]

    def _pillars(self) -> list[tuple[float, float]]:
        """x begin and end of the pillars behind each of the side windows but the last."""
        s = self.s
        begin, end = s.roof_begin + 0.1, self._window_end()
        posts = np.linspace(begin, end, s.windows + 1)[1:-1]
        return [(x - 0.045, x + 0.045) for x in posts]

    def _window_end(self) -> float:
        s = self.s
        return s.roof_end + 0.35 * (s.tail - s.roof_end) + 0.08

    def _end_colors(self, centre, end: str, half_width) -> np.ndarray:
        s, c = self.s, self.c
        y, z = np.abs(centre[..., 1]) / half_width, centre[..., 2]
        colors = np.tile(c.body, (*y.shape, 1))
        if s.two_tone_z is not None:
            colors[z < s.two_tone_z] = c.second
        if s.clad:
            colors[z < s.clad_z] = c.dark
        low, high = s.bumper_z
        if end == "front":
            colors[(np.abs(z - s.grille_z) < s.grille_h) & (y < s.grille_y)] = s.grille_color
            colors[(z > low) & (z < high) & (y < 1.1)] = s.bumper_color
            colors[(np.abs(z - low) < 0.06) & (y < 0.6)] = c.dark
            place = 0.86 - s.head_y / 2
            if s.head_round:
                reach = np.hypot((y - place) * half_width, z - s.head_z)
                colors[reach < max(s.head_h, 0.09)] = c.head
            else:
                colors[(np.abs(z - s.head_z) < s.head_h) & (y > 0.92 - s.head_y)] = c.head
        else:
            colors[(z > low) & (z < high)] = s.bumper_color
            bar = s.tail_bar & (np.abs(z - s.tail_z) < s.tail_h / 2)
            colors[bar | ((np.abs(z - s.tail_z) < s.tail_h) & (y > 0.93 - s.tail_y))] = c.lamp
        plate = high + 0.1 if end == "rear" else (low + high) / 2
        colors[(np.abs(z - plate) < 0.06) & (y < 0.28 / half_width)] = s.plate_color
        return colors

    def _chassis(self) -> None:
        """Add what shows from below: the floor between the wheels, axles, tank, exhaust."""
        s, c, rng = self.s, self.c, self.rng
        inner = 2 * (s.width / 2 - s.tread - 0.06)
        low, high = s.clearance + 0.02, s.wheel * 1.7
        self.box((0, 0, (low + high) / 2), (s.length * 0.86, inner, high - low), c.under)
        for x in s.axles:
            self.box((x, 0, s.wheel), (0.09, s.width - s.tread, 0.09), c.under * 0.5)
        front, rear = s.axles
        self.box((front, 0, low), (rng.uniform(0.5, 0.8), inner * 0.6, 0.1), c.under * 0.55)
        y = rng.choice([-1, 1]) * inner * rng.uniform(0.1, 0.3)
        pipe = (front - rear) * 0.6 + s.rear + s.wheel
        x = (front + rear) / 2 - 0.1 * s.length
        self.box((x - 0.05 * s.length, y, low), (pipe, 0.08, 0.06), c.chrome * 0.6)
        self.box((rear - s.wheel * 0.9, y, low), (0.5, 0.25, 0.12), c.chrome * 0.5)
        self.box((rear + s.wheel + 0.3, -y, low), (0.6, inner * 0.4, 0.08), c.under * 0.7)
