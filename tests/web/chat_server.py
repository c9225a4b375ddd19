"""A chat's webhook on loopback that answers as it is told and keeps what it got."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Chat:
    """texts: of requests that were answered with 200. answers: (status, headers), then 200s.

    status 0 answers nothing, -1 ends the connection.
    """

    texts: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: int = 0


@contextmanager
def chat_server(chat: Chat) -> Iterator[str]:
    """A running server; the address of its webhook."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802  (http.server's name)
            chat.requests += 1
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers = chat.answers.pop(0) if chat.answers else (200, {})
            if status == 0:
                time.sleep(2)
                return
            if status < 0:
                self.connection.close()
                return
            if status == 200:
                assert list(body) == ["text"]
                chat.texts.append(body["text"])
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/s3cret"
    finally:
        server.shutdown()
        server.server_close()
