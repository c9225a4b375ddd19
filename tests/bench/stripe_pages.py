"""A loopback server with Stripe-shaped invoices, made once and served as ready bytes.

Runs in a process of its own, so that what it costs is not counted as the client's. Prints its
address, then serves until it is killed: `python -m tests.bench.stripe_pages INVOICES`.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 100


def invoice(number: int) -> dict[str, Any]:
    """One paid invoice with one to three lines, of the size that Stripe's own sample has."""
    created = 1_735_700_000 + number * 60
    lines = [
        {
            "id": f"il_{number}_{line}",
            "object": "line_item",
            "amount": 4_900 + line,
            "currency": "usd",
            "description": "Subscription, one month, billed in advance",
            "discount_amounts": [],
            "discountable": True,
            "discounts": [],
            "invoice": f"in_{number:09d}",
            "livemode": False,
            "metadata": {"team": "growth", "region": "north", "cost_centre": f"{number % 97}"},
            "parent": {
                "type": "subscription_item_details",
                "subscription_item_details": {
                    "proration": False,
                    "proration_details": {"credited_items": None},
                    "subscription": f"sub_{number % 5000}",
                    "subscription_item": f"si_{number % 5000}",
                },
                "invoice_item_details": None,
            },
            "period": {"start": created, "end": created + 2_592_000},
            "pricing": {
                "type": "price_details",
                "price_details": {"product": "prod_main", "price": "price_main"},
                "unit_amount_decimal": "4900",
            },
            "quantity": 1,
            "subtotal": 4_900 + line,
            "taxes": [{"amount": 490, "tax_behavior": "exclusive", "taxable_amount": 4_900}],
        }
        for line in range(1 + number % 3)
    ]
    total = sum(line["amount"] + 490 for line in lines)
    nothing = dict.fromkeys(
        "account_tax_ids application custom_fields default_payment_method default_source "
        "description due_date footer from_invoice invoice_pdf last_finalization_error "
        "latest_revision next_payment_attempt on_behalf_of receipt_number rendering "
        "shipping_cost shipping_details statement_descriptor test_clock webhooks_delivered_at "
        "customer_phone customer_shipping customer_tax_exempt ending_balance".split()
    )
    return {
        "id": f"in_{number:09d}",
        "object": "invoice",
        "account_country": "US",
        "account_name": "Example Incorporated",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": total,
        "amount_remaining": 0,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": created,
        "currency": "usd",
        "customer": f"cus_{number % 5000}",
        "customer_address": {"country": "US", "line1": "1 Example Street", "postal_code": "10001"},
        "customer_email": f"someone-{number % 5000}@example.test",
        "customer_name": "Someone Somewhere",
        "default_tax_rates": [],
        "discounts": [],
        "hosted_invoice_url": "https://invoice.example.test/i/acct_1/live_" + f"{number:0120d}",
        "lines": {"object": "list", "data": lines, "has_more": False, "url": "/v1/invoices/lines"},
        "livemode": False,
        "metadata": {"order": f"{number}"},
        "number": f"A-{number:09d}",
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": f"sub_{number % 5000}", "metadata": {}},
        },
        "payment_settings": {"payment_method_options": None, "payment_method_types": None},
        "period_end": created,
        "period_start": created,
        "starting_balance": 0,
        "status": "paid",
        "status_transitions": {
            "finalized_at": created,
            "marked_uncollectible_at": None,
            "paid_at": created + 60,
            "voided_at": None,
        },
        "subtotal": total - 490 * len(lines),
        "total": total,
        "total_discount_amounts": [],
        "total_taxes": [{"amount": 490 * len(lines), "tax_behavior": "exclusive"}],
        **nothing,
    }


def main() -> None:
    """Serve `sys.argv[1]` invoices, newest first, under any list path."""
    count = int(sys.argv[1])
    pages: dict[str, bytes] = {}
    cursor = ""
    for end in range(count, 0, -PAGE):
        found = [invoice(number) for number in range(end - 1, max(end - PAGE, 0) - 1, -1)]
        page = {"object": "list", "url": "/v1/invoices", "data": found, "has_more": end > PAGE}
        pages[cursor] = json.dumps(page, indent=2).encode()
        cursor = found[-1]["id"]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            params = parse_qs(urlsplit(self.path).query)
            body = pages[params.get("starting_after", [""])[0]]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Request-Id", "req_bench")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    size = sum(map(len, pages.values())) // count
    print(json.dumps({"port": server.server_address[1], "bytes_per_row": size}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
