"""The former place of training.data.random_views."""

from training.data.random_views import render_instance  # noqa: F401
