"""Old import path of tiny_nvs_ros.pipeline."""

from tiny_nvs_ros import pipeline
from tiny_nvs_ros.pipeline import *  # noqa: F403

heat = pipeline.colormap


def imagine(renderer, picture, T_object_source, T_object_targets, samples, **options):
    source = pipeline.SourceImage(picture, T_object_source, options.pop("camera", None))
    return pipeline.imagine(renderer, source, T_object_targets, samples=samples, **options)
