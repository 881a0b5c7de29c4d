"""A process that runs a node and ends well, however it is ended."""

import signal
from collections.abc import Callable

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.logging import get_logger


def run(name: str, serve: Callable[[], int], args: list[str] | None = None) -> int:
    """Run `serve` between rclpy's init and shutdown. Returns the process's exit code.

    That is what `serve` returns, 0 after Ctrl-C or SIGTERM, and 1 with one line of why after an
    OSError, a ValueError or a parameter's error.
    """
    # Ctrl-C then only shuts rclpy's context down, and raises nothing in the middle of something.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    rclpy.init(args=args)
    try:
        return serve()
    except (Exception, KeyboardInterrupt) as error:
        if not rclpy.ok():  # the end cut something short
            return 0
        if not isinstance(error, (ParameterException, OSError, ValueError)):
            raise
        get_logger(name).fatal(str(error))
        return 1
    finally:
        rclpy.try_shutdown()
