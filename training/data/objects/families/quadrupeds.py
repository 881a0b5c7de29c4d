"""Animals on four legs, from ellipsoids and tapered tubes: toys and statues of them."""

# ruff: noqa: RUF005 (`+` adds arrays)
import numpy as np

from training.data.objects.draw import Draw, color, hsv, metal, vivid, wood
from training.data.objects.model import Model, family
from training.data.objects.pieces.coats import INK, coat, finish, fur
from training.data.objects.pieces.organic import limb
from training.data.objects.shapes import cylinder, rounded_box, sphere
from training.data.objects.surfaces import brushed, patches, plain, spots


@family(weight=5.0)
def quadruped(draw: Draw) -> Model:
    """Dogs, cats, horses, cows, sheep, pigs, deer, elephants, bears: standing, sitting or lying."""
    kind = draw.pick(
        (
            "dog",
            "horse",
            "cow",
            "cat",
            "pig",
            "elephant",
            "sheep",
            "bear",
            "giraffe",
            "deer",
            "dinosaur",
        ),
        (7, 3, 3, 2, 1.5, 1, 1, 1.5, 0.6, 1, 1),
    )
    model, marks = Model(), Model()
    # length and girth of the trunk, length and thickness of the legs, of the neck, of the head
    table = {
        "dog": (1.0, 0.24, 0.55, 0.08, 0.3, 0.2),
        "horse": (1.1, 0.26, 0.85, 0.08, 0.6, 0.2),
        "cow": (1.2, 0.34, 0.6, 0.09, 0.3, 0.22),
        "cat": (0.9, 0.2, 0.45, 0.06, 0.18, 0.19),
        "pig": (1.1, 0.38, 0.35, 0.1, 0.1, 0.26),
        "elephant": (1.1, 0.45, 0.6, 0.16, 0.1, 0.32),
        "sheep": (0.9, 0.38, 0.4, 0.06, 0.2, 0.17),
        "bear": (1.1, 0.36, 0.45, 0.13, 0.15, 0.25),
        "giraffe": (0.9, 0.28, 1.1, 0.07, 1.2, 0.17),
        "deer": (1.0, 0.22, 0.8, 0.05, 0.4, 0.17),
        "dinosaur": (1.2, 0.34, 0.5, 0.12, 0.6, 0.17),
    }
    length, girth, leg, thick, neck, head = (v * draw.uniform(0.8, 1.25) for v in table[kind])
    pose = draw.pick(
        ("stand", "walk", "sit", "lie"), (5, 3, 1.5 if kind in ("dog", "cat", "bear") else 0.1, 0.8)
    )
    hips, chest = (
        np.array([-length / 2, 0, leg + girth * 0.6]),
        np.array([length / 2, 0, leg + girth * 0.7]),
    )
    if pose == "sit":
        hips = np.array([-length * 0.25, 0, girth * 0.9])
        chest = np.array([length * 0.22, 0, leg + girth * 0.9])
    elif pose == "lie":
        hips[2] = chest[2] = girth * 0.85
    mid = (hips + chest) / 2 - [0, 0, draw.uniform(-0.05, 0.06)]
    fat = draw.uniform(0.85, 1.1)
    model.add(
        limb(
            [hips, mid, chest],
            [girth * draw.uniform(0.85, 1.0), girth * fat, girth * draw.uniform(0.95, 1.1)],
            14,
        )
    )
    # legs: hip, knee, foot
    for end, x in ((hips, -1), (chest, 1)):
        for side in (-1, 1):
            root = end + [0, side * girth * 0.55, -girth * 0.2]
            swing = draw.uniform(-0.2, 0.2) if pose == "walk" else draw.uniform(-0.04, 0.04)
            foot = np.array([end[0] + swing + 0.03, side * girth * 0.6, thick * 0.6])
            if (pose == "sit" and x < 0) or pose == "lie":
                knee = np.array([end[0] + 0.25, side * girth * 1.05, thick * 1.6])
                foot = knee + [0.28, 0, -thick * 0.9]
                if pose == "sit":
                    foot[0] = knee[0] + 0.2
            else:
                knee = (root + foot) / 2 + [0.05 * x * -1, 0, 0]
            model.add(limb([root, knee, foot], [thick * 1.7, thick * 1.05, thick * 0.85]))
            paw = sphere((thick * 1.5, thick * 1.05, thick * 0.7), 9, 6).moved(
                foot[0] + thick * 0.5, foot[1], max(thick * 0.6, foot[2] * 0.9)
            )
            if kind in ("horse", "cow", "deer", "pig", "sheep") or draw.chance(0.15):
                marks.add(paw, plain(draw.pick((INK, INK * 4))))
            else:
                model.add(paw)
    raise_neck = draw.uniform(10, 75) if kind != "pig" else 10
    if kind in ("giraffe", "dinosaur"):
        raise_neck = draw.uniform(50, 80)
    a, turn = np.radians(raise_neck), np.radians(draw.uniform(-45, 45))
    nape = chest + [0.1, 0, girth * 0.35]
    skull = nape + neck * np.array(
        [np.cos(a) * np.cos(turn * 0.5), np.sin(turn * 0.5) * np.cos(a), np.sin(a)]
    )
    model.add(
        limb(
            [chest + [-0.05, 0, girth * 0.2], nape * 0.5 + skull * 0.5, skull],
            [girth * 0.75, head * 0.75, head * 0.6],
            11,
        )
    )
    # head, built around the origin facing +x
    parts, spots_ = Model(), Model()
    muzzle = {
        "dog": draw.uniform(0.9, 1.9),
        "horse": 2.0,
        "cow": 1.6,
        "cat": 0.75,
        "pig": 1.3,
        "elephant": 0.7,
        "sheep": 1.4,
        "bear": 1.1,
        "giraffe": 1.8,
        "deer": 1.6,
        "dinosaur": 1.4,
    }[kind] * head
    parts.add(sphere((head * 1.05, head * 0.9, head * 0.92), 14, 9))
    parts.add(
        limb(
            [(0.1, 0, -head * 0.1), (muzzle * 0.6, 0, -head * 0.3), (muzzle, 0, -head * 0.42)],
            [head * 0.75, head * 0.52, head * draw.uniform(0.32, 0.5)],
        )
    )
    if kind == "elephant":
        parts.add(
            limb(
                [
                    (head * 0.8, 0, -0.05),
                    (head * 1.5, 0, -head * 1.2),
                    (head * 1.4, 0, -head * 2.4),
                    (head * draw.uniform(1.3, 2.2), 0, -head * 2.6),
                ],
                [head * 0.4, head * 0.28, head * 0.2, head * 0.14],
            )
        )
        for s in (-1, 1):
            spots_.add(
                limb(
                    [
                        (head * 0.8, s * head * 0.4, -head * 0.5),
                        (head * 1.7, s * head * 0.5, -head * 0.9),
                    ],
                    [0.05, 0.02],
                    6,
                ),
                plain((0.93, 0.92, 0.85)),
            )
    else:
        spots_.add(
            sphere((head * 0.16, head * 0.2, head * 0.14), 8, 6).moved(
                muzzle + head * 0.32, 0, -head * 0.3
            ),
            plain(INK if kind != "pig" else (0.85, 0.5, 0.5)),
        )
    for s in (-1, 1):
        spots_.add(
            sphere((0.13 * head,) * 3, 8, 6).moved(head * 0.75, s * head * 0.5, head * 0.25),
            plain(INK),
        )
        ear = draw.uniform(0.5, 1.1) * head
        kind_ear = (
            draw.pick(("up", "hang"))
            if kind == "dog"
            else {"cat": "up", "elephant": "fan", "bear": "round"}.get(kind, "side")
        )
        if kind == "dinosaur":
            continue
        if kind_ear == "up":
            part = (
                cylinder(head * 0.3, ear, 7, 0.0)
                .scaled(0.5, 1, 1)
                .moved(-head * 0.1, s * head * 0.5, head * 0.6)
            )
        elif kind_ear == "hang":
            part = (
                sphere((head * 0.35, head * 0.14, ear * 0.8), 10, 7)
                .rotated("x", s * 12)
                .moved(-head * 0.05, s * head * 0.95, -head * 0.15)
            )
        elif kind_ear == "fan":
            part = (
                sphere((head * 0.2, head * 0.9, head * 0.95), 12, 8)
                .rotated("z", -s * 30)
                .moved(-head * 0.35, s * head * 1.15, 0)
            )
        elif kind_ear == "round":
            part = sphere((head * 0.2, head * 0.32, head * 0.32), 9, 6).moved(
                0, s * head * 0.6, head * 0.75
            )
        else:
            part = limb(
                [
                    (0, s * head * 0.6, head * 0.5),
                    (-head * 0.1, s * head * (0.6 + ear / head * 0.6), head * 0.75),
                ],
                [head * 0.2, head * 0.08],
                6,
            )
        parts.add(part)
        if kind in ("cow", "deer") and draw.chance(0.6):
            horn = [
                (0, s * head * 0.5, head * 0.7),
                (0, s * head * 1.1, head * 1.1),
                (head * 0.3, s * head * 1.1, head * 1.8),
            ]
            spots_.add(
                limb(horn, [head * 0.16, head * 0.1, head * 0.03], 6), plain((0.8, 0.72, 0.55))
            )
    nod = draw.uniform(-15, 25)
    for group in (parts, spots_):
        group.rotated("y", nod).rotated("z", np.degrees(turn)).moved(*skull)
    model.extend(parts)
    marks.extend(spots_)
    # tail
    t, up = (
        draw.uniform(0.2, 0.8) * length * (1.4 if kind == "dinosaur" else 1),
        draw.uniform(-0.8, 0.9),
    )
    start = hips + [-girth * 0.6, 0, girth * 0.3]
    side = draw.uniform(-0.3, 0.3)
    fat_tail = girth * (0.5 if kind == "dinosaur" else draw.uniform(0.12, 0.3))
    model.add(
        limb(
            [
                start,
                start + [-t * 0.5, side * t * 0.4, up * t * 0.3],
                start + [-t * 0.9, side * t, up * t * 0.8],
            ],
            [fat_tail, fat_tail * 0.7, fat_tail * 0.35],
            7,
        )
    )
    if kind == "horse" or draw.chance(0.05):
        mane = draw.pick((INK, fur(draw)))
        for k in range(6):
            at = nape * (1 - k / 5) + skull * k / 5
            marks.add(
                sphere((0.1, 0.05, 0.16), 8, 6).moved(
                    at[0] - head * 0.6, at[1], at[2] + head * 0.35
                ),
                plain(mane),
            )
    rgb = {
        "pig": hsv(8, 0.35, 0.9),
        "elephant": np.full(3, draw.uniform(0.35, 0.6)),
        "dinosaur": vivid(draw),
        "sheep": np.full(3, 0.9),
        "giraffe": hsv(38, 0.5, 0.85),
    }.get(kind)
    if draw.chance(0.08):
        paint = draw.pick((brushed(draw, metal(draw)), plain(vivid(draw)), plain(wood(draw))))
    elif kind == "giraffe":
        paint = spots(draw, rgb, hsv(25, 0.65, 0.45), 60, 0.09)
    elif kind == "cow":
        paint = (
            patches(draw, [np.full(3, 0.93), draw.pick((INK, fur(draw)))], draw.integer(8, 18))
            if draw.chance(0.6)
            else coat(draw, rgb)
        )
    else:
        paint = coat(draw, rgb)
    model = finish(draw, model, marks, paint)
    if draw.chance(0.12):
        low, high = model.bounds()
        model.add(
            rounded_box((high[0] - low[0], high[1] - low[1] + 0.1, 0.08), 0.02, 1).moved(
                (low[0] + high[0]) / 2, 0, -0.06
            ),
            plain(color(draw)),
        )
    if draw.chance(0.06):
        model.rotated("x", 90)
    return model.grounded()
