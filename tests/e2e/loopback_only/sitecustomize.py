"""Loaded by the interpreter of a server that knows no option for its address.

localstripe listens on all interfaces (`::`). With this folder on its PYTHONPATH it listens on
loopback only. Nothing else in the process changes.
"""

import socket

_bind = socket.socket.bind


def _bind_to_loopback(self: socket.socket, address: tuple) -> None:
    if self.family == socket.AF_INET6 and address[0] == "::":
        address = ("::ffff:127.0.0.1", *address[1:])
    _bind(self, address)


socket.socket.bind = _bind_to_loopback
