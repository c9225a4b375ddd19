"""The shapes that staging reads and that tests invent, against the vendor's own samples.

Stripe publishes one object of each kind in the current shape (stripe/openapi, `fixtures3.json`).
In a folder that PARTNERLEDGER_VENDOR_SAMPLES names, or in `shared/data/vendor` beside the
repository, every path that staging reads must be there; what is not is listed here with its reason,
so that nobody reads a member that Stripe never had.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.bench.stripe_pages import invoice

ROOT = Path(__file__).resolve().parents[3]
VARIABLE = "PARTNERLEDGER_VENDOR_SAMPLES"
BESIDE = ROOT.parent / "shared" / "data" / "vendor"
FIXTURES = Path(os.environ.get(VARIABLE) or BESIDE) / "stripe" / "fixtures3.json"
STAGING = ROOT / "dbt_project" / "models" / "staging" / "stripe"

RESOURCES = {
    "balance_transactions": "balance_transaction",
    "charges": "charge",
    "coupons": "coupon",
    "credit_notes": "credit_note",
    "customers": "customer",
    "disputes": "dispute",
    "events": "event",
    "invoice_discounts": "invoice",
    "invoice_lines": "line_item",
    "invoice_payments": "invoice_payment",
    "invoices": "invoice",
    "prices": "price",
    "products": "product",
    "promotion_codes": "promotion_code",
    "refunds": "refund",
    "subscription_items": "subscription_item",
    "subscriptions": "subscription",
}
PRE_BASIL = {
    "charges": {"invoice"},
    "credit_notes": {"refund"},
    "invoice_lines": {
        "plan.product",
        "price.product",
        "proration",
        "tax_amounts",
        "tax_amounts.amount",
        "tax_amounts.inclusive",
    },
    "invoice_discounts": {"coupon", "discount"},
    "invoices": {"charge", "payment_intent"},
    "promotion_codes": {"coupon"},
}
"""Read for versions before 2025-03-31, and gone since (Stripe's changelog of that version)."""
UNSEEN: dict[str, dict[str, type]] = {
    "customers": {"deleted": stripe.Customer},
    "invoice_lines": {
        "pricing.price_details": stripe.InvoiceLineItem.Pricing,
        "pricing.price_details.product": stripe.InvoiceLineItem.Pricing.PriceDetails,
        "pricing.price_details.price": stripe.InvoiceLineItem.Pricing.PriceDetails,
    },
    "invoice_payments": {
        "payment.charge": stripe.InvoicePayment.Payment,
        "payment.payment_intent": stripe.InvoicePayment.Payment,
    },
}
"""Left out of the samples where they are empty; the official SDK's class has them."""
HELPERS = re.compile(
    r"json_(?:text|id|sum|elements)\(\s*'(\w+(?:\.\w+)?)',\s*'([^']+)'(?:,\s*'([^']+)')?\s*\)"
)
PLAIN = re.compile(r"json_extract\((\w+), '\$\.([^']+)'\)")


@pytest.fixture(scope="module")
def samples() -> dict[str, Any]:
    """The vendor's samples by kind of object."""
    if not FIXTURES.exists():
        pytest.skip(f"no stripe/fixtures3.json (of stripe/openapi) in the folder of {VARIABLE}")
    return json.loads(FIXTURES.read_text(encoding="utf-8"))["resources"]


def paths_read(sql: str) -> set[tuple[str, str]]:
    """Pairs of column and path that a staging model reads, list positions left out."""
    found = set()
    for call in HELPERS.finditer(sql):
        column, path, member = call.groups()
        column = column.rsplit(".", 1)[-1]
        if "json_sum" in call.group(0):
            found.add((column, f"{path}.{member}"))
        else:
            found.add((column, path))
    found |= {(column, path) for column, path in PLAIN.findall(sql)}
    return {(column, re.sub(r"\[[0-9*]+\]", "", path)) for column, path in found}


def has(sample: Any, path: str) -> bool:
    """Whether a path is in a sample. Below null and empty lists nothing is known: it may be."""
    if isinstance(sample, list):
        return not sample or any(has(each, path) for each in sample)
    if sample is None or not path:
        return True
    if not isinstance(sample, dict):
        return False
    name, _, rest = path.partition(".")
    return name in sample and has(sample[name], rest)


def key_paths(found: Any, path: str = "") -> Iterator[str]:
    """Every path of names in an object; members of `metadata` are free."""
    if isinstance(found, list):
        for each in found:
            yield from key_paths(each, path)
    elif isinstance(found, dict):
        for name, each in found.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            if name != "metadata":
                yield from key_paths(each, inner)


@pytest.mark.parametrize("model", sorted(RESOURCES))
def test_every_path_that_staging_reads_is_in_the_vendors_sample(samples, model: str) -> None:
    sql = (STAGING / f"stg_stripe__{model}.sql").read_text(encoding="utf-8")
    sample = samples[RESOURCES[model]]
    read = paths_read(sql)
    assert read
    owner = {"line": samples["line_item"], "item": sample, "discount": samples["discount"]}
    embedding = {"lines.data": samples["invoice"], "items.data": samples["subscription"]}
    absent = set()
    for column, path in read:
        # An id that can be expanded is read as `path.id` too: the member itself counts.
        of_column = embedding.get(path, owner.get(column, sample))
        if not has(of_column, path.removesuffix(".id")):
            absent.add(path)
    old = PRE_BASIL.get(model, set())
    assert absent - old - UNSEEN.get(model, {}).keys() == set()


def test_every_staging_model_is_looked_at() -> None:
    models = {path.stem.removeprefix("stg_stripe__") for path in STAGING.glob("stg_stripe__*.sql")}
    assert models == set(RESOURCES)


def test_every_old_path_is_still_read_and_still_gone(samples) -> None:
    for model, paths in PRE_BASIL.items():
        sql = (STAGING / f"stg_stripe__{model}.sql").read_text(encoding="utf-8")
        read = {path for _, path in paths_read(sql)}
        for path in paths - {"tax_amounts.inclusive"}:
            assert path in read, (model, path)
        gone = [path for path in paths if not has(samples[RESOURCES[model]], path)]
        assert gone, model


def test_invoices_of_the_benchmark_have_the_vendors_shape(samples) -> None:
    found = invoice(7)
    lines = found.pop("lines")
    sample = samples["invoice"]
    assert [path for path in key_paths(found) if not has(sample, path)] == []
    known = UNSEEN["invoice_lines"]
    for line in lines["data"]:
        paths = [path for path in key_paths(line) if path not in known]
        assert [path for path in paths if not has(samples["line_item"], path)] == []


def test_what_the_samples_leave_out_is_in_the_official_sdk() -> None:
    for paths in UNSEEN.values():
        for path, owner in paths.items():
            assert path.rsplit(".", 1)[-1] in owner.__annotations__, path


def test_samples_know_what_the_connector_reads_of_them(samples) -> None:
    assert has(samples["event"], "data.object.id")
    assert has(samples["event"], "data.object.object")
    assert "created" in samples["event"]
    for member in ("lines", "discounts"):
        assert member in samples["invoice"]
    for member in ("items", "discounts"):
        assert member in samples["subscription"]
    for kind, parent in (("invoice_payment", "invoice"), ("refund", "charge")):
        assert parent in samples[kind]
    for kind in ("credit_note", "dispute", "discount"):
        assert samples[kind]["object"] == kind
