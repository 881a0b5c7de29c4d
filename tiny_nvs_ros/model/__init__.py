"""Models for novel view synthesis. torch (seconds to import) is imported only if it is needed."""

from typing import TYPE_CHECKING

from tiny_nvs_ros.model.config import ModelConfig
from tiny_nvs_ros.model.request import SourceView, ViewRequest, ViewSamples

if TYPE_CHECKING:
    from tiny_nvs_ros.model.base import NovelViewModel

__all__ = ["ModelConfig", "NovelViewModel", "SourceView", "ViewRequest", "ViewSamples"]


def __getattr__(name: str) -> type:
    if name != "NovelViewModel":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from tiny_nvs_ros.model.base import NovelViewModel

    return NovelViewModel
