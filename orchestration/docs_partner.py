"""The page of one partner: all terms that hold for it, in words, each version with its days.

Days come from the terms, never from a clock: the same terms give the same page. What does not
belong here: the words of a plan (`docs_plan`) and of the programme (`docs_rules`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.docs_plan import span_text, version_lines, version_spans
from orchestration.docs_rules import attribution_lines, lead_lines, payout_lines

if TYPE_CHECKING:
    from program.schema import Program
    from program.schema_plans import PlanVersion

# The numbers are for whoever checks the product, not for whom it pays.
_RULE_NUMBERS = re.compile(r" \([A-Z]\d+(?:, [A-Z]\d+)*\)")


@dataclass(frozen=True)
class PageOf:
    """The partner as the directory has it. group: None for none."""

    partner_id: str
    name: str
    group: str | None
    payout_currency: str


@dataclass(frozen=True)
class Span:
    """A version of a plan for as long as it holds for one partner. end: exclusive; None: open."""

    plan_id: str
    version: PlanVersion
    start: date
    end: date | None
    is_override: bool


def directory(drop_folder: Path) -> list[PageOf]:
    """The partners of a dropped partners.csv, in its order."""
    with (drop_folder / "partners.csv").open(encoding="utf-8", newline="") as file:
        return [
            PageOf(row["partner_id"], row["name"], row["group"] or None, row["payout_currency"])
            for row in csv.DictReader(file)
        ]


def spans_of(program: Program, partner: PageOf) -> list[Span]:
    """Which versions hold for a partner, in order of time (T2): its overrides before its group."""
    group_plan = program.groups.get(partner.group or "", program.groups["default"])
    overrides = sorted(
        (each for each in program.overrides if each.partner_id == partner.partner_id),
        key=lambda override: override.effective_from,
    )
    starts = [date.min, *(override.effective_from for override in overrides)]
    ends = [*starts[1:], date.max]
    plan_ids = [group_plan, *(override.plan for override in overrides)]
    plans = {plan.id: plan for plan in program.plans}
    spans = []
    for number, (plan_id, first, last) in enumerate(zip(plan_ids, starts, ends, strict=True)):
        for version, start, end in version_spans(plans[plan_id]):
            begin, finish = max(first, start), min(last, end or date.max)
            if begin < finish:
                open_end = None if finish == date.max else finish
                spans.append(Span(plan_id, version, begin, open_end, number > 0))
    return spans


def partner_rules(program: Program, partner: PageOf, notice: str = "") -> str:
    """The page, in Markdown, ending in a newline. notice: a first line such as who generates it."""
    identity = program.program
    name = " ".join(partner.name.split()).replace("<", "&lt;") or partner.partner_id
    lines = [
        *([notice] if notice else []),
        f"# How {name} earns",
        "",
        f"Partner {partner.partner_id} of {identity.name}, group {partner.group or 'default'}, "
        f"paid in {partner.payout_currency} by {identity.legal_entity}. Days begin at midnight in "
        f"{identity.timezone}. What a payment in another currency earns is converted at the rate "
        "of its day.",
        "",
        *_terms(program, partner),
    ]
    for version in sorted(program.lead, key=lambda each: each.effective_from):
        lines += lead_lines(version)
    for version in sorted(program.attribution, key=lambda each: each.effective_from):
        lines += attribution_lines(version)
    lines += payout_lines(program.payouts, partner.payout_currency)
    return _RULE_NUMBERS.sub("", "\n".join(lines)).rstrip("\n") + "\n"


def _terms(program: Program, partner: PageOf) -> Iterator[str]:
    spans = spans_of(program, partner)
    if spans:
        yield (
            f"A lead that became valid before {spans[0].start} earns nothing. One that has earned "
            "already keeps the plan it began under, whatever the group is later."
        )
    else:
        yield "No version of a plan holds for this partner yet: nothing is earned."
    yield ""
    for span in spans:
        yield f"## What you earn, {span_text(span.start, span.end)}"
        yield ""
        chosen = "chosen for you" if span.is_override else "that of your group"
        yield f"Plan {span.plan_id}, {chosen}. " + (
            "A lead that becomes valid in this time keeps these terms, also later."
            if span.version.terms_follow == "pinned"
            else "What a lead earns goes by the terms of the day on which it is earned."
        )
        yield ""
        yield from version_lines(
            span.version, program.program.reporting_currency, partner.payout_currency
        )
        yield ""
