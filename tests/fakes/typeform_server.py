"""A loopback server that speaks Typeform's responses endpoint and misbehaves on demand.

Answers are newest first; `since` and `until` are inclusive and to the second; `before` is
exclusive and, as no document says that it can be combined with a date, refused together with one.
An unknown token answers the first page, as reported of the real one. Nothing here imports the
product.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.server import FakeServer, Fault, Reply, Request

__all__ = ["FakeTypeform", "Fault", "refusal", "response"]

LARGEST_PAGE = 1000


def refusal(code: int, **headers: str) -> Fault:
    """An error answer in Typeform's shape; header names are given with underscores."""
    body = json.dumps({"code": "SOME_CODE", "description": "person@example.com said no"})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=code, body=body.encode(), headers=named)


def response(number: int, submitted_at: str, **hidden: str) -> dict[str, Any]:
    """One completed response."""
    token = f"tok{number:05d}"
    return {
        "landing_id": token,
        "token": token,
        "response_id": token,
        "response_type": "completed",
        "landed_at": submitted_at,
        "submitted_at": submitted_at,
        "hidden": hidden,
        "answers": [
            {
                "field": {"id": "f1", "ref": "email", "type": "email"},
                "type": "email",
                "email": f"person{number}@corp.example",
            }
        ],
    }


@dataclass
class FakeTypeform(FakeServer):
    """A running fake. Use as a context manager.

    forms: responses by form id, newest first. page_cap: upper bound of a page, below what a client
    may ask. ignore_before: answer the first page for ever.
    """

    forms: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page_cap: int = LARGEST_PAGE
    ignore_before: bool = False

    def reply(self, request: Request) -> Reply:
        """A page of one form's responses."""
        parts = request.path.split("/")
        if len(parts) != 4 or parts[1] != "forms" or parts[3] != "responses":
            return Reply({"code": "NOT_FOUND"}, 404)
        found, params = self.forms.get(parts[2]), request.params
        if found is None:
            return Reply({"code": "FORM_NOT_FOUND"}, 404)
        if "before" in params and ({"since", "until", "sort"} & set(params)):
            return Reply({"code": "VALIDATION_ERROR"}, 400)
        wanted = [each for each in found if each["response_type"] in params["response_type"]]
        if "since" in params:
            wanted = [each for each in wanted if each["submitted_at"][:19] >= params["since"]]
        tokens = [each["token"] for each in wanted]
        if params.get("before") in tokens and not self.ignore_before:
            wanted = wanted[tokens.index(params["before"]) + 1 :]
        size = min(int(params.get("page_size", "25")), LARGEST_PAGE, self.page_cap)
        page = {
            "total_items": len(wanted),
            "page_count": -(-len(wanted) // size),
            "items": wanted[:size],
        }
        return Reply(page)
