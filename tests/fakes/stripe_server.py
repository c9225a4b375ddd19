"""A small loopback server that speaks Stripe's list API and misbehaves on demand.

Lists are newest first with `limit`, `starting_after` and `has_more`, as Stripe documents. Tests put
objects into `objects` and faults into `script`; every request is recorded. Nothing here imports the
product.
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


def status(code: int, **headers: str) -> Fault:
    """An error answer in Stripe's shape; header names are given with underscores."""
    body = json.dumps({"error": {"type": "invalid_request_error", "message": "secret sk_live_1"}})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=code, body=body.encode(), headers=named)


@dataclass
class FakeStripe:
    """A running fake. Use as a context manager.

    objects: by list path, newest first. page_cap: upper bound of a page whatever `limit` asks.
    ignore_cursor: list paths that answer page 1 for ever. script: faults by path, used up in order.
    """

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    script: dict[str, list[Fault]] = field(default_factory=dict)
    page_cap: int = 100
    ignore_cursor: set[str] = field(default_factory=set)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    request_headers: list[dict[str, str]] = field(default_factory=list)
    on_request: Callable[[int], None] | None = None

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
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
        return [path for path, _ in self.requests]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one GET: the next scripted fault of its path, else the page of its list."""
        parts = urlsplit(request.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append((parts.path, params))
        self.request_headers.append(dict(request.headers))
        if self.on_request:
            self.on_request(len(self.requests))
        faults = self.script.get(parts.path, [])
        fault = faults.pop(0) if faults else Fault()
        if fault.before:
            fault.before()
        body = fault.body if fault.body is not None else self._page(parts.path, params)
        code = fault.status if body is not None else 404
        body = body if body is not None else b'{"error": {"type": "invalid_request_error"}}'
        request.send_response(code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Request-Id", f"req_{len(self.requests)}")
        request.send_header("Content-Length", str(len(body)))
        for name, value in fault.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body[: len(body) // 2] if fault.truncate else body)
        if fault.truncate:
            request.close_connection = True

    def _page(self, path: str, params: dict[str, str]) -> bytes | None:
        listed = self.objects.get(path)
        if listed is None:
            return None
        start = 0
        after = params.get("starting_after")
        if after and path not in self.ignore_cursor:
            start = [each["id"] for each in listed].index(after) + 1
        size = min(int(params.get("limit", "10")), self.page_cap)
        page = {
            "object": "list",
            "url": path,
            "data": listed[start : start + size],
            "has_more": start + size < len(listed),
        }
        # Indented like Stripe's own answers: bodies hold line breaks.
        return json.dumps(page, indent=2).encode()
