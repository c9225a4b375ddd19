"""Comparing a night with the oracle, key by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.oracle import Attribution, DesiredLine, Result
from tests.oracle.caps import Cut
from tests.oracle.compared import RECOMPUTED
from tests.workspaces import PostedNight

KEY = "kind, component_id, source_type, source_id, partner_id, cause_type, cause_id"


def different(expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> dict[Any, tuple]:
    """(expected, found) by key, where they differ."""
    return {
        key: (expected.get(key), found.get(key))
        for key in sorted(expected.keys() | found.keys(), key=str)
        if expected.get(key) != found.get(key)
    }


def assert_equals_oracle(
    night: PostedNight, expected: Result, posted: Iterable[DesiredLine] = ()
) -> int:
    """Verdicts, desired lines and unpaid reasons are equal. Returns the number of lines.

    posted: bonuses of earlier nights. They stay with plan, amount and currency; the instant at
    which tonight's facts reach the threshold, if they do, is no part of the promise.
    """
    assert different(expected.submissions, _verdicts(night)) == {}
    found = _desired_lines(night)
    lines = _expected_lines(expected)
    for key in [bonus.natural_key for bonus in posted]:
        found[key], lines[key] = (_without_instant(rows[key]) for rows in (found, lines))
    assert different_but_for_rulings(lines, found) == {}
    unpaid = dict(
        night.rows("SELECT invoice_line_id, reason FROM intermediate.int_commission__unpaid_lines")
    )
    assert different(expected.unpaid, unpaid) == {}
    return len(lines)


def different_but_for_rulings(
    expected: dict[tuple, tuple], found: dict[tuple, tuple]
) -> dict[tuple, tuple]:
    """(expected, found) by natural key, where they differ; of what a ruling moved the net amounts.

    A6: what had been earned before a ruling stays with what was taken back of it, and linked
    `ruling` lines bring it to the new credits; the oracle says what it must come to. The share of a
    referrer follows. Lines: amount, currency, amount paid out, and more.
    """
    ruled = {key[1:4] for key in found if key[0] == "ruling"}
    ruled |= {
        key[1:4]
        for key in found | expected
        if key[2] == "commission" and tuple(key[3].split("/")[:3]) in ruled
    }
    if ruled:  # what had been taken back in full stays without such a line
        left = {key[1:5] for lines in (expected, found) for key in _net_of(lines, None)}
        expected, found = (
            {key: line for key, line in lines.items() if key[1:5] in left}
            for lines in (expected, found)
        )
    return different(_net_of(expected, ruled), _net_of(found, ruled))


def assert_cuts_equal_oracle(night: PostedNight, expected: Result) -> int:
    """C6: which lines were cut, by which cap, from what by how much. Returns their number."""
    found = {
        tuple(key): tuple(rest)
        for *key, rest in night.rows(
            "SELECT invoice_line_id, partner_id, component_id, (cap, cut_amount_minor, "
            "whole_amount_minor, currency_code, customer_id, earned_at) FROM marts.fct_cap_cuts"
        )
    }
    wanted = {
        key: (
            cut.cap,
            *_cut_of(cut),
            cut.claim.invoice.currency_code,
            cut.claim.invoice.customer_id,
            cut.claim.invoice.first_paid_at,
        )
        for key, cut in expected.cuts.items()
    }
    assert different(wanted, found) == {}
    return len(wanted)


def _cut_of(cut: Cut) -> tuple[int, int]:
    """What was cut, and from what: the partner's part where the programme's month cut most."""
    if cut.cap == "per_programme_month":
        return cut.by_cap[cut.cap], cut.part_minor
    return cut.whole_minor - cut.left_minor, cut.whole_minor


def assert_rates_equal_oracle(night: PostedNight, expected: Result) -> int:
    """C5, C7: the rate of each earning that has one for the whole line. Returns their number."""
    found = {
        tuple(key): Fraction(rate)
        for *key, rate in night.rows(
            "SELECT source_id, partner_id, component_id, rate "
            "FROM intermediate.int_journal__desired "
            "WHERE kind = 'earning' AND source_type = 'invoice_line' AND rate IS NOT NULL"
        )
    }
    wanted = {
        (line.source_id, line.partner_id, line.component_id): line.rate
        for line in expected.lines
        if line.kind == "earning" and line.source_type == "invoice_line" and line.rate is not None
    }
    assert different(wanted, found) == {}
    return len(wanted)


def assert_credits_equal_oracle(night: PostedNight, expected: Result) -> int:
    """Credits of every model in force, and what pays, are equal. Returns the number of leads."""
    leads = assert_leads_equal_oracle(night, expected)
    computed = {
        (leads[lead_id], model, partner_id): (ppm, is_paying)
        for lead_id, model, partner_id, ppm, is_paying in night.rows(
            "SELECT lead_id, model, partner_id, credit_ppm, is_paying "
            "FROM intermediate.int_attribution__model_credits WHERE credit_ppm > 0"
        )
    }
    wanted = {
        (members, model, partner_id): (ppm, model == lead.model)
        for members, lead in expected.attributions.items()
        for model in {lead.model, *lead.compare_models} & lead.credits_ppm.keys()
        for partner_id, ppm in lead.credits_ppm[model].items()
    }
    assert _by_member(different(wanted, computed)) == {}
    paying = {
        (leads[lead_id], partner_id): ppm
        for lead_id, partner_id, ppm in night.rows(
            "SELECT lead_id, partner_id, credit_ppm FROM intermediate.int_attribution__credits "
            "WHERE credit_ppm > 0"
        )
    }
    wanted = {
        (members, partner_id): ppm
        for members, lead in expected.attributions.items()
        if lead.valid_at is not None  # a ruling may await its lead
        for partner_id, ppm in lead.paying_ppm.items()
    }
    assert _by_member(different(wanted, paying)) == {}
    return len({members for members, _ in paying})


def assert_held_credits_equal_oracle(night: PostedNight, expected: Result) -> int:
    """A6: what decided on each lead, and whose credit a pin or a ruling keeps against the facts.

    Returns the number of leads on which a credit differs.
    """
    leads = assert_leads_equal_oracle(night, expected)
    decided = {
        leads[lead_id]: decided_by.partition(":")[0]
        for lead_id, decided_by in night.rows(
            "SELECT DISTINCT lead_id, decided_by FROM intermediate.int_attribution__credits "
            "WHERE partner_id IS NOT NULL AND credit_ppm > 0"
        )
    }
    paying = {
        members: _held_by(lead) or "computed"
        for members, lead in expected.attributions.items()
        if lead.valid_at is not None and lead.paying_ppm
    }
    names = {"pin": "pinned"}
    wanted = {members: names.get(held_by, held_by) for members, held_by in paying.items()}
    assert _by_first_member(different(wanted, decided)) == {}
    kept = {
        (leads[lead_id], partner_id): (held_by, credit_ppm, computed_ppm)
        for lead_id, partner_id, held_by, credit_ppm, computed_ppm in night.rows(
            "SELECT lead_id, partner_id, held_by, credit_ppm, computed_credit_ppm "
            "FROM intermediate.int_attribution__discrepancies WHERE scope_type = 'lead'"
        )
    }
    wanted = {
        (members, partner_id): (_held_by(lead), *(credits.get(partner_id, 0) for credits in both))
        for members, lead in expected.attributions.items()
        if lead.valid_at is not None and _held_by(lead)
        for both in [(lead.paying_ppm, lead.computed_ppm)]
        for partner_id in both[0].keys() | both[1].keys()
        if both[0].get(partner_id) != both[1].get(partner_id)
    }
    assert _by_member(different(wanted, kept)) == {}
    return len({members for members, _ in kept})


def _held_by(lead: Attribution) -> str:
    """`ruling`, or `pin` where it overrules the computation."""
    if lead.is_ruled:
        return "ruling"
    return "pin" if lead.is_pinned and lead.paying_ppm != lead.computed_ppm else ""


def assert_comparison_equals_oracle(night: PostedNight, expected: Result) -> int:
    """A7: what each model would have paid. Returns the number of rows.

    Of `recomputed` what would move: the rows in which nothing moves are nobody's question.
    """
    found = {
        tuple(key): (paying, model, moved)
        for *key, paying, model, moved in night.rows(
            "SELECT model, partner_id, currency_code, paying_amount_minor, model_amount_minor, "
            "moved_amount_minor FROM marts.fct_attribution_comparison"
        )
    }
    wanted = {
        key: (paying, model, model - paying) for key, (paying, model) in expected.comparison.items()
    }
    assert different(_moved(wanted), _moved(found)) == {}
    return len(_moved(wanted))


def _moved(rows: Mapping[tuple, tuple]) -> dict[tuple, object]:
    kept = {key: row[2] if key[0] == RECOMPUTED else row for key, row in rows.items()}
    return {key: row for key, row in kept.items() if row not in (0, (0, 0, 0))}


def assert_leads_equal_oracle(night: PostedNight, expected: Result) -> dict[str, frozenset[str]]:
    """F3, F4: the same records are one lead. Returns the records of each lead id."""
    records: dict[str, set[str]] = {}
    for lead_id, record_type, record_id in night.rows(
        "SELECT lead_id, record_type, record_id FROM intermediate.int_identity__lead_records"
    ):
        entity = "lead_entries" if record_type == "lead_entry" else f"{record_type}s"
        records.setdefault(lead_id, set()).add(f"{entity}:{record_id}")
    leads = {lead_id: frozenset(members) for lead_id, members in records.items()}
    # Alone and without credits: there a customer known from its subscription only, here a record
    # that names nobody.
    known = set().union(*expected.attributions)
    found = {members for members in leads.values() if len(members) > 1 or members & known}
    missing = {
        members
        for members, lead in expected.attributions.items()
        if members not in found and (len(members) > 1 or lead.credits_ppm)
    }
    assert {min(members) for members in missing | (found - expected.attributions.keys())} == set()
    return leads


def _by_member(differences: dict[tuple, tuple]) -> dict[tuple, tuple]:
    """Leads by one of their records, for messages."""
    return {(min(members), *rest): pair for (members, *rest), pair in differences.items()}


def _by_first_member(differences: dict[frozenset[str], tuple]) -> dict[str, tuple]:
    return {min(members): pair for members, pair in differences.items()}


def _verdicts(night: PostedNight) -> dict[str, tuple]:
    return {
        key: tuple(rest)
        for key, *rest in night.rows(
            "SELECT submission_key, partner_id, verdict, rival_key "
            "FROM intermediate.int_leads__verdicts"
        )
    }


def _without_instant(line: tuple) -> tuple:
    return tuple(None if isinstance(value, datetime) else value for value in line)


def _net_of(
    lines: dict[tuple, tuple], ruled: set[tuple[str, str, str]] | None
) -> dict[tuple, tuple]:
    """Lines of ruled sources (None: all) as one net amount by partner; nets of 0 are left out."""
    kept: dict[tuple, tuple] = {}
    for key, line in lines.items():
        if ruled is None or key[1:4] in ruled:
            place = ("net", *key[1:5])
            amount, payout = kept.get(place, (0, 0))
            kept[place] = (amount + line[0], payout + line[2])
        else:
            kept[key] = line
    return {key: line for key, line in kept.items() if line != (0, 0)}


def _desired_lines(night: PostedNight) -> dict[tuple, tuple]:
    # No source dates a void: the available date of its correction is a decision, not a rule.
    references = referred_earnings(night)
    return {
        with_reference(row[:7], references): tuple(row[7:])
        for row in night.rows(
            f"""
            SELECT {KEY}, amount_minor, currency_code, payout_amount_minor, payout_currency_code,
                plan_id, plan_version, earned_at, fx_rate_date,
                CASE WHEN kind <> 'correction' THEN available_date END
            FROM intermediate.int_journal__desired
            """
        )
    }


def referred_earnings(night: PostedNight) -> dict[str, str]:
    """How the oracle calls the earnings that a referrer may share, by commission_id."""
    return {
        commission_id: "/".join(names)
        for commission_id, *names in night.rows(
            "SELECT commission_id, component_id, source_type, source_id, partner_id "
            "FROM intermediate.int_journal__desired WHERE kind = 'earning' "
            "UNION SELECT commission_id, component_id, source_type, source_id, partner_id "
            "FROM raw.journal__entries WHERE entry_kind = 'earning'"
        )
    }


def with_reference(key: tuple, references: Mapping[str, str]) -> tuple:
    """A natural key whose source, if it is a commission, is called as the oracle calls it."""
    kind, component_id, source_type, source_id, *rest = key
    if source_type == "commission":
        source_id = references.get(source_id, source_id)
    return (kind, component_id, source_type, source_id, *rest)


def _expected_lines(expected: Result) -> dict[tuple, tuple]:
    return {
        line.natural_key: (
            line.amount_minor,
            line.currency_code,
            line.payout_amount_minor,
            line.payout_currency_code,
            line.plan_id,
            str(line.plan_version),
            line.earned_at,
            line.fx_rate_date,
            None if line.kind == "correction" else line.available_date,
        )
        for line in expected.lines
    }
