"""The mesh of a procedural car from its shape and its colours.

Metres, the front towards +x, the left towards +y, z up from the ground at 0: a body, a greenhouse
(windows and roof), wheels and trim.
"""

import numpy as np

from training.data.cars.greenhouse import GreenhouseBuilder
from training.data.cars.paint import draw_paint, hsv
from training.data.mesh import Mesh


class CarBuilder(GreenhouseBuilder):
    """Builds one car from its shape and palette; `rng` draws what is particular to it."""

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
