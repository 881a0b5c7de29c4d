"""The mesh of a procedural car from its shape and its colours.

Metres, the front towards +x, the left towards +y, z up from the ground at 0: a body lofted along x
with arches over the wheels, a greenhouse (windows and roof) lofted from the windscreen to the tail,
wheels and trim. Small things (lamps, seams, stripes) are colours of the loft's small faces.
"""

from types import SimpleNamespace

import numpy as np

from training.data.cars.paint import draw_paint, hsv
from training.data.mesh import Mesh
from training.data.mesh_builder import MeshBuilder


class CarBuilder(MeshBuilder):
    """Builds one car from its shape and palette; `rng` draws what is particular to it."""

    def __init__(self, shape: SimpleNamespace, palette: SimpleNamespace, rng: np.random.Generator):
        super().__init__()
        self.s, self.c, self.rng = shape, palette, rng

    def mesh(self) -> Mesh:
        s = self.s
        self._choose_trim()
        if "race" in s.extras:
            self._formula()
        else:
            self._body(s.width / 2)
            self._chassis()
            if "open" in s.extras:
                self._cockpit()
            else:
                self._greenhouse()
            if "cargo" in s.extras:
                self._cargo()
            if "fenders" in s.extras:
                self._fenders()
            self._trim()
            outside = s.width / 2 + (0.1 if "fenders" in s.extras else -0.02)
            for x in s.axles:
                self._wheel_pair(x, outside, s.wheel, s.tread)
        return self.build()

    def _choose_trim(self) -> None:
        s, rng = self.s, self.rng
        # Lamps: centre and half extent, in height and (as fractions of the half width) in y.
        s.head_z = s.clearance + (s.nose - s.clearance) * rng.uniform(0.6, 0.85)
        s.head_h, s.head_y = rng.uniform(0.05, 0.11), rng.uniform(0.12, 0.26)
        s.head_round = rng.random() < 0.3
        s.head_wrap = rng.uniform(0.03, 0.35)
        top = s.deck if "cargo" not in s.extras else s.belt * 0.7
        s.tail_z = s.clearance + (top - s.clearance) * rng.uniform(0.62, 0.85)
        s.tail_h, s.tail_y = rng.uniform(0.04, 0.18), rng.uniform(0.06, 0.3)
        s.tail_wrap = rng.uniform(0.03, 0.2)
        s.tail_bar = rng.random() < 0.12
        s.grille_z = s.clearance + (s.nose - s.clearance) * rng.uniform(0.35, 0.75)
        s.grille_h, s.grille_y = rng.uniform(0.04, 0.17), rng.uniform(0.2, 0.62)
        s.grille_color = self.c.chrome if rng.random() < 0.3 else self.c.dark
        s.bumper_color = (self.c.body, self.c.body, self.c.dark, self.c.chrome)[rng.integers(4)]
        s.bumper_z = (s.clearance + 0.06, s.clearance + rng.uniform(0.2, 0.34))
        s.plate_color = (np.full(3, 0.92), np.array([0.93, 0.8, 0.2]))[int(rng.random() < 0.3)]
        s.clad_z = s.clearance + rng.uniform(0.1, 0.22)
        s.seam_front = s.axles[0] - s.arch - rng.uniform(0.02, 0.12)
        s.two_tone_z = s.belt * rng.uniform(0.6, 0.8) if rng.random() < 0.1 else None
        s.stripe = None  # centre offset and half width over the top, metres
        if rng.random() < (0.3 if "stripes" in s.extras else 0.03):
            s.stripe = (rng.choice([0.0, 0.18, 0.25]), rng.uniform(0.07, 0.16))
        s.side_stripe = None
        if rng.random() < 0.1:
            z = s.clearance + (s.belt - s.clearance) * rng.uniform(0.35, 0.75)
            s.side_stripe = (z, rng.uniform(0.04, 0.12))
        s.decal = None
        if rng.random() < 0.12:
            s.decal = (rng.uniform(-0.15, 0.15) * s.length, rng.uniform(0.12, 0.28))

    # --- the body: everything below the window sills ---

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
        """What shows from below: the floor between the wheels, axles, tank, exhaust."""
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

    # --- the greenhouse: windows and roof ---

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

    # --- what stands on some of them ---

    def _cargo(self) -> None:
        """A box, a tank, a tipper or a flat bed behind the cab."""
        s, c, rng = self.s, self.c, self.rng
        begin, end, floor = s.tail - rng.uniform(0.08, 0.25), -s.length / 2, s.clearance + 0.36
        length, middle = begin - end, (begin + end) / 2
        kind = rng.choice(["box", "box", "tank", "tipper", "flat"])
        color = np.full(3, 0.9) if rng.random() < 0.3 else draw_paint(rng)
        if kind == "box":
            high = rng.uniform(0.9, 1.35) * s.height - floor
            self.box((middle, 0, floor + high / 2), (length, s.width * 1.04, high), color)
            if rng.random() < 0.6:
                size = (
                    length * rng.uniform(0.3, 0.8),
                    s.width * 1.05,
                    high * rng.uniform(0.1, 0.4),
                )
                self.box((middle, 0, floor + high * rng.uniform(0.35, 0.65)), size, c.second)
        elif kind == "tank":
            radius = min(s.width / 2, (s.height - floor) / 2 * 1.05)
            half = length / 2
            profile = [(0, -half), (0.8 * radius, -half), (radius, -half + 0.15),
                       (radius, half - 0.15), (0.8 * radius, half), (0, half)]  # fmt: skip
            self.revolve((middle, 0, floor + radius), 0, profile, color, 24)
        else:
            wall = rng.uniform(0.45, 1.0) if kind == "tipper" else rng.uniform(0.0, 0.3)
            self.box((middle, 0, floor + 0.05), (length, s.width * 1.03, 0.1), c.dark)
            y = s.width * 0.5
            self.box((middle, y, floor + wall / 2), (length, 0.07, wall), color, both=True)
            for x in (begin, end):
                self.box((x, 0, floor + wall / 2), (0.07, 2 * y, wall), color)
            if rng.random() < 0.6:
                load = hsv(rng.uniform(0.05, 0.15), rng.uniform(0.2, 0.7), rng.uniform(0.2, 0.7))
                size = (length * 0.9, s.width * 0.9, wall * rng.uniform(0.6, 1.3) + 0.1)
                self.box((middle, 0, floor + size[2] / 2), size, load, rng.uniform(0.5, 1.0))

    def _fenders(self) -> None:
        s, c = self.s, self.c
        for x in s.axles:
            for y in (-1, 1):
                centre = (x, y * (s.width / 2 - 0.05), s.wheel)
                self.ellipsoid(centre, (s.arch * 1.4, 0.22, s.arch * 1.15), c.body, 0.0)

    def _trim(self) -> None:
        s, c, rng = self.s, self.c, self.rng
        mirror = c.body if rng.random() < 0.6 else c.dark
        x = s.cowl - 0.5 * (s.cowl - s.roof_begin) - 0.1
        for y in (-1, 1):
            centre = (x, y * (s.width / 2 + 0.06), s.belt + 0.07)
            self.ellipsoid(centre, (0.07, 0.11, 0.09), mirror)
        roof = s.height - 0.02
        top_width = s.width * s.inset - 2 * s.tumblehome * (s.height - s.belt)
        middle, length = (s.roof_begin + s.roof_end) / 2, s.roof_begin - s.roof_end
        if s.rails:
            color = c.chrome if rng.random() < 0.5 else c.dark
            self.box(
                (middle, top_width / 2 - 0.06, roof + 0.03), (length * 0.85, 0.05, 0.07), color,
                both=True,
            )  # fmt: skip
            if rng.random() < 0.25:
                for x in (middle - 0.25 * length, middle + 0.25 * length):
                    self.box((x, 0, roof + 0.06), (0.06, top_width, 0.04), color)
            if rng.random() < 0.15:
                size = (length * 0.6, top_width * rng.uniform(0.4, 0.8), rng.uniform(0.15, 0.3))
                self.box((middle, 0, roof + 0.06 + size[2] / 2), size, c.second * 0.8, 0.85)
        if s.spoiler:
            self._spoiler(top_width)
        if "open" not in s.extras and "cargo" not in s.extras and rng.random() < 0.05:
            if rng.random() < 0.5:  # a taxi's sign or a police car's lights
                self.box((middle, 0, roof + 0.1), (0.16, 0.5, 0.16), (0.95, 0.85, 0.3), 0.8)
            else:
                self.box((middle, 0.28, roof + 0.08), (0.25, 0.5, 0.13), (0.9, 0.1, 0.1))
                self.box((middle, -0.28, roof + 0.08), (0.25, 0.5, 0.13), (0.1, 0.2, 0.9))
        if "spare" in s.extras and rng.random() < 0.7:
            r = s.wheel * 0.95
            profile = [(0, -0.1), (r * 0.9, -0.1), (r, -0.05), (r, 0.1)]
            centre = (-s.length / 2 - 0.08, rng.choice([0, 0.2]), s.belt * 0.9)
            cover = c.body if rng.random() < 0.4 else c.tyre
            self.revolve(centre, 0, profile, cover)
        if "bed" in s.extras and rng.random() < 0.25:
            z, x = s.belt + 0.25, s.tail - 0.1
            self.box((x, s.width * 0.4, z), (0.07, 0.07, 0.6), c.chrome, both=True)
            self.box((x, 0, z + 0.3), (0.07, s.width * 0.85, 0.07), c.chrome)

    def _spoiler(self, top_width: float) -> None:
        s, c, rng = self.s, self.c, self.rng
        color = c.body if rng.random() < 0.6 else c.dark
        if s.tail < -0.43 * s.length:  # above the rear window
            width = top_width * 0.95
            z = s.height - s.drop - 0.01
            self.box((s.roof_end - 0.05, 0, z), (rng.uniform(0.2, 0.4), width, 0.06), color)
            return
        z = float(self._top(np.array(-s.length / 2 + 0.2)))
        rise, width = rng.uniform(0.04, 0.4), s.width * rng.uniform(0.75, 1.0)
        x = -s.length / 2 + 0.22
        self.box((x, 0, z + rise + s.crown), (0.26, width, 0.045), color)
        self.box((x, width * 0.38, z + rise / 2), (0.16, 0.05, rise + 0.08), c.dark, both=True)

    def _formula(self) -> None:
        """An open-wheel racing car."""
        s, c, rng = self.s, self.c, self.rng
        half = s.length / 2
        hull = s.width * rng.uniform(0.17, 0.22)
        s.clad, s.corner, s.lean_front = False, s.corner * 0.3, 0.0
        s.taper_front, s.taper_rear = rng.uniform(0.4, 0.65), rng.uniform(0.2, 0.5)
        s.head_wrap = s.head_y = 0.0
        s.head_h = s.tail_h = 0.001
        self._body(hull, (-0.25, 0.45, 0.3))
        belt = float(self._top(np.array(0.0)))
        pod = rng.uniform(1.3, 1.9)
        y = hull + 0.2
        self.box((-0.35, y, 0.32), (pod, 0.42, rng.uniform(0.3, 0.42)), c.second, 0.82, both=True)
        self.box((0, 0, s.clearance), (s.length * 0.6, s.width * 0.68, 0.05), c.dark)
        self.ellipsoid((0.0, 0, belt + 0.06), (0.16, 0.14, 0.17), draw_paint(rng))
        self.box((-0.55, 0, belt + 0.1), (0.8, 0.3, s.height - belt), c.body, 0.4)
        wing = c.second if rng.random() < 0.5 else c.body
        low = s.clearance + 0.1
        self.box((half - 0.2, 0, low), (0.42, s.width * 0.95, 0.06), wing)
        end_plate = s.width * 0.47
        self.box((half - 0.2, end_plate, low + 0.06), (0.45, 0.04, 0.2), c.body, both=True)
        x, high = -half + 0.2, rng.uniform(0.75, 0.95)
        self.box((x, 0, high), (0.38, s.width * 0.56, 0.06), wing)
        self.box((x, s.width * 0.28, high - 0.15), (0.45, 0.04, 0.4), c.body, both=True)
        self.box((x, 0, high / 2 + 0.15), (0.2, 0.08, high - 0.3), c.dark)
        for x, tread in zip(s.axles, (0.3, 0.38), strict=True):
            self._wheel_pair(x, s.width / 2, s.wheel, tread)
            for dx in (-0.12, 0.12):
                self.box((x + dx, 0, s.wheel + 0.04), (0.04, s.width - 0.4, 0.04), c.dark)

    def _wheel_pair(self, x: float, outside: float, radius: float, tread: float) -> None:
        c, rng = self.c, self.rng
        if not hasattr(self, "rim"):
            spokes = int(rng.choice([3, 4, 5, 6]))
            self.rim = (rng.uniform(0.58, 0.76), spokes, rng.random() < 0.25)
        rim, spokes, full = self.rim
        sectors = 24
        disc = np.tile(c.rim, (sectors, 1))
        if not full:
            gap = (np.arange(sectors) * spokes * 2 // sectors) % 2 == 1
            disc[gap] = c.rim * 0.3
        colors = np.empty((sectors, 6, 3))
        colors[:, (0, 1, 2)] = c.tyre
        colors[:, 3], colors[:, 4], colors[:, 5] = c.rim, disc, c.rim * 0.8
        profile = np.array(
            [(rim * radius, -tread), (radius, -tread), (radius, -0.03), (rim * radius, 0.0),
             (0.88 * rim * radius, 0.0), (0.2 * radius, -0.03), (0, -0.02)]
        )  # fmt: skip
        well = np.array([(rim * radius, -0.7 * tread), (0, -0.7 * tread)])
        for side in (1, -1):
            centre = (x, side * outside, radius)
            self.revolve(centre, 1, profile * [1, side], colors, sectors)
            self.revolve(centre, 1, well * [1, side], c.tyre, 12)


def _smooth_path(control: np.ndarray, count: int, radius: float) -> np.ndarray:
    """Points (2, count), evenly along the polyline (P, 2), its corners rounded over `radius`."""
    steps = np.linalg.norm(np.diff(control, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], count)
    # The window shrinks towards the ends, so that the path keeps them.
    reach = np.minimum(radius, 2 * np.minimum(at, along[-1] - at))
    window = at[:, None] + np.linspace(-0.5, 0.5, 11) * reach[:, None]
    return np.stack([np.interp(window, along, control[:, k]).mean(axis=1) for k in (0, 1)])
