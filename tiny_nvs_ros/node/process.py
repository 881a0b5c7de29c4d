"""Runs a node in a process: initialises rclpy, handles signals, reports errors in one line."""

import signal
import sys
from collections.abc import Callable

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.logging import get_logger


def run_node(name: str, serve: Callable[[], int], args: list[str] | None = None) -> int:
    """Run `serve` between rclpy's init and shutdown. Returns the process's exit code.

    That is what `serve` returns, 0 after Ctrl-C or SIGTERM, and 1 after an OSError, a ValueError,
    a parameter error or an error of rclpy.init, which are logged in one line.
    """
    # Ctrl-C then only shuts rclpy's context down, and raises nothing in the middle of a callback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        rclpy.init(args=args)
    except Exception as error:  # RCLError is private, and other errors are just as fatal
        # Without a context there is no logger.
        print(f"{name}: cannot start ROS: {one_line(error)}", file=sys.stderr)
        return 1
    try:
        return serve()
    except (Exception, KeyboardInterrupt) as error:
        if not rclpy.ok():  # the shutdown interrupted something
            return 0
        if not isinstance(error, (ParameterException, OSError, ValueError)):
            raise
        get_logger(name).fatal(str(error))
        return 1
    finally:
        rclpy.try_shutdown()


def one_line(error: BaseException) -> str:
    """Return an error's text in one line, without the places in rcl's C source."""
    text = " ".join(str(error).split()) or type(error).__name__
    parts = text.split(", at ")
    return ", at ".join(part for part in parts if not part.startswith(("/", "./")))
