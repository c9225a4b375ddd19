"""Terms as effective-dated tables for the warehouse: the raw tables `program__*`.

Pure: a workspace and a day in, Arrow tables out; versions become half-open spans of days. Does
not belong here: loading the tables into a database.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from program.calendar import add_years, next_pay_date, rail_calendars
from program.currencies import currency_exponents, to_minor
from program.decay import decay_weights
from program.fingerprint import VersionKey, plan_version_hashes
from program.instants import day_end_utc
from program.mail_domains import shared_mail_domains
from program.schema_payouts import DEFAULT_RAIL
from program.table_columns import TABLE_COLUMNS
from program.table_plans import add_plans
from program.table_rows import Row, Rows, spans

if TYPE_CHECKING:
    import pyarrow

    from program.load import Workspace
    from program.schema import Program

__all__ = ["VersionKey", "plan_version_hashes", "terms_tables"]

CALENDAR_YEARS_BEFORE = 10
CALENDAR_YEARS_AFTER = 3


def terms_tables(workspace: Workspace, as_of: date, run_id: str) -> dict[str, pyarrow.Table]:
    """All `program__*` tables of one night, keyed by name without schema.

    as_of: the night's local day (M6); decides the run row and the span of the pay calendar, from
    ten years before to three years after. Columns and types stand in `table_columns`; each table
    is present also when it has no rows. Row order is stable.
    """
    import pyarrow

    rows: Rows = {name: [] for name in TABLE_COLUMNS}
    program = workspace.program
    _add_run(rows, workspace, as_of, run_id)
    _add_sources(rows, workspace)
    _add_leads(rows, program)
    _add_attribution(rows, program)
    rows["program__risk"].append(program.risk.model_dump())
    add_plans(rows, program)
    _add_assignments(rows, program)
    _add_payouts(rows, program, as_of)
    for code, digits in currency_exponents().items():
        rows["program__currencies"].append({"currency_code": code, "exponent": digits})
    for domain, kind in shared_mail_domains():
        rows["program__shared_mail_domains"].append({"domain": domain, "kind": kind})
    arrow_types = {
        "text": pyarrow.string(),
        "boolean": pyarrow.bool_(),
        "integer": pyarrow.int32(),
        "bigint": pyarrow.int64(),
        "rate": pyarrow.decimal128(9, 6),
        "date": pyarrow.date32(),
        "timestamp": pyarrow.timestamp("us"),
    }
    return {
        name: pyarrow.Table.from_pylist(
            rows[name],
            schema=pyarrow.schema([(column, arrow_types[kind]) for column, kind in columns]),
        )
        for name, columns in TABLE_COLUMNS.items()
    }


def _add_run(rows: Rows, workspace: Workspace, as_of: date, run_id: str) -> None:
    identity = workspace.program.program
    rows["program__run"].append(
        {
            "run_id": run_id,
            "as_of": as_of,
            "as_of_end_at": day_end_utc(as_of, identity.timezone),
            "timezone": identity.timezone,
            "reporting_currency_code": identity.reporting_currency,
            "programme_id": identity.id,
            "programme_name": identity.name,
            "legal_entity": identity.legal_entity,
            "terms_hash": workspace.terms_hash,
            "next_pay_date": next_pay_date(workspace.program.payouts, as_of).pay_date,
        }
    )


def _add_sources(rows: Rows, workspace: Workspace) -> None:
    for rank, (name, source) in enumerate(workspace.sources.sources.items(), start=1):
        rows["program__sources"].append(
            {
                "source": name,
                "kind": source.kind,
                "source_rank": rank,
                "is_held_when_ended": getattr(source, "held", None) == "when_ended",
            }
        )
        fields = getattr(source, "fields", None)
        for field_name in sorted(type(fields).model_fields) if fields else ():
            for order, carrier in enumerate(getattr(fields, field_name), start=1):
                rows["program__source_fields"].append(
                    {
                        "source": name,
                        "field_name": field_name,
                        "field_order": order,
                        **_carrier(carrier),
                    }
                )
        rows["program__source_domains"].extend(
            {"source": name, "domain": domain.lower()}
            for domain in getattr(source, "own_domains", ())
        )


def _carrier(text: str) -> Row:
    """A place that can hold a value, as staging reads it: `path` is a JSON path."""
    # The words of a question can hold a colon as well; a path has none.
    carrier, _, name = text.partition(":")
    if name:
        return {"carrier": carrier, "field_path": name}
    path = "$" + "".join(f'."{part}"' for part in text.split("."))
    return {"carrier": "path", "field_path": path}


def _add_leads(rows: Rows, program: Program) -> None:
    for version, span in spans(program.lead):
        key = {"lead_version": version.effective_from.isoformat()}
        rows["program__lead_versions"].append(
            {
                **key,
                **span,
                "valid_when": version.valid_when,
                "scope": version.scope,
                "protection_days": version.protection_days,
                "stale_days": version.stale_days,
                "update_due_days": version.update_due_days,
                "reminder_days": version.reminder_days,
                "max_people_per_device": version.max_people_per_device,
                "max_customers_per_mailbox": version.max_customers_per_mailbox,
                "existing_customer": version.existing_customer,
                "open_opportunity": version.open_opportunity,
                "self_referral": version.self_referral,
            }
        )
        for list_name, domains in (
            ("own", version.own_domains),
            ("blocked", version.blocked_domains),
        ):
            rows["program__lead_domains"].extend(
                {**key, "list_name": list_name, "domain": domain} for domain in domains
            )
        rows["program__self_referral_allowed"].extend(
            {**key, "partner_id": partner_id} for partner_id in version.self_referral_allowed
        )


def _add_attribution(rows: Rows, program: Program) -> None:
    for version, span in spans(program.attribution):
        key = {"attribution_version": version.effective_from.isoformat()}
        rows["program__attribution_versions"].append(
            {
                **key,
                **span,
                "model": version.model,
                "touch_window_days": version.touch_window_days,
                "conversion_window_days": version.conversion_window_days,
                "collapse_repeats": version.collapse_repeats,
                "code_grace_hours": version.code_grace_hours,
                "after_earning": version.after_earning,
                "position_first_rate": version.position_based.first,
                "position_last_rate": version.position_based.last,
                "half_life_days": version.time_decay.half_life_days,
            }
        )
        rows["program__attribution_priority"].extend(
            {**key, "touch_type": touch_type, "priority_rank": rank}
            for rank, touch_type in enumerate(version.priority, start=1)
        )
        # A model that pays is not compared with itself.
        rows["program__attribution_models"].extend(
            {**key, "model": model, "is_paying": model == version.model}
            for model in dict.fromkeys([version.model, *version.compare_models])
        )
    rows["program__decay_weights"].extend(
        {"level": level, "step": step, "weight": weight} for level, step, weight in decay_weights()
    )


def _add_assignments(rows: Rows, program: Program) -> None:
    rows["program__groups"].extend(
        {"partner_group": group, "plan_id": plan_id}
        for group, plan_id in sorted(program.groups.items())
    )
    for partner_id in sorted({override.partner_id for override in program.overrides}):
        of_partner = [item for item in program.overrides if item.partner_id == partner_id]
        rows["program__overrides"].extend(
            {"partner_id": partner_id, "plan_id": override.plan, **span}
            for override, span in spans(of_partner)
        )


def _add_payouts(rows: Rows, program: Program, as_of: date) -> None:
    payouts = program.payouts
    first = add_years(as_of, -CALENDAR_YEARS_BEFORE)
    last = add_years(as_of, CALENDAR_YEARS_AFTER)
    rows["program__pay_calendar"].extend(
        {"rail": rail, "pay_date": day.pay_date, "cutoff_date": day.cutoff_date}
        for rail, days in rail_calendars(payouts, first, last).items()
        for day in days
    )
    rails = {"default": DEFAULT_RAIL, **payouts.rails}
    rows["program__rails"].extend(
        {"currency_code": code, "rail": rail} for code, rail in sorted(rails.items())
    )
    rows["program__payout_minimums"].extend(
        {"currency_code": code, "amount_minor": to_minor(amount, code)}
        for code, amount in sorted(payouts.minimum.items())
    )
