"""localstripe as a separate process on loopback, filled through the official SDK.

Only HTTP is spoken with it. What does not belong here: the programme and its expected commissions.
Traps (sources.md, section 8): it listens on all interfaces by itself, and it keeps its store in one
fixed file of the temporary folder; both are taken care of here.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOOPBACK_ONLY = Path(__file__).resolve().parent / "loopback_only"
API_KEY = "sk_test_partnerledger"
_START_SECONDS = 60


@contextmanager
def running_localstripe(folder: Path) -> Iterator[str]:
    """Start a fresh server; yields its base URL and stops it on leaving.

    folder: private, for its store and its log.
    """
    script = Path(sys.executable).parent / "localstripe"
    port = _free_port()
    environment = {**os.environ, "PYTHONPATH": str(LOOPBACK_ONLY), "TMPDIR": str(folder)}
    with (folder / "localstripe.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(script), "--port", str(port), "--from-scratch"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_listening(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Billing:
    """The few things that the story does in billing, through the official SDK."""

    def __init__(self, base_url: str) -> None:
        import stripe

        self._api = stripe.StripeClient(
            API_KEY, base_addresses={"api": base_url}, max_network_retries=0
        ).v1

    def plan(self, name: str, amount_minor: int, currency: str, interval: str) -> str:
        """A product with one plan; returns the plan's id."""
        product = self._api.products.create({"name": name, "type": "service"})
        return self._api.plans.create(
            {
                "product": product.id,
                "amount": amount_minor,
                "currency": currency,
                "interval": interval,
                "nickname": name,
            }
        ).id

    def customer(self, email: str | None = None, code: str | None = None) -> str:
        """A customer with a card that works; code goes where Stripe customers carry it."""
        fields: dict[str, Any] = {}
        if email:
            fields["email"] = email
        if code:
            fields["metadata"] = {"partner_code": code}
        customer = self._api.customers.create(fields)
        method = self._api.payment_methods.create(
            {
                "type": "card",
                "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040,
                         "cvc": "123"},
            }
        )  # fmt: skip
        self._api.payment_methods.attach(method.id, {"customer": customer.id})
        self._api.customers.update(
            customer.id, {"invoice_settings": {"default_payment_method": method.id}}
        )
        return customer.id

    def subscribe(self, customer_id: str, plan_id: str) -> str:
        """A subscription, charged at once; returns the id of its paid invoice."""
        self._api.subscriptions.create({"customer": customer_id, "items": [{"plan": plan_id}]})
        (invoice,) = self._api.invoices.list({"customer": customer_id}).data
        assert invoice.status == "paid"
        return invoice.id

    def refund(self, invoice_id: str, amount_minor: int) -> str:
        """Give back a part of what an invoice was paid with."""
        charge = self._api.invoices.retrieve(invoice_id).charge
        charge_id = charge if isinstance(charge, str) else charge.id
        return self._api.refunds.create({"charge": charge_id, "amount": amount_minor}).id

    def line_of(self, invoice_id: str) -> str:
        """Id of the only line of an invoice."""
        (line,) = self._api.invoices.retrieve(invoice_id).lines.data
        return line.id


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_listening(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "localstripe stopped while starting; see localstripe.log"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"localstripe did not listen on port {port} in {_START_SECONDS} s")
