"""The same billing history gives the same commissions whichever door it comes through.

Three doors of one company: files, a Stripe account in the shape before API version 2025-03-31, and
one in the shape after it. Every history is told behind each door under ids of its own, so that one
warehouse computes all three; without the number of the door the results must be equal. The first
night lists the accounts, the second is told by events what changed.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime

import pytest

from tests.fakes.stripe_server import FakeStripe
from tests.oracle.facts import Facts, Zone
from tests.properties import histories
from tests.properties.billing_stories import BILLING, known_by, pick, plain, tell
from tests.properties.comparison import different
from tests.properties.stripe_translation import Account, Shape, translate
from tests.properties.test_warehouse_against_oracle import PROGRAMMES
from tests.workspaces import PostedNight, post_night, write_drop

pytestmark = pytest.mark.sql

COMPANIES = 70
FILES, OLD, NEW = 1, 2, 3
SHAPES = {OLD: Shape.OLD, NEW: Shape.NEW}
FIRST_PULL, LAST_PULL = datetime(2025, 11, 15), datetime(2026, 11, 20, 3, 0)
NIGHTS = (date(2025, 10, 31), date(2026, 3, 31))
# The clock of the pulls; the event feed must reach from one to the other.
CLOCKS = (datetime(2026, 11, 19, 3, 0), LAST_PULL)
QUESTIONS = {
    "lines": """
        SELECT kind, component_id, source_type, source_id, partner_id, cause_type, cause_id,
            amount_minor, currency_code, payout_amount_minor, payout_currency_code, earned_at,
            effective_date, available_date, plan_id, plan_version, fx_rate_date
        FROM intermediate.int_journal__desired""",
    "entries": """
        SELECT entry_kind, component_id, source_type, source_id, partner_id, cause_type, cause_id,
            amount_minor, currency_code, payout_amount_minor, payout_currency_code,
            effective_date, available_date
        FROM raw.journal__entries""",
    "unpaid": "SELECT invoice_line_id, reason FROM intermediate.int_commission__unpaid_lines",
    "verdicts": """
        SELECT submission_key, partner_id, verdict, rival_key
        FROM intermediate.int_leads__verdicts""",
    "held": """
        SELECT source_id, kind, component_id, partner_id, cause_id, dispute_id
        FROM intermediate.int_adjustment__dispute_holds
        INNER JOIN intermediate.int_journal__desired USING (commission_id)""",
}
Answers = dict[int, dict[str, Counter]]


@dataclass(frozen=True)
class Outcome:
    """What each night said by question and door; requests: paths asked in the second night."""

    nights: tuple[Answers, Answers]
    requests: list[str]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> Outcome:
    """Two nights over the three doors."""
    root = tmp_path_factory.mktemp("doors")
    text = (PROGRAMMES / "mixed.yml").read_text(encoding="utf-8")
    doors = (FILES, OLD, NEW)
    text = text.replace("prod_setup", ", ".join(f"prod_{door}_setup" for door in doors))
    zone = Zone("America/New_York")
    stories: dict[int, Facts] = {}
    drop: dict[str, list] = {}
    for door in doors:
        facts = histories.build(34, COMPANIES, first=door * 1000)
        _add_to_drop(drop, facts)
        stories[door] = tell(facts, door, 32, zone, FIRST_PULL, LAST_PULL)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("STRIPE_API_KEY", "secret-of-the-test")
        servers = {door: stack.enter_context(FakeStripe(page_cap=50)) for door in SHAPES}
        workspace = root / "workspace"
        workspace.mkdir()
        (workspace / "program.yml").write_text(text, encoding="utf-8")
        (workspace / "sources.yml").write_text(_sources(servers), encoding="utf-8")
        write_drop(workspace / "drop", drop)

        write_drop(workspace / "billing", known_by(stories[FILES], zone, FIRST_PULL))
        accounts = {}
        for door, shape in SHAPES.items():
            accounts[door] = translate(known_by(stories[door], zone, FIRST_PULL), shape, zone)
            _add_a_draft(accounts[door])
            accounts[door].serve(servers[door])
        first = _answers(post_night(workspace, root / "var", NIGHTS[0], CLOCKS[0]))
        seen = {door: len(server.log) for door, server in servers.items()}

        write_drop(workspace / "billing", stories[FILES])
        for door, shape in SHAPES.items():
            account = translate(stories[door], shape, zone)
            _delete_some_customers(account, accounts[door])
            account.serve(servers[door])
            account.tell_changes(accounts[door], servers[door], shape)
        second = _answers(post_night(workspace, root / "var", NIGHTS[1], CLOCKS[1]))
        requests = [path for door in SHAPES for path in servers[door].paths()[seen[door] :]]
    return Outcome((first, second), requests)


def _add_to_drop(drop: dict[str, list], facts: Facts) -> None:
    """What is no billing. The directory of partners is shared; the partner's own address, by
    which its submissions would be joined over all doors, is left out."""
    for entity, rows in facts.items():
        if entity in ("partners", "partner_codes", "fx_rates"):
            drop.setdefault(entity, rows)
        elif entity not in BILLING:
            told = [row for row in rows if row.get("email") != "me@p-usd.test"]
            drop.setdefault(entity, []).extend(told)


def _sources(servers: dict[int, FakeStripe]) -> str:
    lines = ["sources:", "  drop: {kind: files, path: drop}"]
    lines.append(f"  billing_{FILES}: {{kind: files, path: billing}}")
    for door, server in servers.items():
        settings = f"api_version: {SHAPES[door].value}, changes: events"
        lines.append(
            f'  billing_{door}: {{kind: stripe, base_url: "{server.base_url}", {settings}}}'
        )
    return "\n".join(lines) + "\n"


def _add_a_draft(account: Account) -> None:
    """A draft that is deleted before the second night; files never hear of it."""
    customer_id, customer = next(iter(account.objects["customer"].items()))
    account.add(
        "invoice", "inv_deleted", customer["created"], customer=customer_id, status="draft",
        currency="usd", total=100, status_transitions={}, lines={"data": [], "has_more": False},
    )  # fmt: skip


def _delete_some_customers(account: Account, before: Account) -> None:
    for customer_id in before.objects["customer"]:
        if pick(customer_id, "deleted", 12) == 0:
            account.delete("customer", customer_id)


def _answers(night: PostedNight) -> Answers:
    """How often each row came out, by question and door, without the number of the door."""
    answers: Answers = {door: {name: Counter() for name in QUESTIONS} for door in (1, 2, 3)}
    for name, sql in QUESTIONS.items():
        for row in night.rows(sql):
            door = next(
                int(found[1])
                for found in (re.search(r"_([1-9])\d{3}_", str(value)) for value in row)
                if found
            )
            answers[door][name][tuple(map(_plain, row))] += 1
    return answers


def _plain(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = re.sub(r"^billing_\d:", "billing:", plain(value))
    # The old shape has no note that is partly before and partly after payment: it is two notes.
    return re.sub(r"^(cn_\w+)p:", r"\1:", text)


@pytest.mark.parametrize("night", [0, 1], ids=["listed", "told_by_events"])
@pytest.mark.parametrize("door", [OLD, NEW], ids=["old_shape", "new_shape"])
@pytest.mark.parametrize("question", list(QUESTIONS))
def test_stripe_and_files_say_the_same(outcome: Outcome, question, door, night) -> None:
    answers = outcome.nights[night]
    assert different(answers[FILES][question], answers[door][question]) == {}


def test_histories_hold_what_the_doors_tell_differently(outcome: Outcome) -> None:
    first, second = ({name: answers[name] for name in QUESTIONS} for answers in (
        outcome.nights[0][FILES], outcome.nights[1][FILES]
    ))  # fmt: skip
    kinds = Counter(row[0] for row in second["lines"])
    assert {kind for kind, rows in kinds.items() if rows >= 3} >= {
        "earning", "refund", "chargeback", "reinstatement", "credit_note", "correction",
    }  # fmt: skip
    assert first["lines"].total() > 100
    assert second["lines"].total() > first["lines"].total() + 100
    assert second["unpaid"].total() > 100
    assert first["held"].total() > 5


def test_second_night_asks_only_for_what_events_name(outcome: Outcome) -> None:
    asked = Counter(re.sub(r"_[^/]*", "", path.rsplit("/", 1)[0]) for path in outcome.requests)
    assert asked["/v1/invoices"] > 100
    assert asked["/v1/invoices/inv"] > 5, "long invoices are read line by line again"
    listed = {path for path in outcome.requests if path.count("/") == 2}
    # What belongs to something is listed by it; balance transactions have no events.
    assert listed <= {
        "/v1/events", "/v1/invoice_payments", "/v1/refunds", "/v1/balance_transactions",
    }  # fmt: skip
