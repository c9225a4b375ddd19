"""C1 to C8, R1 to R7: worked examples that vendors and standards publish, and what our text makes
of them.

One file per vendor in `commission_vendor_examples/`: where it is published, what it says, and for
each example the terms, the facts and our cents, worked out from the rules by hand. `published` are
the vendor's cents for the same keys; `differs` says why ours are others. Each example has a plan, a
partner and customers of its own; one night serves them all.

A key of `cents` is an invoice line, an event's component, a period of a bonus, or one of these with
the kind and the cause of what took back (`line refund r1`); `sum` is the sum of everything. What
does not belong here: building the facts (`vendor_facts.py`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from program.currencies import exponent
from tests.sql.vendor_facts import facts_of, program_of
from tests.workspaces import post_night, read_program, write_workspace

pytestmark = pytest.mark.sql

FOLDER = Path(__file__).parent / "commission_vendor_examples"
FILES = {
    path.stem: read_program(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*.yml"))
}
EXAMPLES = {example["example"]: example for file in FILES.values() for example in file["examples"]}
COMPARED = [name for name, example in EXAMPLES.items() if "published" in example]
LAST_NIGHT = date(2026, 12, 31)


@pytest.fixture(scope="module")
def cents(tmp_path_factory) -> dict[str, dict[str, int]]:
    """Example to key to what the journal holds, in minor units of the partner's currency."""
    root = tmp_path_factory.mktemp("commission_vendors")
    rates = [rate for file in FILES.values() for rate in file.get("fx_rates", ())]
    workspace = write_workspace(root / "workspace", program_of(EXAMPLES), facts_of(EXAMPLES, rates))
    night = post_night(workspace, root / "var", LAST_NIGHT)
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for partner_id, component_id, source_type, source_id, kind, cause_id, amount in night.rows(
        "SELECT partner_id, component_id, source_type, source_id, entry_kind, cause_id, "
        "CAST(sum(payout_amount_minor) AS bigint) FROM raw.journal__entries GROUP BY ALL"
    ):
        is_line = source_type == "invoice_line"
        key = source_id.removeprefix(f"{partner_id}_") if is_line else component_id
        if source_type == "period":
            key = f"{component_id} {source_id}"
        if cause_id:
            key = f"{key} {kind} {cause_id.removeprefix(f'{partner_id}_')}"
        found[partner_id][key] += amount
        found[partner_id]["sum"] += amount
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_cents_of_the_example_are_those_of_our_text(cents, name) -> None:
    expected = EXAMPLES[name]["cents"]
    found = cents[name]
    if set(expected) != {"sum"}:
        assert found.keys() - {"sum"} == expected.keys() - {"sum"}
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("name", COMPARED)
def test_our_cents_are_the_published_ones_or_the_difference_is_told(name) -> None:
    example = EXAMPLES[name]
    ours = {key: example["cents"].get(key, 0) for key in example["published"]}
    # Where a vendor publishes what the customer pays, ours is a share of it.
    ours = {key: amount * example.get("times", 1) for key, amount in ours.items()}
    assert (ours == example["published"]) is ("differs" not in example)


@pytest.mark.parametrize("file", FILES)
def test_example_names_its_source_and_adds_up(file) -> None:
    told = FILES[file]
    assert all(told[key] for key in ("vendor", "source", "seen", "published"))
    assert told["source"].startswith("https://")
    for example in told["examples"]:
        parts = {key: amount for key, amount in example["cents"].items() if key != "sum"}
        if parts and "sum" in example["cents"]:
            assert sum(parts.values()) == example["cents"]["sum"]


def test_exponents_are_those_of_the_standard() -> None:
    assert {code: exponent(code) for code in FILES["iso4217"]["exponents"]} == FILES["iso4217"][
        "exponents"
    ]


def test_examples_come_from_several_vendors_and_some_differ() -> None:
    assert len({file["vendor"] for file in FILES.values()}) >= 12
    assert len(COMPARED) >= 20
    assert len([name for name in COMPARED if "differs" in EXAMPLES[name]]) >= 8
