"""Drops uploads that are too large while they arrive.

viser keeps all of a file in memory before it hands it over, whatever its size, and has no option
for a limit. This reaches into its internals, which is why its version is pinned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import viser


def install(client: viser.ClientHandle, max_bytes: int, on_refused: Callable[[str], None]) -> None:
    """Drop a client's uploads of more than max_bytes. on_refused: called with the reason."""
    from viser import _messages

    from tiny_nvs_ros.viewer.photo import too_large

    gui = client.gui
    connection, uploads = gui._websock_interface, gui._current_file_upload_states

    def check(_: int, message: _messages.Message) -> None:
        state = uploads.get(message.transfer_uuid)
        if state is None:
            return
        size = max(state["total_bytes"], state["transferred_bytes"])
        if size <= max_bytes:
            return
        del uploads[message.transfer_uuid]  # its further parts are ignored
        connection.queue_message(  # ends the page's progress bar
            _messages.FileTransferPartAck(
                source_component_uuid=message.source_component_uuid,
                transfer_uuid=message.transfer_uuid,
                transferred_bytes=state["total_bytes"],
                total_bytes=state["total_bytes"],
            )
        )
        on_refused(too_large(size))

    # Handlers run in the order in which they were registered: viser's come first.
    connection.register_handler(_messages.FileTransferStartUpload, check)
    connection.register_handler(_messages.FileTransferPart, check)
