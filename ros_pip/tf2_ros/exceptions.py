"""Exceptions of lookups (in tf2_py in the original)."""


class TransformException(Exception):
    """Base class: a transform is not available."""


class LookupException(TransformException):
    """A frame does not exist."""


class ConnectivityException(TransformException):
    """The frames are in different trees."""


class ExtrapolationException(TransformException):
    """The time is outside the received times."""


class InvalidArgumentException(TransformException):
    """A frame's name is empty or starts with a slash."""


class TimeoutException(TransformException):
    """Part of the original's API; never raised here."""
