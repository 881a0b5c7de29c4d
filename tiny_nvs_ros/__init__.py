"""Imagine the unseen sides of an object that a robot sees once."""

import pkgutil

# The generated msg and srv subpackages lie in the installed copy of this package. When something
# runs from a checkout, the checkout's folder comes first on sys.path and must not hide them.
__path__ = pkgutil.extend_path(__path__, __name__)
