"""Procedural objects for training: 89 families of things that stand or lie on a table.

`build_object(seed, number)` builds one; `recolour` paints meshes that have no colours of their own.
"""

from training.data.objects.build import VERSION, build_object, family_of
from training.data.objects.model import FAMILIES
from training.data.objects.recolour import recolour

__all__ = ["FAMILIES", "VERSION", "build_object", "family_of", "recolour"]
