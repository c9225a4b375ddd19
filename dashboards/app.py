"""The web app: every request from its cookie to its page, with the same checks for all of them.

Order of the checks: host, session, role, form token; then the handler runs in a thread, because
DuckDB and the control database block. Errors that our rooms raise knowingly become pages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from itsdangerous import BadSignature, URLSafeSerializer
from payouts.errors import (
    BatchNotFoundError,
    DecisionRefusedError,
    DetailsInvalidError,
    PayoutsError,
    TransientPayoutsError,
)
from program.errors import ProgramError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Message

from dashboards import access
from dashboards.csrf import FIELD, check_form
from dashboards.current_terms import CurrentTerms
from dashboards.entries import ENTRIES
from dashboards.errors import (
    BadInputError,
    DashboardError,
    ForbiddenError,
    NotFoundError,
    SnapshotDamagedError,
    SnapshotMissingError,
)
from dashboards.headers import SecurityHeaders
from dashboards.routing import Entry
from dashboards.settings import Settings
from dashboards.snapshots import Snapshots
from dashboards.static_files import LastingFiles
from dashboards.templating import STATIC, templates
from dashboards.visit import NOTICE_COOKIE, Kernel, Visit

if TYPE_CHECKING:
    from payouts.store import Store

    from dashboards.services import Services
    from dashboards.users import User

_LOG = logging.getLogger("partnerledger.web")
_FORM_BYTES, _FORM_FIELDS = 256_000, 2_000
_STATUS = (
    (NotFoundError, 404),
    (BatchNotFoundError, 404),
    (ForbiddenError, 403),
    (BadInputError, 400),
    (SnapshotMissingError, 503),
    (SnapshotDamagedError, 503),
    (TransientPayoutsError, 503),
)
_CONFLICT, _BROKEN = 409, 500
# What partners and strangers are told as it is; everything else is about our machine.
_FOR_EVERYBODY = (DashboardError, BatchNotFoundError, DecisionRefusedError, DetailsInvalidError)
_OURS = (SnapshotMissingError, SnapshotDamagedError)
# Nobody but staff has the command line.
_COMMAND, _ASK_THE_TEAM = "partnerledger ", "Write to the programme's team."


class _FormTooLargeError(Exception):
    """More was sent than any form of ours holds."""


def create_app(
    settings: Settings,
    services: Services,
    store: Store,
    entries: Sequence[Entry] = ENTRIES,
    terms: CurrentTerms | None = None,
) -> Starlette:
    """The app. store: open control database; the caller closes it after the app has stopped.

    terms: as they are now, where `services` uses the same; else the app reads them by itself.
    """
    kernel = Kernel(
        settings=settings,
        services=services,
        # One thread a query: parallel window functions of DuckDB 1.5 can fail by a race, and
        # several people are served side by side anyway.
        snapshots=Snapshots(settings.home, threads=1),
        store=store,
        templates=templates(settings.workspace.program.program.timezone),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        yield
        kernel.snapshots.close()

    app = Starlette(
        routes=[
            Mount("/static", LastingFiles(directory=STATIC)),
            Route("/alive", _alive),
            *(Route(each.path, _endpoint(kernel, each), methods=[each.method]) for each in entries),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.allowed_hosts)),
            Middleware(SecurityHeaders, is_secure=settings.is_secure),
            Middleware(GZipMiddleware, minimum_size=1000),
        ],
        exception_handlers={404: _not_found(kernel), 405: _not_found(kernel)},
        lifespan=lifespan,
    )
    app.state.current_terms = terms or CurrentTerms(settings.workspace)
    return app


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok")


def _endpoint(kernel: Kernel, entry: Entry) -> Any:
    async def answer(request: Request) -> Response:
        form: dict[str, str] = {}
        if entry.method == "POST":
            try:
                form = await _form(request)
            except _FormTooLargeError:
                return PlainTextResponse("The form is too large.", status_code=413)
        return await run_in_threadpool(_answer, kernel, entry, request, form)

    return answer


async def _form(request: Request) -> dict[str, str]:
    """The text fields that were sent. Raises: _FormTooLargeError as soon as they are too many."""
    if int(request.headers.get("content-length") or 0) > _FORM_BYTES:
        raise _FormTooLargeError
    received_bytes = 0

    async def receive() -> Message:
        # Counted as it comes: a form that is sent in chunks announces no length.
        nonlocal received_bytes
        message = await request.receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > _FORM_BYTES:
            raise _FormTooLargeError
        return message

    limited = Request(request.scope, receive)
    posted = await limited.form(max_files=0, max_fields=_FORM_FIELDS)
    return {name: text for name, text in posted.items() if isinstance(text, str)}


def _answer(kernel: Kernel, entry: Entry, request: Request, form: dict[str, str]) -> Response:
    _read_notice(kernel, request)
    answer = _visited(kernel, request, form, lambda visit: _checked(visit, entry))
    if request.scope.get("notice") and answer.status_code < 300:  # noqa: PLR2004  (it was shown)
        answer.delete_cookie(NOTICE_COOKIE)
    return answer


def _visited(
    kernel: Kernel, request: Request, form: dict[str, str], page: Callable[[Visit], Response]
) -> Response:
    """What the page answers, or a page that says why it does not."""
    import duckdb

    if request.method in ("GET", "HEAD"):
        try:
            return _visited_once(kernel, request, form, page)
        except (duckdb.InternalException, duckdb.FatalException) as error:
            # A race in DuckDB's windows (github.com/duckdb/duckdb/issues/25713), after which the
            # snapshot has to be opened anew for everybody. Nothing was recorded: ask once more.
            kind = type(error).__name__
            _LOG.warning("%s is asked again after a %s", _kind_of_page(request), kind)
    try:
        return _visited_once(kernel, request, form, page)
    except (duckdb.InternalException, duckdb.FatalException) as error:
        return _failed(Visit(kernel, request, None, kernel.settings.clock(), form), error)


def _visited_once(
    kernel: Kernel, request: Request, form: dict[str, str], page: Callable[[Visit], Response]
) -> Response:
    import duckdb

    now = kernel.settings.clock()
    # Until we know who asks, a failure is shown as to a stranger.
    visit = Visit(kernel, request, None, now, form)
    try:
        user = access.user_of(request, kernel.settings, kernel.store, now, kernel.snapshots)
        visit = Visit(kernel, request, user, now, form)
        return page(visit)
    except (DashboardError, PayoutsError, ProgramError) as error:
        return _error_page(visit, error)
    except (duckdb.InternalException, duckdb.FatalException):
        raise
    except Exception as error:  # noqa: BLE001  (whoever asks gets a page, the log the rest)
        return _failed(visit, error)
    finally:
        visit.close()


def _failed(visit: Visit, error: Exception) -> Response:
    # The path may hold a token that signs in: the kind of page has to be enough.
    _LOG.error(
        "a page failed: %s %s", visit.request.method, _kind_of_page(visit.request), exc_info=error
    )
    return _error_page(visit, error)


def _kind_of_page(request: Request) -> str:
    route = request.scope.get("route")
    return getattr(route, "path", "unknown")


def _checked(visit: Visit, entry: Entry) -> Response:
    request, settings = visit.request, visit.settings
    user = visit.user if visit.is_signed_in else None
    if entry.roles and user is None:
        if entry.method == "GET":
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)
        raise ForbiddenError("nobody has signed in, or the session has ended; sign in again")
    if entry.method == "POST":
        check_form(
            request, settings.secret, user.session_id if user else None,
            visit.form.get(FIELD, ""),
        )  # fmt: skip
    if entry.roles and user is not None:
        _check_role(entry, user)
    return entry.handler(visit)


def _check_role(entry: Entry, user: User) -> None:
    if user.roles & entry.roles:
        return
    is_portal = "partner" in entry.roles
    if user.is_partner or is_portal:
        # The other side's pages do not exist for them.
        raise NotFoundError("there is no such page")
    raise ForbiddenError(f"this is for {' or '.join(sorted(entry.roles))}")


def _error_page(visit: Visit, error: Exception) -> Response:
    known = isinstance(error, (DashboardError, PayoutsError, ProgramError))
    fallback = _CONFLICT if known else _BROKEN
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), fallback)
    message, what_to_do = _told(visit, error, known)
    text = visit.kernel.templates.get_template("error.html").render(
        visit=visit,
        user=visit.user if visit.is_signed_in else None,
        settings=visit.settings,
        form_token=visit.form_token,
        notice="",
        status=status,
        message=message,
        what_to_do=what_to_do if what_to_do not in message else "",
    )
    return HTMLResponse(text, status_code=status)


def _told(visit: Visit, error: Exception, known: bool) -> tuple[str, str]:
    """What whoever asks is told, and what to do. Partners hear nothing of our machine."""
    if not known:
        return (
            "This failed, and the log of the app says where.",
            "Look whether it was recorded before you send a form again.",
        )
    message, what_to_do = str(error), getattr(error, "what_to_do", "")
    if visit.is_signed_in and not visit.user.is_partner:
        return message, what_to_do
    if isinstance(error, SnapshotMissingError):
        return "The programme has not run its first night yet.", "Come back tomorrow."
    is_for_everybody = isinstance(error, _FOR_EVERYBODY) and not isinstance(error, _OURS)
    if is_for_everybody and _COMMAND not in message:
        return message, what_to_do if _COMMAND not in what_to_do else _ASK_THE_TEAM
    _LOG.warning("not shown to who asked: %s", error)
    return "This is not possible at the moment; nothing was recorded.", "Try again later."


def _not_found(kernel: Kernel) -> Any:
    def page(_visit: Visit) -> Response:
        raise NotFoundError("there is no such page")

    async def answer(request: Request, _error: Exception) -> Response:
        return await run_in_threadpool(_visited, kernel, request, {}, page)

    return answer


def _read_notice(kernel: Kernel, request: Request) -> None:
    signed = request.cookies.get(NOTICE_COOKIE)
    if not signed:
        return
    try:
        request.scope["notice"] = URLSafeSerializer(kernel.settings.secret, salt="notice").loads(
            signed
        )
    except BadSignature:
        return
