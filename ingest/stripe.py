"""The streams of Stripe, or of a server that speaks its API.

Belongs here: which lists there are, what belongs to them, the client. Does not belong here: when
and how they are asked for (`stripe_changes`, `stripe_lists`, `stripe_events`), retries (`http`),
landing (`pull`), rows (`objects`), any meaning of an object. Source: sources.md section 4.1.

What a full list no longer has becomes a tombstone only where Stripe deletes: customers, products,
coupons, promotion codes, subscriptions. Money rows never vanish that way: an invoice, a charge or a
refund is evidence, its end is a status, and a list that lacks one is a fault of the list; a deleted
draft invoice is told by an event and answers 404. Nor do prices: their list leaves out those that
were made inline with an invoice, and a price that was used cannot be deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ingest.connectors import Connector
from ingest.http import HttpClient
from ingest.pull import Stream
from ingest.secrets import read_secret
from ingest.stripe_changes import ObjectStream
from ingest.stripe_events import EventStream
from ingest.stripe_lists import Embedded
from ingest.stripe_named import Named, NamedByParent
from ingest.stripe_webhooks import WebhookStream

OBJECTS = (
    ObjectStream(
        "customers",
        "/v1/customers",
        "customers",
        keeps_vanished=True,
        # A discount that is given or taken is told of the discount, not of what it is on.
        named=(Named("customer"), Named("discount", "customer")),
    ),
    ObjectStream(
        "subscriptions",
        "/v1/subscriptions",
        "subscriptions",
        # Without status=all Stripe leaves canceled subscriptions out, and churn is unseen.
        variants=({"status": "all"},),
        expand="discounts",
        keeps_vanished=True,
        embedded=Embedded("items", "items", "/v1/subscription_items", "subscription"),
        embedded_relation="subscription_items",
        named=(Named("subscription"), Named("discount", "subscription")),
    ),
    # Without `active` this list has archived products too.
    ObjectStream(
        "products", "/v1/products", "products", keeps_vanished=True, named=(Named("product"),)
    ),
    ObjectStream(
        "prices",
        "/v1/prices",
        "prices",
        # Without `active` this list has only active prices.
        variants=({"active": "false"}, {"active": "true"}),
        named=(Named("price"),),
    ),
    ObjectStream(
        "coupons", "/v1/coupons", "coupons", keeps_vanished=True, named=(Named("coupon"),)
    ),
    ObjectStream(
        "promotion_codes",
        "/v1/promotion_codes",
        "promotion codes",
        keeps_vanished=True,
        named=(Named("promotion_code"),),
    ),
    ObjectStream(
        "invoices",
        "/v1/invoices",
        "invoices",
        # The promotion code that was used stands in the discount.
        expand="discounts",
        embedded=Embedded("lines", "lines", "/v1/invoices/{id}/lines"),
        embedded_relation="invoice_lines",
        named=(
            Named("invoice"),
            Named("invoice_payment", "invoice"),
            Named("credit_note", "invoice"),
        ),
    ),
    ObjectStream(
        "charges",
        "/v1/charges",
        "charges and refunds",
        named=(Named("charge"), Named("refund", "charge"), Named("dispute", "charge")),
    ),
    ObjectStream(
        "invoice_payments",
        "/v1/invoice_payments",
        "invoices",
        created_since="2025-11-17",
        # Only a payment that succeeded has an event of its own.
        named=(Named("invoice_payment"),),
        by_parent=NamedByParent(
            "invoice", (Named("invoice"), Named("invoice_payment", "invoice")), parent="invoice"
        ),
    ),
    ObjectStream(
        "refunds",
        "/v1/refunds",
        "charges and refunds",
        # Old API versions have no event of the refund itself, only of its charge.
        named=(Named("refund"),),
        by_parent=NamedByParent(
            "charge", (Named("charge", event_type="charge.refunded"),), parent="charge"
        ),
    ),
    ObjectStream("disputes", "/v1/disputes", "disputes", named=(Named("dispute"),)),
    ObjectStream("credit_notes", "/v1/credit_notes", "credit notes", named=(Named("credit_note"),)),
    # Append-only, and without events.
    ObjectStream("balance_transactions", "/v1/balance_transactions", "balance transactions"),
)


def streams(settings: Any) -> list[Stream]:
    """The streams that the settings choose; events before the objects that they name."""
    if settings is None:
        return [EventStream(), WebhookStream(), *OBJECTS]
    chosen: list[Stream] = []
    if "events" in settings.streams:
        chosen.append(EventStream())
    if settings.webhooks is not None:
        chosen.append(WebhookStream())
    follows = settings.changes == "events"
    for each in OBJECTS:
        if each.name in settings.streams:
            needs = ("events",) if follows and each.named else ()
            chosen.append(replace(each, needs=needs))
    return chosen


def open_client(source: str, settings: Any, pause: Callable[[float], None]) -> HttpClient:
    """The client of a Stripe source. Raises: PermanentSourceError without a usable key."""
    return HttpClient(
        label=source,
        base_url=settings.base_url,
        token=read_secret(source, settings.api_key_env, "api_key_env"),
        token_env=settings.api_key_env,
        timeout_seconds=settings.timeout_seconds,
        headers={"Stripe-Version": settings.api_version},
        pause=pause,
    )


CONNECTOR = Connector(streams, open_client)
