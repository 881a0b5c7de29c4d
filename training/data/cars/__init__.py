"""Procedural cars: many body styles, no two alike, each decided by a seed and an index alone."""

from training.data.cars.generator import VERSION, car

__all__ = ["VERSION", "car"]
