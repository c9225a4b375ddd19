"""The page of one partner: which terms hold when, in its currency, without rule numbers."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from cli_world import run_cli, write_home

from orchestration.docs_partner import PageOf, partner_rules, spans_of
from program.load import load_workspace
from program.schema import Program

PROGRAM = """\
program: {id: acme, name: Acme Partners, legal_entity: Acme Inc, timezone: UTC,
          reporting_currency: USD}
plans:
  - id: standard
    versions:
      - effective_from: 2026-01-01
        terms_follow: current
        components: [{id: r, kind: recurring, rate: 0.25}]
      - effective_from: 2025-01-01
        components: [{id: r, kind: recurring, rate: 0.20}]
  - id: vip
    versions:
      - effective_from: 2025-02-01
        components: [{id: e, kind: event, trigger: signup, amount: {USD: 50, EUR: 45}}]
groups: {default: standard, agency: vip}
overrides:
  - {partner_id: p_1, plan: standard, effective_from: 2026-03-01}
  - {partner_id: p_1, plan: vip, effective_from: 2025-06-01}
payouts: {minimum: {USD: 20, EUR: 30}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.yml").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "sources.yml").write_text("sources: {drop: {kind: files}}\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def program(folder: Path) -> Program:
    return load_workspace(folder).program


def _partner(partner_id: str = "p_1", group: str | None = "default") -> PageOf:
    return PageOf(partner_id, "Ann Partner", group, "EUR")


def test_overrides_hold_before_the_group_each_from_its_day(program: Program) -> None:
    spans = [
        (span.plan_id, span.version.effective_from.year, span.start, span.end, span.is_override)
        for span in spans_of(program, _partner())
    ]
    assert spans == [
        ("standard", 2025, date(2025, 1, 1), date(2025, 6, 1), False),
        ("vip", 2025, date(2025, 6, 1), date(2026, 3, 1), True),
        ("standard", 2026, date(2026, 3, 1), None, True),
    ]


@pytest.mark.parametrize("group", [None, "default", "unheard-of"])
def test_partner_without_a_known_group_has_the_default_plan(
    program: Program, group: str | None
) -> None:
    spans = spans_of(program, _partner("p_2", group))
    assert [(span.plan_id, span.start) for span in spans] == [
        ("standard", date(2025, 1, 1)),
        ("standard", date(2026, 1, 1)),
    ]


def test_page_names_each_span_whose_choice_it_is_and_how_long_leads_keep_it(
    program: Program,
) -> None:
    page = partner_rules(program, _partner())
    headings = [line for line in page.splitlines() if line.startswith("## What you earn")]
    assert headings == [
        "## What you earn, from 2025-01-01 to 2025-05-31",
        "## What you earn, from 2025-06-01 to 2026-02-28",
        "## What you earn, from 2026-03-01",
    ]
    assert "Plan standard, that of your group. A lead that becomes valid in this time keeps" in page
    assert "Plan vip, chosen for you." in page
    assert "What a lead earns goes by the terms of the day on which it is earned." in page
    assert "A lead that became valid before 2025-01-01 earns nothing." in page


def test_page_names_amounts_in_the_partners_currency_only(program: Program) -> None:
    page = partner_rules(program, _partner())
    assert "45.00 EUR, once per lead" in page
    assert "Less than 30.00 EUR waits" in page
    assert "USD" not in page


def test_page_has_no_rule_numbers_and_is_the_same_every_time(program: Program) -> None:
    page = partner_rules(program, _partner())
    assert re.findall(r"\([A-Z]\d", page) == []
    assert page == partner_rules(program, _partner())
    assert page.endswith(".\n")


def test_name_cannot_bring_markup_or_lines_into_the_page(program: Program) -> None:
    page = partner_rules(program, PageOf("p_1", "Ann\n# <b>Bo", "default", "EUR"))
    assert page.startswith("# How Ann # &lt;b>Bo earns\n")


def test_command_prints_the_page_and_writes_it_to_a_file(folder: Path, tmp_path: Path) -> None:
    home = write_home(tmp_path / "var")
    shown = run_cli("partner", "rules", "p1", "--program", str(folder), home=home)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("# How Ann Partner earns\n\nPartner p1 of Acme Partners, group ")
    file = tmp_path / "page.md"
    done = run_cli(
        "partner", "rules", "p1", "--program", str(folder), "--output", str(file), home=home
    )
    assert done.code == 0
    assert file.read_text(encoding="utf-8") == shown.out


def test_command_refuses_unknown_partners_and_files_in_one_line(
    folder: Path, tmp_path: Path
) -> None:
    home = write_home(tmp_path / "var")
    unknown = run_cli("partner", "rules", "p9", "--program", str(folder), home=home)
    assert (unknown.code, unknown.out, unknown.err.count("\n")) == (1, "", 1)
    nowhere = str(tmp_path / "no" / "page.md")
    refused = run_cli("partner", "rules", "p1", "--program", str(folder), "-o", nowhere, home=home)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "cannot be written" in refused.err
