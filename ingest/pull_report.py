"""What a pull tells of itself: the report of one landing, and of two that were made in one run.

Belongs here: messages, sums, and which values of a state people may see. Does not belong here:
pulling (`pull`), how reports are stored or printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson

from ingest.history import Plan
from ingest.landing import Landing
from ingest.objects import Written
from ingest.report import REJECTS_SHOWN, Reject, StreamReport

HIDDEN = "hidden"
TOKENS = "tokens"
TOKEN_SUFFIX = "_token"  # noqa: S105  (the end of a member's name)


def without_tokens(values: Any) -> Any:
    """JSON values as people may see them. Whoever has a sync token can go on reading where it
    stands: of a member `tokens` only the keys are shown, of `sync_token` only that there is one."""
    if isinstance(values, Mapping):
        return {name: _shown(name, value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [without_tokens(each) for each in values]
    return values


def _shown(name: str, value: Any) -> Any:
    if name == TOKENS and isinstance(value, Mapping):
        return sorted(value)
    if name.endswith(TOKEN_SUFFIX) and isinstance(value, str):
        return HIDDEN
    return without_tokens(value)


def shown_cursor(state: Mapping[str, Any]) -> str:
    """A state as the text of `StreamReport.cursor`."""
    return orjson.dumps(without_tokens(state)).decode()


def report_of(
    landing: Landing,
    plan: Plan,
    written: Written,
    state: Mapping[str, Any],
    rejects: Sequence[Reject],
    notes: Sequence[str],
) -> StreamReport:
    """The report of a landing that was made visible; its pages and requests are not counted yet."""
    said = f"{written.listed} listed, {written.changed} new or changed"
    if written.vanished:
        said += f", {written.vanished} vanished"
    if rejects:
        said += f", {len(rejects)} rejected, first: {rejects[0]}"
    reasons = [each for each in (plan.reason, *notes) if each]
    if reasons:
        said += f" ({'; '.join(reasons)})"
    return StreamReport(
        source=landing.source,
        stream=landing.stream,
        status="ok" if written.changed else "unchanged",
        rows_landed=written.changed,
        rows_rejected=len(rejects),
        rejects=tuple(rejects[:REJECTS_SHOWN]),
        last_arrival=landing.arrival,
        message=said,
        mode=plan.mode,
        cursor=shown_cursor(state),
    )


def joined(continued: StreamReport, pulled: StreamReport, age: timedelta) -> StreamReport:
    """One report of a killed pull that was completed and of the pull after it.

    age: how long before this run the killed one had begun.
    """
    hours = round(age.total_seconds() / 3600)
    rows = continued.rows_landed + pulled.rows_landed
    return replace(
        pulled,
        status="ok" if rows else "unchanged",
        rows_landed=rows,
        rows_rejected=continued.rows_rejected + pulled.rows_rejected,
        rejects=(*continued.rejects, *pulled.rejects)[:REJECTS_SHOWN],
        message=f"{pulled.message}; before it the pull begun {hours} h ago was completed: "
        f"{continued.message}",
        pages=continued.pages + pulled.pages,
        requests=continued.requests + pulled.requests,
        retries=continued.retries + pulled.retries,
    )
