"""The models that pages can choose from, loaded once and shared by all."""

import threading
from pathlib import Path

from tiny_nvs_ros import runtime
from tiny_nvs_ros.model.config import read_config
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.runtime import Renderer

SHIPPED = "objects", "cars"  # those that are fast enough to follow a camera


class Renderers:
    """Renderers by name. weights: a name of shipped weights or a path, before the shipped ones.

    Raises FileNotFoundError or ValueError if the weights cannot be used.
    """

    def __init__(self, weights: str | None = None):
        names = dict.fromkeys([*([weights] if weights else []), *SHIPPED])
        self._folders: dict[str, Path] = {}
        for name in names:
            try:
                self._folders[name] = find_weights(name)
            except FileNotFoundError:
                if name == weights:
                    raise
        if not self._folders:
            raise FileNotFoundError(f"none of the weights {', '.join(SHIPPED)} is installed")
        if weights:
            read_config(self._folders[weights])
        self._loaded: dict[str, Renderer] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        return list(self._folders)

    def get(self, name: str) -> Renderer:
        """Load a model, once. Raises ValueError, FileNotFoundError or ImportError if it fails."""
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = runtime.load(self._folders[name])
            return self._loaded[name]
