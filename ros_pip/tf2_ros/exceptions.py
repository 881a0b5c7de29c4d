"""Why a transform cannot be had (in the original they come from tf2_py)."""


class TransformException(Exception):
    """Why a transform cannot be had; the base of the others."""


class LookupException(TransformException):
    """A frame does not exist."""


class ConnectivityException(TransformException):
    """The frames lie in different trees."""


class ExtrapolationException(TransformException):
    """The time lies outside of what was heard."""


class InvalidArgumentException(TransformException):
    """A frame's name is empty or starts with a slash."""


class TimeoutException(TransformException):
    """Of the original's API; nothing here raises it."""
