"""One request: who asks, what they see (one snapshot), and how the page answers.

Handlers get a `Visit` and return a response; they never see the request's cookies, open a file or
read the clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from payouts.terms import ApprovalRules, PayoutRules, approval_rules, payout_rules
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards import queries
from dashboards.age import Age, age_of
from dashboards.csrf import form_token
from dashboards.current_terms import workspace_of
from dashboards.errors import (
    BadInputError,
    ForbiddenError,
    NotFoundError,
    SnapshotMissingError,
)
from dashboards.filters import Filters, read_filters
from dashboards.settings import Settings
from dashboards.snapshot import SnapshotPointer
from dashboards.tables import Table, csv_bytes
from dashboards.users import User

if TYPE_CHECKING:
    import duckdb
    from jinja2 import Environment
    from payouts.store import Store
    from program.load import Workspace
    from sqlalchemy import Connection

    from dashboards.charts import Chart
    from dashboards.services import Services
    from dashboards.snapshots import Snapshots

NOTICE_COOKIE = "pl_notice"
_NOTICE_CHARACTERS = 400
# A page further back than that is none; a longer number would be too large for a query's offset.
_PAGE_DIGITS = 6


@dataclass(frozen=True)
class Kernel:
    """What all requests share."""

    settings: Settings
    services: Services
    snapshots: Snapshots
    store: Store
    templates: Environment


class Visit:
    """One request, from the cookie to the page. Closed by the app when the answer stands."""

    def __init__(
        self,
        kernel: Kernel,
        request: Request,
        user: User | None,
        now: datetime,
        form: Mapping[str, str] | None = None,
    ) -> None:
        self.kernel = kernel
        self.request = request
        self.now = now
        self.form: Mapping[str, str] = form or {}
        self._user = user
        self._opened: tuple[SnapshotPointer, duckdb.DuckDBPyConnection] | None = None

    # ── who and what ────────────────────────────────────────────────────────────────────────────

    @property
    def user(self) -> User:
        """Who asks. Raises: ForbiddenError before signing in."""
        if self._user is None:
            raise ForbiddenError("nobody has signed in")
        return self._user

    @property
    def is_signed_in(self) -> bool:
        """Whether somebody has signed in; pages before that ask."""
        return self._user is not None

    @property
    def partner_id(self) -> str:
        """The partner who asks, from its session alone. Raises: NotFoundError for anybody else."""
        if self._user is None or self._user.partner_id is None:
            raise NotFoundError("this page is for partners")
        return self._user.partner_id

    @property
    def settings(self) -> Settings:
        """What the app was started with."""
        return self.kernel.settings

    @property
    def services(self) -> Services:
        """What the room that runs nights does for us."""
        return self.kernel.services

    @property
    def store(self) -> Store:
        """The control database, for what `payouts` records."""
        return self.kernel.store

    def control(self) -> AbstractContextManager[Connection]:
        """A consistent view of the control database."""
        return self.kernel.store.read()

    @property
    def workspace(self) -> Workspace:
        """The terms as they are now, the same for the whole request."""
        return workspace_of(self.request, self.settings)

    @cached_property
    def rules(self) -> PayoutRules:
        """Payout terms of the programme."""
        return payout_rules(self.workspace)

    @cached_property
    def approval_rules(self) -> ApprovalRules:
        """Who may decide, and how many of them it takes."""
        return approval_rules(self.workspace)

    def path(self, name: str) -> str:
        """A part of the address, as its Entry names it."""
        return str(self.request.path_params[name])

    def asked(self, name: str, default: str = "") -> str:
        """A value of the address behind the question mark."""
        return self.request.query_params.get(name, default)

    def field(self, name: str, limit: int = 5000) -> str:
        """A posted text, without spaces around it; empty when it was not sent.

        Raises: BadInputError for one that is longer than limit characters.
        """
        text = self.form.get(name, "").strip()
        if len(text) > limit:
            raise BadInputError(f"{name}: {len(text)} characters, {limit} at most")
        return text

    def required(self, name: str, limit: int = 5000) -> str:
        """A posted text that must be there. Raises: BadInputError."""
        text = self.field(name, limit)
        if not text:
            raise BadInputError(f"{name.replace('_', ' ')} is missing")
        return text

    def page_number(self) -> int:
        """Which page of a long table is asked for, from 1. Raises: BadInputError."""
        text = self.asked("page", "1")
        if not (text.isascii() and text.isdigit() and len(text) <= _PAGE_DIGITS and int(text)):
            raise BadInputError(f"page={text[:20]}: a whole number from 1")
        return int(text)

    # ── the snapshot of this request ────────────────────────────────────────────────────────────

    @property
    def snapshot(self) -> duckdb.DuckDBPyConnection:
        """The published snapshot, the same for the whole request."""
        return self._current()[1]

    @property
    def pointer(self) -> SnapshotPointer:
        """Which night it shows."""
        return self._current()[0]

    def _current(self) -> tuple[SnapshotPointer, duckdb.DuckDBPyConnection]:
        if self._opened is None:
            self._opened = self.kernel.snapshots.current()
        return self._opened

    @property
    def as_of(self) -> date:
        """Last day that counts in the snapshot."""
        return date.fromisoformat(self.pointer.as_of)

    @cached_property
    def age(self) -> Age | None:
        """How old the numbers are; None where no night has published, or nobody has signed in."""
        if self._user is None:
            return None
        try:
            published_at = datetime.fromisoformat(self.pointer.published_at)
        except SnapshotMissingError:
            return None
        last_night = None if self._user.is_partner else self.services.last_night()
        return age_of(published_at.replace(tzinfo=None), self.now, last_night)

    def rows(self, query: str, /, **values: Any) -> list[dict[str, Any]]:
        """Rows of a query on this request's snapshot."""
        return queries.run(self.snapshot, query, values)

    def row(self, query: str, /, **values: Any) -> dict[str, Any] | None:
        """The first row of a query, or None."""
        found = self.rows(query, **values)
        return found[0] if found else None

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The one row of marts.mart_metadata."""
        return self.row("metadata") or {}

    def filters(self, default_period: str = "90d") -> Filters:
        """Period, comparison, currency and partners of the address."""
        return read_filters(self.request.query_params, self.as_of, default_period)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────

    def render(
        self,
        template: str,
        /,
        *,
        tables: Sequence[Table] = (),
        charts: Sequence[Chart] = (),
        status: int = 200,
        **context: Any,
    ) -> Response:
        """The page; or one of its tables as CSV, when the address asks for it.

        tables, charts: reach the template as ``tables.name`` and ``charts.name`` (dashes become
        underscores).
        """
        wanted = self.asked("csv")
        if wanted:
            for table in tables:
                if table.name == wanted:
                    return self._csv(table)
            raise NotFoundError(f"this page has no table {wanted!r}")
        text = self.kernel.templates.get_template(template).render(
            visit=self,
            user=self._user,
            settings=self.settings,
            tables=SimpleNamespace(**{_attribute(each.name): each for each in tables}),
            charts=SimpleNamespace(**{_attribute(each.name): each for each in charts}),
            form_token=self.form_token,
            notice=self.request.scope.get("notice", ""),
            **context,
        )
        return HTMLResponse(text, status_code=status)

    @property
    def form_token(self) -> str:
        """For the forms of this page; empty before signing in."""
        if self._user is None:
            return ""
        return form_token(self.settings.secret, self._user.session_id)

    def csv_address(self, name: str) -> str:
        """The address of this page that gives one of its tables as CSV: all rows, no page."""
        return _below_host(
            self.request.url.remove_query_params("page").include_query_params(csv=name)
        )

    def page_address(self, number: int) -> str:
        """The address of another page of a long table."""
        return _below_host(self.request.url.include_query_params(page=number))

    @property
    def wants_csv(self) -> bool:
        """Whether a table is asked for as CSV; then all of its rows, not a page of them."""
        return bool(self.asked("csv"))

    def _csv(self, table: Table) -> Response:
        name = f"{table.name}-{self.pointer.as_of}.csv"
        return self.download(csv_bytes(table), name, "text/csv; charset=utf-8")

    def download(self, content: bytes, name: str, media_type: str) -> Response:
        """A file to keep. name: plain characters only."""
        safe = "".join(c if c.isascii() and (c.isalnum() or c in ".-_") else "-" for c in name)
        return Response(
            content,
            media_type=media_type,
            headers={"Content-Disposition": f'attachment; filename="{safe}"'},
        )

    def redirect(self, path: str, notice: str = "") -> Response:
        """Go on to a page of the app after a form; the notice is shown there once."""
        if not path.startswith("/") or path.startswith(("//", "/\\")):
            raise ValueError(f"{path!r} is no page of the app")
        answer = RedirectResponse(path, status_code=303)
        if notice:
            from itsdangerous import URLSafeSerializer

            signed = URLSafeSerializer(self.settings.secret, salt="notice")
            answer.set_cookie(
                NOTICE_COOKIE,
                signed.dumps(notice[:_NOTICE_CHARACTERS]),
                max_age=60,
                httponly=True,
                samesite="lax",
                secure=self.settings.is_secure,
            )
        return answer

    def close(self) -> None:
        """Give the snapshot back."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None


def _attribute(name: str) -> str:
    """A name as templates write it. Not the key of a dictionary: `tables.items` is a table."""
    return name.replace("-", "_")


def _below_host(url: URL) -> str:
    """Without scheme and host, which a proxy in front of the app may change."""
    return f"{url.path}?{url.query}"
