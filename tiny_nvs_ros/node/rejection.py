"""Exceptions for images that are dropped and for requests that are refused."""

NEWER_IMAGE = "newer image"  # kind of the drop when a newer image takes the place of this one


class Rejected(Exception):
    """Why an image is dropped or a request is refused. kind: the reason as it is counted."""

    def __init__(self, kind: str, reason: str = ""):
        super().__init__(reason)
        self.kind = kind


class MissingInput(Rejected):
    """An input did not arrive in time.

    what: the input, as the monitor names it. hint: what to do about it, empty if that is not known;
    it ends the text.
    """

    def __init__(self, kind: str, what: str, reason: str, hint: str = ""):
        super().__init__(kind, f"{reason}; {hint}" if hint else reason)
        self.what, self.hint = what, hint
