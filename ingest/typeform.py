"""Pull form responses from Typeform.

Belongs here: the questions to each form, where the next page begins, when a form is read whole.
Does not belong here: retries (`http`), landing and resuming (`pull`), which answer means what (the
dbt project).

A form is read newest first. `since` limits the first page only; later pages are asked for by the
token of the last response (`before`), which is not combined with it, and reading ends where the
responses are older than the lower bound. Source: sources.md section 4.3; Typeform's reference of
`GET /forms/{form_id}/responses` and its page on the JSON of a response, where `token` is always
present and `response_id` is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from ingest.connectors import Connector, chosen, token_client
from ingest.errors import LoopingPagesError, PermanentSourceError
from ingest.http import Answer, HttpClient, UnusableAnswerError
from ingest.objects import Records
from ingest.pull import Plan, Pull, Stream, StreamHistory

PAGE_SIZE = 1000
ABSENT = 404
INTERVAL_SECONDS = 0.5
"""Typeform allows two requests per second (sources.md section 4.3)."""


def check_page(content: Any) -> None:
    """Whether the content is a page of responses. Raises: UnusableAnswerError."""
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        raise UnusableAnswerError("the answer has no list named items")
    for each in content["items"]:
        if not isinstance(each, dict) or not isinstance(each.get("token"), str):
            raise UnusableAnswerError("a response of the answer has no token")


@dataclass(frozen=True)
class ResponsesStream:
    """Completed responses of all forms of the settings, form by form."""

    name: str = "responses"
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """Responses by token; one that a sweep no longer finds in its form has been deleted."""
        return [
            Records(
                "page",
                "responses",
                items="items",
                id="token",
                parent="envelope",
                is_listing=True,
                keeps_vanished=True,
            )
        ]

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The server and the forms: a killed pull of others is not continued."""
        return {"base_url": settings.base_url, "forms": list(settings.forms)}

    def plan(self, history: StreamHistory) -> Plan:
        """Each form from where it was last read, a new one from its beginning; all of them from
        the beginning when the last sweep is `sweep_days` ago (0: never again)."""
        settings, known = history.settings, history.state.get("forms", {})
        last = history.last_full
        is_due = last is None or 0 < settings.sweep_days <= (history.now - last.started_at).days
        overlap = timedelta(hours=settings.overlap_hours)
        forms = []
        for form in settings.forms:
            since = None
            if form in known and not is_due:
                since = (datetime.fromisoformat(known[form]) - overlap).isoformat()
            forms.append({"form": form, "since": since})
        bounds = {
            "forms": forms,
            "until": history.now.replace(microsecond=0).isoformat(),
            "scope": sorted(settings.forms),
        }
        added = sum(1 for each in forms if each["since"] is None)
        if is_due:
            return Plan("full", bounds, "all responses" if last is None else "sweep")
        return Plan("changes", bounds, f"{added} new forms read whole" if added else "")

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Page each form from the cursor on."""
        forms = pull.plan.bounds["forms"]
        cursor = pull.cursor or {"index": 0, "before": None}
        for index in range(cursor["index"], len(forms)):
            before = cursor["before"] if index == cursor["index"] else None
            self._fetch_form(pull, index, before)
        read = {each["form"]: pull.plan.bounds["until"] for each in forms}
        return {"forms": {**pull.history.state.get("forms", {}), **read}}

    def _fetch_form(self, pull: Pull, index: int, before: str | None) -> None:
        """Page one form. before: token of the last response that is landed already."""
        asked_of = pull.plan.bounds["forms"][index]
        form, since = asked_of["form"], asked_of["since"]
        path = f"/forms/{quote(form, safe='')}/responses"
        ended: set[str] = set()
        while True:
            asked = {"page_size": str(PAGE_SIZE), "response_type": "completed"}
            if before is not None:
                ended.add(before)
                asked["before"] = before
            elif since is not None:
                asked["since"] = since
            answer = pull.client.get(
                path,
                asked,
                check_page,
                accept=frozenset({ABSENT}),
                interval_seconds=INTERVAL_SECONDS,
            )
            if answer.status == ABSENT:
                raise PermanentSourceError(
                    f"GET {path}: status {ABSENT}: no such form for this account",
                    "Correct forms, or remove it there: what landed of it stays.",
                )
            pull.add("page", path, answer, parent_id=form)
            if is_last(answer, since):
                pull.advance({"index": index + 1, "before": None})
                return
            before = answer.content["items"][-1]["token"]
            if before in ended:
                raise LoopingPagesError(
                    f"GET {path}: the server repeats earlier pages",
                    "Run again; if it stays, report it to the maker of the server: Typeform "
                    "itself honours before.",
                )
            pull.advance({"index": index, "before": before})


def is_last(answer: Answer, since: str | None) -> bool:
    """Whether nothing that is wanted can follow a page.

    since: lower bound of `submitted_at`, naive UTC; None: everything is wanted. Pages asked for by
    token are in the order of processing: only one that is too old as a whole ends the reading.
    """
    items = answer.content["items"]
    if not items:
        return True
    follows = answer.content.get("page_count")
    if len(items) < PAGE_SIZE and not (isinstance(follows, int) and follows > 1):
        return True
    return since is not None and all(_is_before(each, since) for each in items)


def _is_before(response: Mapping[str, Any], since: str) -> bool:
    try:
        submitted = datetime.fromisoformat(response["submitted_at"])
    except (KeyError, TypeError, ValueError):
        return False
    if submitted.tzinfo:
        submitted = submitted.astimezone(UTC).replace(tzinfo=None)
    return submitted < datetime.fromisoformat(since)


STREAMS = (ResponsesStream(),)


def streams(settings: Any) -> list[Stream]:
    """The streams that the settings choose, in order."""
    return chosen(STREAMS, settings)


def open_client(source: str, settings: Any, pause: Callable[[float], None]) -> HttpClient:
    """The client of the source. Raises: PermanentSourceError without a usable token."""
    return token_client(source, settings, pause)


CONNECTOR = Connector(streams, open_client)
