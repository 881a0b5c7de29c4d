"""The model: torch only, no ROS."""

from tiny_nvs_ros.model.novel_view_model import ModelConfig, NovelViewModel, NovelViews

__all__ = ["ModelConfig", "NovelViewModel", "NovelViews"]
