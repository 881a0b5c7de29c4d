"""Old import path of training.run_config."""

from training.run_config import *  # noqa: F403
