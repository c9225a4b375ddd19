"""A home with a control database and a vault, for tests of payees; no warehouse.

What belongs here: people, keys and details. What does not: expectations; each test states its own.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from payouts import events
from payouts.details import Details, NachaDetails, SepaDetails, SepaPayer
from payouts.payee_details import (
    approve_details,
    confirm_details,
    partner_owner,
    propose_details,
    reject_details,
)
from payouts.payee_details_records import DetailsRecord
from payouts.payees import Payee, load_payees
from payouts.store import FILE_NAME, Store, open_store
from payouts.terms import ApprovalRules
from payouts.vault import Vault, open_vault

ANA, BEN, CAT, DAN = "ana@acme.example", "ben@acme.example", "cat@acme.example", "dan@acme.example"
EVE = "eve@acme.example"
CLOCK = datetime(2026, 3, 2, 9)
RULES = ApprovalRules(
    roles={
        "partnerships": frozenset({ANA}),
        "finance": frozenset({BEN, CAT}),
        "admin": frozenset({DAN}),
    }
)
KEY = base64.b64encode(bytes(range(32))).decode()
NEW_KEY = base64.b64encode(bytes(range(32, 64))).decode()
IBAN, OTHER_IBAN = "DE89370400440532013000", "FR1420041010050500013M02606"
HOLDER = "Zebedee Quillfeather"
ACCOUNT_NUMBER = "987600054321"
SEPA = SepaDetails(holder_name=HOLDER, iban=IBAN, country="DE", town="Berlin")
OTHER_SEPA = SepaDetails(holder_name=HOLDER, iban=OTHER_IBAN)
NACHA = NachaDetails(
    holder_name="Orla Finch", routing_number="021000021", account_number=ACCOUNT_NUMBER,
    account_type="checking", entity_type="individual",
)  # fmt: skip
PAYER = SepaPayer(name="Acme Inc", iban="NL91ABNA0417164300", country="NL", town="Amsterdam")
PARTNER = partner_owner("p_1")


@dataclass
class PayeeWorld:
    """A home, its control database and its vault."""

    home: Path
    store: Store
    vault: Vault

    def propose(
        self, details: Details = SEPA, owner: str = PARTNER, actor: str = ANA, **more
    ) -> DetailsRecord:
        return propose_details(
            self.store, self.vault, owner, details, actor=actor,
            **{"rules": RULES, "recorded_at": CLOCK, **more},
        )  # fmt: skip

    def confirm(self, record: DetailsRecord, actor: str = BEN, **more) -> DetailsRecord:
        return confirm_details(
            self.store, record.owner, record.details_id, actor=actor,
            **{"rules": RULES, "recorded_at": CLOCK, "reason": "called the number on file", **more},
        )  # fmt: skip

    def approve(self, record: DetailsRecord, actor: str = BEN, **more) -> DetailsRecord:
        values = {
            "rules": RULES, "recorded_at": CLOCK, "reason": "compared with the letter",
            "cooling_off_days": 7, "timezone": "UTC",
        }  # fmt: skip
        return approve_details(
            self.store, record.owner, record.details_id, actor=actor, **{**values, **more}
        )

    def reject(self, record: DetailsRecord, actor: str = BEN, **more) -> DetailsRecord:
        return reject_details(
            self.store, self.vault, record.owner, record.details_id, actor=actor,
            **{"rules": RULES, "recorded_at": CLOCK, "reason": "not known", **more},
        )  # fmt: skip

    def set_details(self, details: Details = SEPA, owner: str = PARTNER, **more) -> DetailsRecord:
        """Propose, confirm when needed, approve."""
        record = self.propose(details, owner)
        if record.waits_for_confirmation:
            self.confirm(record)
        return self.approve(record, **more)

    def payee(self, partner_id: str = "p_1") -> Payee:
        with self.store.read() as connection:
            return load_payees(connection).get(partner_id, Payee(partner_id))

    def events(self) -> int:
        with self.store.read() as connection:
            return events.head(connection).seq


@contextmanager
def payee_world(home: Path) -> Iterator[PayeeWorld]:
    """An empty home."""
    home.mkdir(parents=True, exist_ok=True)
    (home / FILE_NAME).write_bytes(_migrated_database())
    store = open_store(home, synchronous="OFF")
    try:
        yield PayeeWorld(home, store, open_vault(home, KEY))
    finally:
        store.close()


@cache
def _migrated_database() -> bytes:
    with TemporaryDirectory() as folder:
        open_store(Path(folder)).close()
        return (Path(folder) / FILE_NAME).read_bytes()
