"""The model, no ROS. What needs torch (seconds to import) is imported when it is asked for."""

from typing import TYPE_CHECKING

from tiny_nvs_ros.model.config import ModelConfig
from tiny_nvs_ros.model.views import NovelViews, Request

if TYPE_CHECKING:
    from tiny_nvs_ros.model.novel_view_model import NovelViewModel

__all__ = ["ModelConfig", "NovelViewModel", "NovelViews", "Request"]


def __getattr__(name: str) -> type:
    if name != "NovelViewModel":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from tiny_nvs_ros.model.novel_view_model import NovelViewModel

    return NovelViewModel
