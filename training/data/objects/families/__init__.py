"""Families of procedural objects; importing this package registers them."""

from training.data.objects.families import (
    abstract,
    animals,
    cloth,
    containers,
    food,
    household,
    kitchen,
    things,
    tools,
    toys,
)

__all__ = [
    "abstract",
    "animals",
    "cloth",
    "containers",
    "food",
    "household",
    "kitchen",
    "things",
    "tools",
    "toys",
]
