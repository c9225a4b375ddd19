"""A small loopback HTTP server that answers from Python and misbehaves on demand.

The fakes of the vendors build on it: they answer a path, this adds recording, scripted faults and
the socket. Nothing here imports the product.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Fault:
    """One scripted answer. truncate: announce the whole body, send half and hang up.

    before: called before a normal answer, for example to insert rows while a client pages.
    """

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    truncate: bool = False
    before: Callable[[], None] | None = None


@dataclass(frozen=True)
class Request:
    """One recorded request. params: first value of each; all_params: every value; content: the
    parsed body of a POST."""

    method: str
    path: str
    params: dict[str, str]
    all_params: dict[str, list[str]]
    headers: dict[str, str]
    content: Any = None


@dataclass(frozen=True)
class Reply:
    """What a fake answers: JSON content (or bytes as they are) and a status."""

    content: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FakeServer:
    """A running fake. Use as a context manager; subclasses implement `reply`.

    script: faults by path, used up in order. log: every request. on_request: called with the
    number of each request before it is answered.
    """

    script: dict[str, list[Fault]] = field(default_factory=dict)
    log: list[Request] = field(default_factory=list)
    on_request: Callable[[int], None] | None = None
    request_id_header: str = "Request-Id"

    def reply(self, request: Request) -> Reply:
        """The normal answer."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body would otherwise go out as two packets, 40 ms apart.
            wbufsize = -1

            def do_GET(self) -> None:
                fake.answer(self)

            def do_POST(self) -> None:
                fake.answer(self)

            def log_message(self, *_: object) -> None:
                """Keep test output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        """Address of the fake on loopback."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        """Paths asked for, in order."""
        return [request.path for request in self.log]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request: the next scripted fault of its path, else the normal answer."""
        request = self._received(handler)
        self.log.append(request)
        number = len(self.log)
        if self.on_request:
            self.on_request(number)
        faults = self.script.get(request.path, [])
        fault = faults.pop(0) if faults else Fault()
        if fault.before:
            fault.before()
        if fault.body is not None:
            reply = Reply(fault.body, fault.status)
        else:
            reply = self.reply(request)
            if fault.status != 200:
                reply = Reply(reply.content, fault.status)
        self._send(handler, reply, {**reply.headers, **fault.headers}, fault.truncate, number)

    def _received(self, handler: BaseHTTPRequestHandler) -> Request:
        parts = urlsplit(handler.path)
        every = parse_qs(parts.query, keep_blank_values=True)
        length = int(handler.headers.get("Content-Length") or 0)
        sent = handler.rfile.read(length)
        is_json = "json" in handler.headers.get("Content-Type", "")
        return Request(
            method=handler.command,
            path=parts.path,
            params={name: values[0] for name, values in every.items()},
            all_params=every,
            headers=dict(handler.headers),
            content=json.loads(sent) if sent and is_json else sent or None,
        )

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        reply: Reply,
        headers: Mapping[str, str],
        truncate: bool,
        number: int,
    ) -> None:
        # Indented like the answers of several vendors: bodies hold line breaks.
        content = reply.content
        body = content if isinstance(content, bytes) else json.dumps(content, indent=2).encode()
        handler.send_response(reply.status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header(self.request_id_header, f"req_{number}")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if truncate else body)
        handler.wfile.flush()
        if truncate:
            handler.close_connection = True
