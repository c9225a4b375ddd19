"""Upkeep of the vault: rotating its key, and holding it against what was decided.

What belongs here: what needs both the vault and the control database. What does not: the vault's
own file and ciphers (``vault``).
"""

from __future__ import annotations

from datetime import datetime

from payouts import events
from payouts.errors import VaultError
from payouts.payees import known_payers, load_payees
from payouts.store import Store
from payouts.vault import Vault

ROTATED = "vault_rotated"


def rotate_vault(
    store: Store,
    vault: Vault,
    *,
    actor: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> int:
    """Wrap every row with the first of the vault's keys, and record that; returns the rows changed.

    Raises: VaultKeyWrongError when a key is missing that a row needs, VaultDamagedError.
    """
    with store.write() as connection:
        rotated = vault.rotate()
        events.append(
            connection,
            kind=ROTATED,
            subject="vault",
            actor=actor,
            recorded_at=recorded_at,
            payload={"key_id": vault.key_id, "rows": rotated},
            identity_level=identity_level,
        )
    return rotated


def vault_faults(store: Store, vault: Vault) -> list[str]:
    """What is wrong: rows that do not open, and details in force or waiting that are not there."""
    faults = vault.faults()
    with store.read() as connection:
        owners = [
            (f"partner {payee.partner_id}", payee.details_id, payee.pending_details_id)
            for payee in load_payees(connection).values()
        ]
        owners += [
            (f"the payer of {payer.rail}", payer.details_id, payer.pending_details_id)
            for payer in known_payers(connection).values()
        ]
    for owner, *ids in owners:
        for details_id in filter(None, ids):
            try:
                vault.get(details_id)
            except VaultError as error:
                fault = f"{owner}: {error}"
                if str(error) not in faults:
                    faults.append(fault)
    return faults
