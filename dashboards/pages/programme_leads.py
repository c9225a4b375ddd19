"""Leads: how many stand where, by stage and verdict, and the list behind each number.

What does not belong here: one lead (`programme_lead`) and registrations
(`programme_registrations`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dashboards import addresses, words
from dashboards.paging import SIZE, asked_code, asked_text, window
from dashboards.registrations import waiting_registrations
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

NOBODY = "nobody"
UNATTRIBUTED = "unattributed"
LEAD_VERDICTS = {
    "valid": words.VERDICTS["valid"],
    "pending": "Not valid yet",
    "own_domain": words.VERDICTS["own_domain"],
    "blocked": words.VERDICTS["blocked"],
    UNATTRIBUTED: "Valid, nobody credited",
}


@dataclass(frozen=True)
class Asked:
    """What the list is filtered by; empty text: not. submission: a verdict that one of the lead's
    submissions has. partner: credited with the lead, or its submitter."""

    stage: str
    verdict: str
    submission: str
    partner: str
    owner: str
    search: str

    def address(self, **changes: str) -> str:
        """The address of the list with other filters."""
        filters = asdict(replace(self, **changes))
        filters["q"] = filters.pop("search")
        return addresses.leads(**filters)


def leads(visit: Visit) -> Response:
    """The list, with a tile per stage and verdict."""
    asked = Asked(
        stage=asked_code(visit, "stage", words.LEAD_STAGES),
        verdict=asked_code(visit, "verdict", LEAD_VERDICTS),
        submission=asked_code(visit, "submission", words.VERDICTS),
        partner=asked_text(visit, "partner"),
        owner=asked_text(visit, "owner"),
        search=asked_text(visit, "q"),
    )
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in visit.rows("programme/leads_counts", **asdict(asked)):
        counts[row["facet"]][row["code"]] = row["leads"]
    total = counts["all"][""]
    found = visit.rows("programme/leads", **asdict(asked), **window(visit, "leads"))
    return visit.render(
        "programme/leads.html",
        tables=[_table(found, total), waiting_table(visit)],
        asked=asked,
        total=total,
        page_number=visit.page_number(),
        page_size=SIZE,
        stages=_tiles(asked, "stage", counts["stage"], words.LEAD_STAGES, is_whole=True),
        verdicts=_tiles(asked, "verdict", counts["verdict"], LEAD_VERDICTS),
        submissions=_tiles(asked, "submission", counts["submission"], words.VERDICTS),
        owners=[
            ("", "Anybody"),
            (NOBODY, "Nobody"),
            *((row["owner"],) * 2 for row in visit.rows("programme/lead_owners")),
        ],
        partners=visit.rows("programme/partner_names"),
    )


def _tiles(
    asked: Asked,
    facet: str,
    counts: dict[str, int],
    labels: dict[str, str],
    is_whole: bool = False,
) -> list[dict[str, Any]]:
    """One per value that some lead has. is_whole: those without any lead too."""
    chosen = getattr(asked, facet)
    return [
        {
            "label": label,
            "count": counts.get(code, 0),
            "address": asked.address(**{facet: "" if code == chosen else code}),
            "is_chosen": code == chosen,
        }
        for code, label in labels.items()
        if is_whole or counts.get(code) or code == chosen
    ]


def _table(rows: list[dict[str, Any]], total: int) -> Table:
    return Table(
        "leads",
        "Leads",
        [
            Column("lead_id", "Lead", "id", href=lambda row: addresses.lead(row["lead_id"])),
            Column("company_domain", "Company"),
            Column("email_masked", "Person"),
            Column("stage", "Stage", "badge", words=words.LEAD_STAGES),
            Column("verdict", "Verdict", "badge", words=LEAD_VERDICTS),
            Column("rule", "Rule", is_csv_only=True),
            Column("partners", "Credited"),
            Column("owner", "Owner"),
            Column("valid_at", "Valid since", "instant"),
            Column("customer_id", "Customer", is_csv_only=True),
            Column("first_payment_at", "First payment", "instant", is_csv_only=True),
            Column("first_seen_at", "First seen", "instant", is_csv_only=True),
            Column("last_moved_at", "Last moved", "instant"),
        ],
        rows,
        empty="No lead matches. Take a filter away.",
        total=total,
    )


def waiting_table(visit: Visit) -> Table:
    """Registrations that wait for a decision, and submissions that belong to no lead."""
    rows = waiting_registrations(visit)
    shown = rows if visit.wants_csv else rows[:SIZE]
    return Table(
        "registrations",
        "Registrations to decide, and submissions without a lead",
        [
            Column(
                "submission_key", "Submission", "id",
                href=lambda row: addresses.registration(row["submission_key"])
                if row["is_decidable"] else None,
            ),
            Column("submission_type", "Kind", words=words.SUBMISSION_TYPES),
            Column(
                "partner_id", "Partner", "id",
                href=lambda row: addresses.partner(row["partner_id"]),
            ),
            Column("lead_id", "Lead", "id", href=lambda row: addresses.lead(row["lead_id"])),
            Column("submitted_at", "Sent in", "instant"),
            Column("status", "State", "badge"),
            Column("verdict", "Verdict", "badge", words=words.VERDICTS),
        ],
        shown,
        empty="Nothing waits.",
        total=len(rows),
        note="The CSV has all of them." if len(shown) < len(rows) else "",
    )  # fmt: skip


ENTRIES = [page("/leads", leads, STAFF)]
