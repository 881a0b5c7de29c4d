"""Unit quaternions (x, y, z, w) and vectors (x, y, z) as tuples of floats."""

import math

Quaternion = tuple[float, float, float, float]
Vector = tuple[float, float, float]

IDENTITY: Quaternion = (0.0, 0.0, 0.0, 1.0)


def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """Return the rotation b followed by a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def conjugate(q: Quaternion) -> Quaternion:
    """Return the inverse rotation."""
    x, y, z, w = q
    return (-x, -y, -z, w)


def rotate(q: Quaternion, v: Vector) -> Vector:
    return multiply(multiply(q, (*v, 0.0)), conjugate(q))[:3]


def normalise(q: Quaternion) -> Quaternion:
    length = math.hypot(*q)
    return tuple(c / length for c in q)


def add(a: Vector, b: Vector) -> Vector:
    return tuple(p + q for p, q in zip(a, b, strict=True))


def lerp(a: Vector, b: Vector, ratio: float) -> Vector:
    """Return the point between a (ratio 0) and b (ratio 1)."""
    return tuple(p + (q - p) * ratio for p, q in zip(a, b, strict=True))


def slerp(a: Quaternion, b: Quaternion, ratio: float) -> Quaternion:
    """Return the rotation between a (ratio 0) and b (ratio 1), on the shorter way."""
    cosine = sum(p * q for p, q in zip(a, b, strict=True))
    if cosine < 0.0:
        b, cosine = tuple(-c for c in b), -cosine
    if cosine > 1.0 - 1e-9:  # so close that the sine below vanishes
        return normalise(tuple(p + (q - p) * ratio for p, q in zip(a, b, strict=True)))
    angle = math.acos(cosine)
    weight_a = math.sin((1.0 - ratio) * angle) / math.sin(angle)
    weight_b = math.sin(ratio * angle) / math.sin(angle)
    return tuple(weight_a * p + weight_b * q for p, q in zip(a, b, strict=True))
