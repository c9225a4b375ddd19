"""A batch's whole life on each rail: two partners, one is paid, one comes back and is paid later.

What belongs here: doing it. What does not: expectations. Accounts are published examples of their
registries or invented; the holders' names occur nowhere else, so that a search for them is sharp.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from payouts.details import (
    Details,
    NachaDetails,
    NachaPayer,
    PaypalDetails,
    PaypalPayer,
    SepaDetails,
    SepaPayer,
    WiseDetails,
    WisePayer,
)
from payouts.files.references import end_to_end_id
from payouts.payee_details import approve_details, confirm_details, partner_owner, payer_owner
from payouts.payee_details import propose_details as propose_record
from payouts.payees import record_payee
from payouts.records import BatchSummary, load_content
from payouts.selection import RAILS_WITH_DETAILS
from payouts.settlement.applying import confirm_sent, settle
from payouts.vault import open_vault
from tests.unit.payouts.payout_world import APPROVALS, BEN, DAN, RULES, World, entry
from tests.unit.payouts.settlement.bank_files import (
    Move,
    camt,
    nacha,
    nacha_return,
    pain002,
    paypal,
    status_csv,
)

RAILS = ("csv", *RAILS_WITH_DETAILS)
KEY = base64.b64encode(hashlib.sha256(b"the key of a life").digest()).decode()
CURRENCIES = {"csv": "USD", "sepa": "EUR", "nacha": "USD", "paypal": "USD", "wise": "GBP"}
AMOUNTS = {"p_1": 15000, "p_2": 8000}
# Noon of these days: a Monday, and a Wednesday after the cooling-off.
FIRST_DAY, READ_DAY, SECOND_DAY = date(2026, 3, 16), date(2026, 3, 18), date(2026, 4, 15)
SECOND_NIGHT = date(2026, 3, 31)
PAYERS: dict[str, Details] = {
    "sepa": SepaPayer(name="Acme Inc", iban="BE68539007547034", country="BE", town="Brussels"),
    "nacha": NachaPayer(
        name="Acme Inc", origin_id="1234567890", origin_name="Acme Inc",
        destination_routing="091000019", destination_name="First Bank", company_id="1234567890",
        odfi_routing="091000019",
    ),
    "paypal": PaypalPayer("."),
    "wise": WisePayer("EUR"),
}  # fmt: skip
# The first two are those of p_1 and p_2, the third p_2's new ones.
PAYEES: dict[str, tuple[Details, Details, Details]] = {
    "sepa": (
        SepaDetails("Quillfeather Handel GmbH", "DE89370400440532013000"),
        SepaDetails("Tamsin Oakhollow", "NL91ABNA0417164300"),
        SepaDetails("Tamsin Oakhollow-Bright", "FR1420041010050500013M02606"),
    ),
    "nacha": (
        NachaDetails("Quillfeather LLC", "021000021", "987600054321", "checking", "business"),
        NachaDetails("Tamsin Oakhollow", "121042882", "445566778899", "savings", "individual"),
        NachaDetails("Tamsin Brightholl", "011401533", "112244668800", "checking", "individual"),
    ),
    "paypal": (
        PaypalDetails("Quillfeather LLC", "pay@quillfeather.example", "email", "PAYPAL"),
        PaypalDetails("Tamsin Oakhollow", "tamsin@oakhollow.example", "email", "PAYPAL"),
        PaypalDetails("Tamsin Oakhollow", "new@oakhollow.example", "email", "PAYPAL"),
    ),
    "wise": (
        WiseDetails("Quillfeather Ltd", "148149706", "pay@quillfeather.example"),
        WiseDetails("Tamsin Oakhollow", "148149707", "tamsin@oakhollow.example"),
        WiseDetails("Tamsin Oakhollow", "148149799", "new@oakhollow.example"),
    ),
}


@dataclass
class Life:
    """A home on one rail. ``batches``: in the order of their export."""

    rail: str
    world: World
    batches: list[BatchSummary] = field(default_factory=list)

    @classmethod
    def begin(cls, home: Path, rail: str) -> Life:
        """150.00 and 80.00 earned, everybody payable."""
        life = cls(rail, World.create(home, "OFF"))
        world = life.world
        if rail != "csv":
            life.put(payer_owner(rail), PAYERS[rail], datetime(2026, 2, 1))
        for number, (partner_id, amount_minor) in enumerate(AMOUNTS.items()):
            world.partner(partner_id, f"Agency {number + 1}")
            world.ready_payee(partner_id)
            if rail != "csv":
                life.put(partner_owner(partner_id), PAYEES[rail][number], datetime(2026, 2, 1))
            world.desire(
                entry(
                    f"il_{number}", amount_minor, partner_id=partner_id,
                    currency_code=CURRENCIES[rail],
                )
            )  # fmt: skip
        world.post()
        return life

    @property
    def rules(self):
        """Payout rules that pay everything by this rail."""
        return replace(RULES, rails={"default": self.rail}, minimums_minor={})

    @property
    def vault(self):
        """The home's vault."""
        return open_vault(self.world.home, KEY)

    def put(self, owner: str, details: Details, at: datetime) -> None:
        """Details proposed by Ben; Dan asks the old contact and approves."""
        store = self.world.store
        said = {"rules": APPROVALS, "recorded_at": at}
        record = propose_record(store, self.vault, owner, details, actor=BEN, **said)
        if record.confirmation_needed:
            confirm_details(
                store, owner, record.details_id, reason="called the number on file", actor=DAN,
                **said,
            )  # fmt: skip
        approve_details(
            store, owner, record.details_id, reason="checked", actor=DAN, cooling_off_days=7,
            timezone="UTC", **said,
        )  # fmt: skip

    def pay(self, as_of: date, day: date) -> dict[str, int]:
        """Propose, approve by two people, export for ``day``; amounts by partner."""
        (batch,) = self.world.propose(as_of=as_of, rules=self.rules)
        self.world.approve_fully(batch)
        # Held against the night before.
        self.world.export(
            batch, as_of=day - timedelta(days=1), rules=self.rules, vault=self.vault,
            execution_date=day, today=day,
        )  # fmt: skip
        self.batches.append(batch)
        with self.world.store.read() as connection:
            items = load_content(connection, batch.batch_id).items
        return {item.partner_id: item.amount_minor for item in items}

    def payouts(self) -> dict[str, str]:
        """Payout ids of the last batch by partner."""
        with self.world.store.read() as connection:
            items = load_content(connection, self.batches[-1].batch_id).items
        return {item.partner_id: item.payout_id for item in items}

    def read(self, content: bytes, name: str = "bank of DE89370400440532013000.txt"):
        """Settle a file; banks put account numbers into names."""
        return settle(
            self.world.store, self.world.home, content, name, actor=BEN, rules=APPROVALS,
            timezone="UTC", read_at=datetime.combine(READ_DAY, datetime.min.time()),
        )  # fmt: skip

    def bank_answers(self) -> None:
        """The rail's own files: p_1 was paid, the payout of p_2 came back. Dan uploaded them."""
        confirm_sent(
            self.world.store, self.batches[-1].batch_id, reference="UPLOAD 77", actor=DAN,
            rules=APPROVALS, recorded_at=datetime.combine(FIRST_DAY, datetime.min.time()),
        )  # fmt: skip
        paid, back = (self.payouts()[partner_id] for partner_id in ("p_1", "p_2"))
        day, code = READ_DAY.isoformat(), CURRENCIES[self.rail]
        settled = (paid, "settled", 15000, code, day, "", "BANK-1")
        if self.rail == "sepa":
            self.read(pain002([(end_to_end_id(back), "RJCT", "AC01")]))
            self.read(camt([Move(end_to_end_id(paid), "150.00", day=day, currency=code)], "08",
                           "054"))  # fmt: skip
        elif self.rail == "nacha":
            self.read(status_csv(settled))
            self.read(nacha([nacha_return(back.replace("-", "")[:15], 8000)]))
        elif self.rail == "paypal":
            at = f"{day}T08:00:00Z"
            self.read(
                paypal(
                    (paid, "SUCCESS", "150.00", code, at, ""),
                    (back, "RETURNED", "80.00", code, at, "RECEIVER_UNREGISTERED"),
                )
            )
        else:
            self.read(
                status_csv(settled, (back, "failed", 8000, code, day, "closed account", "BANK-2"))
            )

    def new_details(self) -> None:
        """p_2 gives other details; on csv somebody has looked at them."""
        at = datetime.combine(READ_DAY, datetime.min.time())
        if self.rail == "csv":
            record_payee(
                self.world.store, "p_2", actor=DAN, recorded_at=at, payee_verified=True,
                rules=APPROVALS, reason="called",
            )  # fmt: skip
        else:
            self.put(partner_owner("p_2"), PAYEES[self.rail][2], at)

    def live(self) -> None:
        """From the first proposal to the second batch, settled."""
        self.pay(date(2026, 2, 28), FIRST_DAY)
        self.bank_answers()
        self.new_details()
        self.world.post(SECOND_NIGHT)
        self.pay(SECOND_NIGHT, SECOND_DAY)
        self.read(
            status_csv(
                (self.payouts()["p_2"], "settled", 8000, CURRENCIES[self.rail],
                 SECOND_DAY.isoformat(), "", "BANK-3")
            )
        )  # fmt: skip

    def balances(self) -> dict[str, int]:
        """Sum of all journal entries by partner."""
        self.world.refresh()
        rows = self.world.warehouse.execute(
            "select partner_id, sum(payout_amount_minor)::bigint from raw.journal__entries "
            "group by 1"
        )
        return dict(rows.fetchall())
