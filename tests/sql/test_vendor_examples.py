"""A3, M3: worked examples that vendors of attribution publish, and what our text makes of them.

One file per vendor in `attribution_vendor_examples/`: where it is published, what it says, the path
with each touch's age in days, and our credits worked out from the rules. `published` is what the
vendor computes, to within what its page rounds; `differs` says why ours is another number. All
leads share one night: a version of the attribution for each distinct setting, every model computed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.workspaces import post_night, read_program, write_workspace

pytestmark = pytest.mark.sql

FOLDER = Path(__file__).parent / "attribution_vendor_examples"
FILES = {
    path.stem: read_program(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*.yml"))
}
LEADS = {lead["lead"]: lead for file in FILES.values() for lead in file["leads"]}
CREDITS = [(name, model) for name, lead in LEADS.items() for model in lead["credits"]]
SALES = [name for name, lead in LEADS.items() if "sale_minor" in lead]

MODELS = ("last_touch", "first_touch", "linear", "position_based", "time_decay")
FIRST_YEAR = 2015
PROGRAM = """\
program: {id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}
lead: [{effective_from: 2015-01-01, valid_when: demo_booked}]
plans:
  - id: standard
    versions:
      - effective_from: 2015-01-01
        components: [{id: recurring, kind: recurring, rate: 0.20}]
groups: {default: standard}
payouts: {rails: {default: csv}}
"""


def _distinct_settings() -> list[dict[str, Any]]:
    """Settings of the attribution versions; each is in force for the one year of its leads."""
    found: list[dict[str, Any]] = []
    for lead in LEADS.values():
        if lead["settings"] not in found:
            found.append(lead["settings"])
    return found


def _program() -> str:
    versions = [
        {
            "effective_from": f"{FIRST_YEAR + number}-01-01",
            "compare_models": [model for model in MODELS if model != settings["model"]],
            **settings,
        }
        for number, settings in enumerate(_distinct_settings())
    ]
    return f"{PROGRAM}attribution: {json.dumps(versions, default=float)}\n"


def _valid_at(lead: dict[str, Any]) -> datetime:
    year = FIRST_YEAR + _distinct_settings().index(lead["settings"])
    return datetime(year, 6, 15, 12, tzinfo=UTC)


def _facts() -> dict[str, list[dict[str, str]]]:
    """One account per lead: its touches, the demo that makes it valid, a sale where one is told."""
    facts: dict[str, list[dict[str, str]]] = defaultdict(list)
    for name, lead in LEADS.items():
        valid_at, email = _valid_at(lead), f"eve@{name.replace('_', '-')}.test"
        for channel in dict.fromkeys(channel for channel, _ in lead["path"]):
            partner = f"{name}_{channel}"
            facts["partners"].append(
                {
                    "partner_id": partner,
                    "name": partner,
                    "email": f"me@{partner.replace('_', '-')}.example",
                    "status": "active",
                }
            )
        for number, (channel, days) in enumerate(lead["path"]):
            facts["touchpoints"].append(
                {
                    "touchpoint_id": f"{name}_{number}",
                    "occurred_at": (valid_at - timedelta(days=days)).isoformat(),
                    "touch_type": "referral_link",
                    "partner_id": f"{name}_{channel}",
                    "email": email,
                }
            )
        facts["meetings"].append(
            {
                "meeting_id": name,
                "booked_at": valid_at.isoformat(),
                "starts_at": (valid_at + timedelta(days=1)).isoformat(),
                "outcome": "held",
                "email": email,
            }
        )
        if "sale_minor" in lead:
            _sell(facts, name, email, str(lead["sale_minor"]), valid_at + timedelta(days=2))
    return facts


def _sell(facts: dict, name: str, email: str, amount_minor: str, at: datetime) -> None:
    facts["customers"].append({"customer_id": name, "created_at": at.isoformat(), "email": email})
    facts["invoices"].append(
        {
            "invoice_id": name,
            "customer_id": name,
            "status": "paid",
            "currency_code": "USD",
            "issued_at": at.isoformat(),
            "paid_at": at.isoformat(),
            "total_minor": amount_minor,
        }
    )
    facts["invoice_lines"].append(
        {"invoice_line_id": name, "invoice_id": name, "amount_minor": amount_minor}
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    root = tmp_path_factory.mktemp("vendors")
    workspace = write_workspace(root / "workspace", _program(), _facts())
    last_day = date(FIRST_YEAR + len(_distinct_settings()) - 1, 12, 31)
    return post_night(workspace, root / "var", last_day)


@pytest.fixture(scope="module")
def credits_ppm(night) -> dict[tuple[str, str], dict[str, int]]:
    """(lead, model) to channel to parts per million; the lead is known by its touches."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for partner_id, model, ppm in night.rows(
        "SELECT partner_id, model, CAST(sum(credit_ppm) AS bigint) "
        "FROM intermediate.int_attribution__model_credits GROUP BY ALL HAVING sum(credit_ppm) <> 0"
    ):
        lead = max((name for name in LEADS if partner_id.startswith(f"{name}_")), key=len)
        found[lead, model][partner_id.removeprefix(f"{lead}_")] = ppm
    return found


@pytest.mark.parametrize(("lead", "model"), CREDITS)
def test_credits_of_the_example_are_those_of_our_text(credits_ppm, lead, model) -> None:
    assert credits_ppm[lead, model] == LEADS[lead]["credits"][model]["ppm"]


@pytest.mark.parametrize(
    ("lead", "model"),
    [(name, model) for name, model in CREDITS if "published" in LEADS[name]["credits"][model]],
)
def test_our_credits_are_the_published_ones_or_the_difference_is_told(lead, model) -> None:
    example = LEADS[lead]["credits"][model]
    published = {channel: Decimal(share) for channel, share in example["published"].items()}
    assert published.keys() == example["ppm"].keys()
    is_equal = all(
        abs(Decimal(example["ppm"][channel]) / 1_000_000 - share) <= example["within"]
        for channel, share in published.items()
    )
    assert is_equal is ("differs" not in example)


@pytest.mark.parametrize("lead", SALES)
def test_cents_of_the_example_are_those_of_our_text(night, lead) -> None:
    earned = night.rows(
        f"SELECT partner_id, amount_minor FROM raw.journal__entries WHERE source_id = '{lead}'"
    )
    cents = {partner.removeprefix(f"{lead}_"): amount for partner, amount in earned}
    example = LEADS[lead]
    assert cents == example["cents"]
    assert sum(cents.values()) * 5 == example["sale_minor"]
    assert (cents == example["published_cents"]) is ("cents_differ" not in example)


@pytest.mark.parametrize("file", FILES)
def test_example_names_its_source_and_gives_away_the_whole(file) -> None:
    example = FILES[file]
    assert example["source"].startswith("https://")
    assert all(example[key] for key in ("vendor", "seen", "published"))
    for lead in example["leads"]:
        for credit in lead["credits"].values():
            assert sum(credit["ppm"].values()) == 1_000_000


def test_examples_come_from_several_vendors() -> None:
    assert len({file["vendor"] for file in FILES.values()}) >= 3
