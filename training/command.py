"""Old import path of training.cli."""

from training.cli import *  # noqa: F403
from training.cli import exit_on_error as tidy_exit  # noqa: F401
