"""Models with several credited partners: equal to the oracle, and what must hold of any credits.

One night tells the same companies three times under other ids (doors): as they are, with the rows
in another order, and with touches that no rule lets count.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date

import pytest

from tests.oracle import Result, compute
from tests.oracle.facts import Facts
from tests.properties import histories
from tests.properties.billing_stories import plain
from tests.properties.comparison import (
    assert_comparison_equals_oracle,
    assert_credits_equal_oracle,
    assert_equals_oracle,
    different,
)
from tests.properties.test_warehouse_against_oracle import PROGRAMMES
from tests.properties.variants import BYSTANDER, reordered, with_irrelevant_touches
from tests.workspaces import PostedNight, post_night, read_program, write_workspace

pytestmark = pytest.mark.sql

AS_OF = date(2026, 3, 31)
COMPANIES = 110
TOLD, REORDERED, WITH_MORE_TOUCHES = 1, 2, 3
DIRECTORY = ("partners", "partner_codes", "products", "fx_rates")
QUESTIONS = {
    "credits": """
        WITH leads AS (
            SELECT lead_id, min(touch_id) AS touch_id
            FROM intermediate.int_leads__touches GROUP BY lead_id
        )
        SELECT leads.touch_id, model, partner_id, credit_ppm, is_paying
        FROM intermediate.int_attribution__model_credits AS credits
        INNER JOIN leads ON credits.lead_id = leads.lead_id""",
    "verdicts": """
        SELECT submission_key, partner_id, verdict, rival_key
        FROM intermediate.int_leads__verdicts""",
    "lines": """
        SELECT kind, component_id, source_type, source_id, partner_id, cause_type, cause_id,
            amount_minor, currency_code, payout_amount_minor, payout_currency_code, earned_at,
            available_date, plan_id, plan_version, fx_rate_date
        FROM intermediate.int_journal__desired""",
    "unpaid": "SELECT invoice_line_id, reason FROM intermediate.int_commission__unpaid_lines",
}
Answers = dict[str, Counter]


@dataclass(frozen=True)
class Outcome:
    """A night, what the oracle says of the same facts, and the facts."""

    night: PostedNight
    expected: Result
    facts: Facts


def _outcome(root, name: str, facts: Facts) -> Outcome:
    text = (PROGRAMMES / f"{name}.yml").read_text(encoding="utf-8")
    workspace = write_workspace(root / "workspace", text, facts)
    night = post_night(workspace, root / "var", AS_OF, marts=["fct_attribution_comparison"])
    return Outcome(night, compute(facts, read_program(text), AS_OF), facts)


@pytest.fixture(scope="module")
def doors(tmp_path_factory) -> Outcome:
    """The night over the three doors."""
    program = read_program((PROGRAMMES / "linear.yml").read_text(encoding="utf-8"))
    window_days = 90
    told = {door: _companies(door) for door in (TOLD, REORDERED, WITH_MORE_TOUCHES)}
    told[REORDERED] = reordered(told[REORDERED], seed=3)
    plainly = compute(told[WITH_MORE_TOUCHES], program, AS_OF)
    told[WITH_MORE_TOUCHES] = with_irrelevant_touches(told[WITH_MORE_TOUCHES], plainly, window_days)
    facts: Facts = {}
    for door in told.values():
        for entity, rows in door.items():
            if entity in DIRECTORY:
                facts.setdefault(entity, rows)
            else:
                facts.setdefault(entity, []).extend(rows)
    return _outcome(tmp_path_factory.mktemp("doors"), "linear", facts)


@pytest.fixture(scope="module")
def versions(tmp_path_factory) -> Outcome:
    """A night under time decay and, from June, under positions without collapsing."""
    facts = histories.build(52, 300, many_touches=True)
    return _outcome(tmp_path_factory.mktemp("versions"), "decay_then_position", facts)


def _companies(door: int) -> Facts:
    """The companies of a door. The partner's own address would join them over all doors."""
    facts = histories.build(51, COMPANIES, first=door * 1000, many_touches=True)
    facts["partners"].append({"partner_id": BYSTANDER, "name": "By", "email": "by@stander.test"})
    forms = [row for row in facts["form_submissions"] if row["email"] != "me@p-usd.test"]
    return facts | {"form_submissions": forms}


@pytest.fixture(params=["doors", "versions"])
def outcome(request) -> Outcome:
    """Each of the two nights."""
    return request.getfixturevalue(request.param)


def test_shared_credits_equal_oracle(outcome: Outcome) -> None:
    leads = assert_credits_equal_oracle(outcome.night, outcome.expected)
    shared = [a for a in outcome.expected.attributions.values() if len(a.paying_ppm) > 1]
    assert leads > 150
    assert len(shared) > 50


def test_parts_of_lines_equal_oracle(outcome: Outcome) -> None:
    assert assert_equals_oracle(outcome.night, outcome.expected) > 1000
    kinds = Counter(line.kind for line in outcome.expected.lines)
    assert {kind for kind, rows in kinds.items() if rows >= 5} >= {"earning", "refund", "churn"}


def test_compared_models_equal_oracle(outcome: Outcome) -> None:
    assert assert_comparison_equals_oracle(outcome.night, outcome.expected) > 50


def test_credits_of_each_lead_and_model_sum_to_a_million(outcome: Outcome) -> None:
    for table, by in (
        ("int_attribution__model_credits", "lead_id, model"),
        ("int_attribution__credits", "lead_id"),
    ):
        sums = outcome.night.rows(
            f"SELECT DISTINCT sum(credit_ppm), min(credit_ppm) >= 0 "
            f"FROM intermediate.{table} GROUP BY {by}"
        )
        assert sums == [(1_000_000, True)], table


def test_every_submission_has_exactly_one_verdict(outcome: Outcome) -> None:
    verdicts = outcome.night.rows(
        "SELECT submission_key, verdict FROM intermediate.int_leads__verdicts"
    )
    registered = {
        f"drop:deal_registrations:{row['registration_id']}"
        for row in outcome.facts["deal_registrations"]
    }
    # A form of a code that had ended by then names no partner.
    filled = {
        f"drop:form_submissions:{row['submission_id']}" for row in outcome.facts["form_submissions"]
    }
    keys = [key for key, _ in verdicts]
    assert len(keys) == len(set(keys))
    assert registered <= set(keys) <= registered | filled
    assert all(verdict for _, verdict in verdicts)


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_order_of_input_rows_never_matters(doors: Outcome, question: str) -> None:
    answers = _answers(doors.night, question)
    assert answers[TOLD].total() > 100
    assert different(answers[TOLD], answers[REORDERED]) == {}


@pytest.mark.parametrize("question", list(QUESTIONS))
def test_irrelevant_touches_change_nothing(doors: Outcome, question: str) -> None:
    answers = _answers(doors.night, question)
    assert different(answers[TOLD], answers[WITH_MORE_TOUCHES]) == {}


def test_irrelevant_touches_are_there(doors: Outcome) -> None:
    ((touches, leads, types),) = doors.night.rows(
        "SELECT count(*), count(DISTINCT lead_id), count(DISTINCT touch_type) "
        f"FROM intermediate.int_leads__touches WHERE partner_id = '{BYSTANDER}'"
    )
    assert touches > 200
    assert leads > 100
    assert types > 3


def _answers(night: PostedNight, question: str) -> dict[int, Counter]:
    """How often each row came out, by door, without the number of the door."""
    answers: dict[int, Counter] = {door: Counter() for door in (TOLD, REORDERED, WITH_MORE_TOUCHES)}
    for row in night.rows(QUESTIONS[question]):
        (door,) = {int(found) for found in re.findall(r"_([1-9])\d{3}_", str(row))}
        answers[door][tuple(plain(v) if isinstance(v, str) else v for v in row)] += 1
    return answers
