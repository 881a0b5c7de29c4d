"""A browser page on which objects are imagined: python -m tiny_nvs_ros.viewer

`server` serves a page (`page`) to each browser, which shows a `session`: sources, target camera,
settings. A session knows nothing of the page. Lengths are object radii throughout.
"""
