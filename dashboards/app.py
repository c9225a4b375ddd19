"""The web app: every request from its cookie to its page, with the same checks for all of them.

Order of the checks: host, session, role, form token; then the handler runs in a thread, because
DuckDB and the control database block. Errors that our rooms raise knowingly become pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from itsdangerous import BadSignature, URLSafeSerializer
from payouts.errors import BatchNotFoundError, PayoutsError
from program.errors import ProgramError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from dashboards import access
from dashboards.csrf import FIELD, check_form
from dashboards.current_terms import CurrentTerms
from dashboards.entries import ENTRIES
from dashboards.errors import (
    BadInputError,
    DashboardError,
    ForbiddenError,
    NotFoundError,
    SnapshotMissingError,
)
from dashboards.headers import SecurityHeaders
from dashboards.routing import Entry
from dashboards.settings import Settings
from dashboards.snapshots import Snapshots
from dashboards.static_files import LastingFiles
from dashboards.templating import STATIC, templates
from dashboards.users import User
from dashboards.visit import NOTICE_COOKIE, Kernel, Visit

if TYPE_CHECKING:
    from payouts.store import Store

    from dashboards.services import Services

_FORM_BYTES, _FORM_FIELDS = 256_000, 2_000
_STATUS = (
    (NotFoundError, 404),
    (BatchNotFoundError, 404),
    (ForbiddenError, 403),
    (BadInputError, 400),
    (SnapshotMissingError, 503),
)
_CONFLICT = 409


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
        snapshots=Snapshots(settings.home),
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
            if int(request.headers.get("content-length") or 0) > _FORM_BYTES:
                return PlainTextResponse("The form is too large.", status_code=413)
            posted = await request.form(max_files=0, max_fields=_FORM_FIELDS)
            form = {name: text for name, text in posted.items() if isinstance(text, str)}
        return await run_in_threadpool(_answer, kernel, entry, request, form)

    return answer


def _answer(kernel: Kernel, entry: Entry, request: Request, form: dict[str, str]) -> Response:
    now = kernel.settings.clock()
    _read_notice(kernel, request)
    user = access.user_of(request, kernel.settings, kernel.store, now, kernel.snapshots)
    visit = Visit(kernel, request, user, now, form)
    try:
        answer = _checked(visit, entry, user)
    except (DashboardError, PayoutsError, ProgramError) as error:
        answer = _error_page(visit, error)
    finally:
        visit.close()
    if request.scope.get("notice") and answer.status_code < 300:  # noqa: PLR2004  (it was shown)
        answer.delete_cookie(NOTICE_COOKIE)
    return answer


def _checked(visit: Visit, entry: Entry, user: User | None) -> Response:
    request, settings = visit.request, visit.settings
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
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), _CONFLICT)
    what_to_do = getattr(error, "what_to_do", "")
    text = visit.kernel.templates.get_template("error.html").render(
        visit=visit,
        user=visit.user if visit.is_signed_in else None,
        settings=visit.settings,
        form_token=visit.form_token,
        notice="",
        status=status,
        message=str(error),
        what_to_do=what_to_do if what_to_do and what_to_do not in str(error) else "",
    )
    return HTMLResponse(text, status_code=status)


def _not_found(kernel: Kernel) -> Any:
    async def answer(request: Request, _error: Exception) -> Response:
        def page() -> Response:
            now = kernel.settings.clock()
            user = access.user_of(request, kernel.settings, kernel.store, now, kernel.snapshots)
            visit = Visit(kernel, request, user, now)
            try:
                return _error_page(visit, NotFoundError("there is no such page"))
            finally:
                visit.close()

        return await run_in_threadpool(page)

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
