"""A programme small enough to work out by hand: one partner, one lead, one invoice, one refund.

Ann's link is clicked on 5 January by eve@buyer.example, who books a demo on the 8th (the lead is
valid), attends on the 10th (bounty 50.00), pays an invoice of 100.00 on the 15th (20 % = 20.00)
and gets 25.00 back on 1 February (a quarter, so 5.00 is taken back): 65.00 in all, available from
14 February on.
"""

from pathlib import Path

PROGRAM = """\
program: {id: tiny, name: Tiny, legal_entity: Tiny Inc, timezone: UTC, reporting_currency: USD}
lead:
  - {effective_from: 2025-01-01, valid_when: demo_booked, own_domains: [tiny.example]}
attribution:
  - {effective_from: 2025-01-01, model: last_touch, compare_models: [first_touch]}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - {id: demo-bounty, kind: event, trigger: demo_held, amount: {USD: 50.00}}
          - id: recurring
            kind: recurring
            rate: 0.20
            duration: {months: 12, basis: charge_start}
        hold: {days: 30, after: paid}
groups: {default: standard}
payouts:
  schedule: {frequency: monthly, cutoff: month_end, pay_day: 15, business_day: next}
  minimum: {USD: 50.00}
  rails: {default: csv}
  gates: [status]
roles: {partnerships: [ana@tiny.example], finance: [ben@tiny.example], analyst: [], admin: []}
"""

SOURCES = "sources: {drop: {kind: files, path: drop}}\n"

FILES = {
    "partners.csv": """\
partner_id,name,email,status,payout_currency,joined_at
p1,Ann Partner,ann@partner.example,active,USD,2025-06-01T00:00:00Z
""",
    "partner_codes.csv": """\
code,partner_id,code_type
ann,p1,referral_link
""",
    "touchpoints.csv": """\
touchpoint_id,occurred_at,touch_type,code,email
t1,2026-01-05T10:00:00Z,referral_link,ann,eve@buyer.example
""",
    "meetings.csv": """\
meeting_id,booked_at,starts_at,outcome,email
m1,2026-01-08T10:00:00Z,2026-01-10T10:00:00Z,held,eve@buyer.example
""",
    "customers.csv": """\
customer_id,created_at,email
c1,2026-01-14T00:00:00Z,eve@buyer.example
""",
    "invoices.csv": """\
invoice_id,customer_id,status,currency_code,issued_at,paid_at,total_minor
i1,c1,paid,USD,2026-01-15T00:00:00Z,2026-01-15T12:00:00Z,10000
""",
    "invoice_lines.csv": """\
invoice_line_id,invoice_id,amount_minor
l1,i1,10000
""",
    "refunds.csv": """\
refund_id,invoice_id,amount_minor,refunded_at
r1,i1,2500,2026-02-01T12:00:00Z
""",
}


def write_tiny_workspace(directory: Path) -> Path:
    """Write the workspace into `directory` and return it."""
    drop = directory / "drop"
    drop.mkdir(parents=True)
    (directory / "program.yml").write_text(PROGRAM, encoding="utf-8")
    (directory / "sources.yml").write_text(SOURCES, encoding="utf-8")
    for name, text in FILES.items():
        (drop / name).write_text(text, encoding="utf-8")
    return directory
