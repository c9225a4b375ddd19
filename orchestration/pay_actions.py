"""One pay date at once: look at it, or approve and export it. For the command line and the app.

What does not belong here: options and printing (`cli_pay`), rules (`payouts.one_click`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payouts.comparison import Comparison
    from payouts.export import ExportResult
    from payouts.export_preview import ExportPreview
    from payouts.one_click import PayPlan
    from payouts.store import Store
    from program.load import Workspace


@dataclass(frozen=True)
class Payment:
    """What was done with a pay date, or would be. ``failures``: reason by batch id."""

    plan: PayPlan
    exports: tuple[ExportResult, ...] = ()
    previews: tuple[ExportPreview, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Plain values with stable keys, for --json."""
        return {
            "pay_date": self.plan.pay_date,
            "actor": self.plan.actor,
            "role": self.plan.role,
            "totals_minor": dict(self.plan.totals_minor),
            "batches": list(self.plan.batches),
            "exports": list(self.exports),
            "previews": list(self.previews),
            "comparisons": list(self.comparisons),
            "failures": self.failures,
        }


def look_at_pay_date(
    store: Store,
    workspace: Workspace,
    home: Path,
    *,
    pay_date: date,
    actor: str,
    role: str,
    typed: Iterable[str],
    with_export: bool,
    now: datetime,
) -> Payment:
    """The plan, each batch beside the last, the files of all that would be exported: what is fully
    approved, or would be by this person's approvals. Writes nothing (I25).

    typed: totals, checked when some are given. Raises: DecisionRefusedError.
    """
    from dashboards.errors import DashboardError
    from orchestration.batch_actions import preview_approved
    from payouts.comparison import compare_with_last
    from payouts.errors import PayoutsError
    from payouts.one_click import APPROVE, EXPORT, check_totals, parse_totals, plan
    from payouts.terms import approval_rules

    with store.read() as connection:
        planned = plan(
            connection, pay_date=pay_date, actor=actor, role=role, rules=approval_rules(workspace),
            at=now, with_export=with_export,
        )  # fmt: skip
        compared = tuple(compare_with_last(connection, each.batch_id) for each in planned.batches)
    typed_minor = parse_totals(typed)
    if typed_minor:
        check_totals(planned, typed_minor)
    previews, failures = [], {}
    completed = [batch for batch in planned.acting(APPROVE) if batch.is_complete and with_export]
    for batch in (*planned.acting(EXPORT), *completed):
        coming_role = role if batch.act == APPROVE else None
        try:
            previews.append(
                preview_approved(
                    store,
                    workspace,
                    home,
                    batch.batch_id,
                    exported_at=now,
                    coming_role=coming_role,
                )  # fmt: skip
            )
        except (PayoutsError, DashboardError) as error:
            failures[batch.batch_id] = str(error)
    return Payment(planned, previews=tuple(previews), comparisons=compared, failures=failures)


def pay_pay_date(
    store: Store,
    workspace: Workspace,
    home: Path,
    *,
    pay_date: date,
    actor: str,
    role: str,
    typed: Iterable[str],
    with_export: bool,
    now: datetime,
    key: Path | None = None,
    identity_level: str = "os_user",
) -> Payment:
    """Approve all batches of a pay date in one transaction; then export what is fully approved.

    typed: the totals as a person typed them. key: an SSH key with which each approval is signed.
    identity_level: how surely the person is known without one.
    An export that fails leaves the approvals and the other exports alone; it is in ``failures``.
    Raises: DecisionRefusedError, and nothing is recorded then; BatchStaleError.
    """
    from dashboards.errors import DashboardError
    from orchestration.batch_actions import export_approved
    from payouts.errors import PayoutsError
    from payouts.one_click import (
        APPROVE,
        STALE,
        WAIT,
        approve_all,
        check_totals,
        parse_totals,
        plan,
    )
    from payouts.signatures import sign
    from payouts.terms import approval_rules

    rules = approval_rules(workspace)
    typed, signatures = list(typed), None
    if key is not None:
        with store.read() as connection:
            planned = plan(
                connection, pay_date=pay_date, actor=actor, role=role, rules=rules, at=now,
                with_export=with_export,
            )  # fmt: skip
        # Before anybody types a passphrase; it is checked again where it counts.
        if not planned.acting(STALE):
            check_totals(planned, parse_totals(typed))
            signatures = {
                batch.batch_id: sign(batch.message, key) for batch in planned.acting(APPROVE)
            }
    done = approve_all(
        store, home, pay_date=pay_date, actor=actor, role=role, typed=typed, rules=rules,
        recorded_at=now, with_export=with_export, signatures=signatures,
        identity_level=identity_level,
    )  # fmt: skip
    exports, failures = [], {}
    if with_export:
        for batch in done.batches:
            if batch.act == WAIT or not batch.is_complete:
                continue
            try:
                exports.append(
                    export_approved(
                        store, workspace, home, batch.batch_id, exported_at=now, actor=actor
                    )
                )
            except (PayoutsError, DashboardError) as error:
                failures[batch.batch_id] = str(error)
    return Payment(done, exports=tuple(exports), failures=failures)
