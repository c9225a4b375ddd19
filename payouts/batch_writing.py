"""From partner nets to recorded batches: content, claims file, rows and events.

What belongs here: building the content of each group and writing it down.
What does not: choosing entries (``candidates``) or pay dates (``batches``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from payouts import claims, events, ids, left_out
from payouts.batch_exceptions import earlier_payouts, find_exceptions
from payouts.batch_manifest import manifest_text
from payouts.candidates import ENTRIES_TABLE, IS_CLAIMED_SQL, PartnerNet
from payouts.claims_proof import ClaimingBatch, unproven_claims
from payouts.durable import ensure_folder, publish, remove_parts, write_durably
from payouts.errors import ProposalRefusedError
from payouts.hashing import instant_text, sha256_bytes, sha256_file
from payouts.parquet import write_part
from payouts.payees import Payee, PayerAccount
from payouts.proposal_terms import PAYLOAD_KEY, proposal_terms
from payouts.records import BatchContent, BatchItem, content_hash, subject
from payouts.schema import (
    batch_exceptions,
    batch_states,
    batches,
    cutoffs,
    payout_items,
    proposals,
)
from payouts.selection import RAILS_WITH_DETAILS, left_out_reason
from payouts.states import PROPOSED
from payouts.terms import PayoutRules

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from payouts.batches import PayDay

_PAYOUTS_VIEW = "payout_proposal_payouts"


@dataclass(frozen=True)
class Surroundings:
    """What the control database knows when batches are built."""

    payees: Mapping[str, Payee]
    payers: Mapping[str, PayerAccount]
    disputing: frozenset[str]


@dataclass(frozen=True)
class Group:
    """One legal entity, currency and rail: a batch (None when nobody is paid) and who is left out.

    ``claims_rows``, ``manifest_sha256`` and the content's ``claims_sha256`` are filled when the
    claims are written.
    ``terms``: see ``proposal_terms``.
    """

    currency_code: str
    rail: str
    legal_entity: str
    pay_day: PayDay
    ordinal: int
    content: BatchContent | None
    left_out: tuple[tuple[PartnerNet, str], ...]
    claims_rows: int = 0
    manifest_sha256: str = ""
    terms: Mapping[str, Any] = field(default_factory=dict)

    @property
    def left_out_hash(self) -> str:
        """Hash over who is left out, with amount and reason; equal groups are recorded once."""
        return left_out.left_out_hash(
            (net.partner_id, net.amount_minor, net.entries_hash, reason)
            for net, reason in self.left_out
        )


def build_groups(
    connection: Connection,
    nets: Sequence[PartnerNet],
    known: Surroundings,
    pay_day_of: Callable[[str], PayDay | None],
    as_of: date,
    rules: PayoutRules,
) -> list[Group]:
    """One group per currency (nets are sorted by it), with ids and versions from the register.

    pay_day_of: the pay day of a rail, None where the rail does not pay by this cut-off. Groups
    that would repeat the last proposal of their kind are left away.
    """
    groups = []
    for currency_code, found in groupby(nets, key=lambda net: net.currency_code):
        rail = rules.rail_for(currency_code)
        pay_day = pay_day_of(rail)
        if pay_day is None:
            continue
        group = _build_group(
            connection, list(found), currency_code, rail, known, pay_day, as_of, rules
        )
        if group is not None:
            groups.append(group)
    return groups


def _build_group(
    connection: Connection,
    nets: list[PartnerNet],
    currency_code: str,
    rail: str,
    known: Surroundings,
    pay_day: PayDay,
    as_of: date,
    rules: PayoutRules,
) -> Group | None:
    reasons = {
        net.partner_id: left_out_reason(
            partner_id=net.partner_id,
            partner_name=net.partner_name,
            partner_status=net.partner_status,
            is_pilot=net.is_pilot,
            amount_minor=net.amount_minor,
            currency_code=currency_code,
            payees=known.payees,
            rules=rules,
            as_of=as_of,
            is_waiting=net.is_waiting,
        )
        for net in nets
    }
    version = _next_version(connection, rules.legal_entity, currency_code, rail, pay_day)
    batch_id = ids.batch_id(rules.legal_entity, currency_code, rail, pay_day.cutoff_date, version)
    items = tuple(
        _item(batch_id, net, rail, known.payees.get(net.partner_id))
        for net in nets
        if reasons[net.partner_id] is None
    )
    payer = known.payers.get(rail)
    content = BatchContent(
        batch_id=batch_id,
        version=version,
        legal_entity=rules.legal_entity,
        currency_code=currency_code,
        rail=rail,
        pay_date=pay_day.pay_date,
        cutoff_date=pay_day.cutoff_date,
        as_of=as_of,
        terms_hash=rules.terms_hash,
        claims_sha256="",
        items=items,
        exceptions=find_exceptions(
            items,
            rail=rail,
            currency_code=currency_code,
            earlier=earlier_payouts(connection, currency_code),
            disputing=known.disputing,
            rules=rules,
        ),
        payer_details_id=payer.details_id if payer else None,
        payer_fingerprint=payer.fingerprint if payer else None,
    )
    last = _last_proposal(connection, rules.legal_entity, currency_code, rail, pay_day)
    group = Group(
        currency_code=currency_code,
        rail=rail,
        legal_entity=rules.legal_entity,
        pay_day=pay_day,
        ordinal=last.ordinal + 1 if last else 1,
        content=content if items else None,
        left_out=tuple((net, reasons[net.partner_id]) for net in nets if reasons[net.partner_id]),
        terms=proposal_terms(rules, currency_code),
    )
    if group.content is None and last is not None and last.left_out_hash == group.left_out_hash:
        return None
    return group


def _item(batch_id: str, net: PartnerNet, rail: str, payee: Payee | None) -> BatchItem:
    return BatchItem(
        payout_id=ids.payout_id(batch_id, net.partner_id),
        partner_id=net.partner_id,
        partner_name=net.partner_name or "",
        amount_minor=net.amount_minor,
        entries=net.entries,
        entries_hash=net.entries_hash,
        carried_amount_minor=net.carried_amount_minor,
        details_id=payee.details_id if payee and rail in RAILS_WITH_DETAILS else None,
        payee_fingerprint=payee.payee_fingerprint if payee else None,
    )


def write_claims(connection: DuckDBPyConnection, home: Path, group: Group) -> Group:
    """Write the claims file and the manifest of a group's batch; not registered yet.

    Raises: StorageError.
    """
    if group.content is None:
        return group
    import pyarrow

    content = group.content
    path = claims.claims_path(home, content.batch_id)
    ensure_folder(path.parent, 0o700)
    remove_parts(path.parent)
    payouts = pyarrow.table(
        {
            "partner_id": pyarrow.array([item.partner_id for item in content.items], "string"),
            "payout_id": pyarrow.array([item.payout_id for item in content.items], "string"),
        }
    )
    fixed = {"batch_id": f"'{content.batch_id}'", "payout_id": "payout.payout_id"}
    columns = ", ".join(
        f"{fixed.get(name, 'entry.' + name)}::{kind} as {name}" for name, kind in claims.COLUMNS
    )
    connection.register(_PAYOUTS_VIEW, payouts)
    try:
        part = write_part(
            connection,
            f"select {columns} from {ENTRIES_TABLE} as entry join {_PAYOUTS_VIEW} as payout "
            f"using (partner_id) where entry.payout_currency_code = '{content.currency_code}' "
            f"and {IS_CLAIMED_SQL} order by entry_id",
            path,
        )
    finally:
        connection.unregister(_PAYOUTS_VIEW)
    sha256 = sha256_file(part)
    publish(part, path, "claims")
    content = replace(content, claims_sha256=sha256)
    claims.check_claims(home, content)
    missed = [(net.partner_id, net.amount_minor, reason) for net, reason in group.left_out]
    manifest = manifest_text(content, missed).encode("utf-8")
    write_durably(path.parent / claims.MANIFEST_NAME, manifest, "manifest")
    return replace(
        group,
        content=content,
        claims_rows=sum(item.entries for item in content.items),
        manifest_sha256=sha256_bytes(manifest),
    )


def prove_claims(connection: Connection, home: Path, groups: Sequence[Group]) -> None:
    """Hold the written claims against the journal, before anything of them is recorded.

    Raises: ProposalRefusedError when they are not what was posted; ChainBrokenError.
    """
    faults = unproven_claims(
        connection,
        home,
        [
            ClaimingBatch(group.content.batch_id, group.content.cutoff_date)
            for group in groups
            if group.content
        ],
    )
    if faults:
        raise ProposalRefusedError(
            f"the payable entries do not agree with the journal: {'; '.join(faults)}. Nothing was "
            "proposed. Run a night (partnerledger run), which reads the journal again, then "
            "partnerledger verify, and propose again"
        )


def record_groups(
    connection: Connection,
    groups: Sequence[Group],
    pay_day: PayDay,
    as_of: date,
    *,
    actor: str,
    proposed_at: datetime,
    identity_level: str,
) -> None:
    """Record a pay date's proposals, batches, items and events in one write transaction.

    pay_day: that of the programme; a group has that of its rail. The cut-off is recorded also when
    nobody is paid, so that it is not tried again every night.
    """
    for group in groups:
        _record_group(connection, group, as_of, actor, proposed_at, identity_level)
    key = {
        "cutoff_date": pay_day.cutoff_date.isoformat(),
        "pay_date": pay_day.pay_date.isoformat(),
    }
    if connection.execute(select(cutoffs).filter_by(**key)).first() is None:
        connection.execute(
            cutoffs.insert().values(
                **key,
                as_of=as_of.isoformat(),
                actor=actor,
                proposed_at=instant_text(proposed_at),
            )
        )
        events.append(
            connection,
            kind="cutoff_proposed",
            subject=f"cutoff:{pay_day.cutoff_date.isoformat()}",
            actor=actor,
            recorded_at=proposed_at,
            payload={**key, "as_of": as_of},
            identity_level=identity_level,
        )


def _record_group(
    connection: Connection,
    group: Group,
    as_of: date,
    actor: str,
    proposed_at: datetime,
    identity_level: str,
) -> None:
    content, pay_day = group.content, group.pay_day
    proposal_id = ids.proposal_id(
        group.legal_entity, group.currency_code, group.rail, pay_day.pay_date,
        pay_day.cutoff_date, group.ordinal,
    )  # fmt: skip
    batch_id = content.batch_id if content else None
    missed = _left_out_rows(group, proposal_id)
    record = left_out.proposal_record(proposal_id, group.left_out_hash, missed)
    if content is not None:
        _record_batch(connection, content, group, record, actor, proposed_at, identity_level)
    else:
        # Nobody is paid, so that no event of a batch could prove who was left out.
        events.append(
            connection,
            kind=left_out.EVENT_KIND,
            subject=left_out.subject(proposal_id),
            actor=actor,
            recorded_at=proposed_at,
            payload={left_out.PAYLOAD_KEY: record, "as_of": as_of},
            identity_level=identity_level,
        )
    connection.execute(
        proposals.insert().values(
            proposal_id=proposal_id,
            ordinal=group.ordinal,
            legal_entity=group.legal_entity,
            currency_code=group.currency_code,
            rail=group.rail,
            pay_date=pay_day.pay_date.isoformat(),
            cutoff_date=pay_day.cutoff_date.isoformat(),
            as_of=as_of.isoformat(),
            batch_id=batch_id,
            left_out_hash=group.left_out_hash,
            proposed_at=instant_text(proposed_at),
        )
    )
    shared = {
        "proposal_id": proposal_id,
        "batch_id": batch_id,
        "currency_code": group.currency_code,
    }
    rows = [
        {**shared, **vars(item), "left_out_reason": None}
        for item in (content.items if content else ())
    ]
    connection.execute(payout_items.insert(), rows + missed)


def _left_out_rows(group: Group, proposal_id: str) -> list[dict[str, Any]]:
    """Who is left out, as stored."""
    return [
        {
            "proposal_id": proposal_id,
            "batch_id": group.content.batch_id if group.content else None,
            "currency_code": group.currency_code,
            "payout_id": ids.payout_id(proposal_id, net.partner_id),
            "partner_id": net.partner_id,
            "partner_name": None,
            "amount_minor": net.amount_minor,
            "entries": net.entries,
            "entries_hash": net.entries_hash,
            "carried_amount_minor": net.carried_amount_minor,
            "details_id": None,
            "payee_fingerprint": None,
            "left_out_reason": reason,
        }
        for net, reason in group.left_out
    ]


def _record_batch(
    connection: Connection,
    content: BatchContent,
    group: Group,
    proposal: Mapping[str, str],
    actor: str,
    proposed_at: datetime,
    identity_level: str,
) -> None:
    approved_hash = content_hash(content)
    connection.execute(
        batches.insert().values(
            batch_id=content.batch_id,
            version=content.version,
            legal_entity=content.legal_entity,
            currency_code=content.currency_code,
            rail=content.rail,
            pay_date=content.pay_date.isoformat(),
            cutoff_date=content.cutoff_date.isoformat(),
            as_of=content.as_of.isoformat(),
            items=len(content.items),
            total_amount_minor=content.total_amount_minor,
            terms_hash=content.terms_hash,
            claims_path=f"{claims.FOLDER}/{content.batch_id}/{claims.CLAIMS_NAME}",
            claims_sha256=content.claims_sha256,
            claims_rows=group.claims_rows,
            content_hash=approved_hash,
            proposed_at=instant_text(proposed_at),
            content_version=content.content_version,
            payer_details_id=content.payer_details_id,
            payer_fingerprint=content.payer_fingerprint,
        )
    )
    if content.exceptions:
        connection.execute(
            batch_exceptions.insert(),
            [
                {"batch_id": content.batch_id, "number": number, **vars(exception)}
                for number, exception in enumerate(content.exceptions, start=1)
            ],
        )
    event = events.append(
        connection,
        kind="batch_proposed",
        subject=subject(content.batch_id),
        actor=actor,
        recorded_at=proposed_at,
        payload={
            "content_hash": approved_hash,
            "currency_code": content.currency_code,
            "items": len(content.items),
            "total_amount_minor": content.total_amount_minor,
            "claims_sha256": content.claims_sha256,
            PAYLOAD_KEY: group.terms,
            left_out.PAYLOAD_KEY: {**proposal, "manifest_sha256": group.manifest_sha256},
        },
        identity_level=identity_level,
    )
    connection.execute(
        batch_states.insert().values(batch_id=content.batch_id, state=PROPOSED, last_seq=event.seq)
    )


def _next_version(
    connection: Connection, legal_entity: str, currency_code: str, rail: str, pay_day: PayDay
) -> int:
    last = connection.execute(
        select(func.coalesce(func.max(batches.c.version), 0)).where(
            batches.c.legal_entity == legal_entity,
            batches.c.currency_code == currency_code,
            batches.c.rail == rail,
            batches.c.cutoff_date == pay_day.cutoff_date.isoformat(),
        )
    ).scalar_one()
    return last + 1


def _last_proposal(
    connection: Connection, legal_entity: str, currency_code: str, rail: str, pay_day: PayDay
):
    return connection.execute(
        select(proposals.c.ordinal, proposals.c.left_out_hash)
        .where(
            proposals.c.legal_entity == legal_entity,
            proposals.c.currency_code == currency_code,
            proposals.c.rail == rail,
            proposals.c.pay_date == pay_day.pay_date.isoformat(),
            proposals.c.cutoff_date == pay_day.cutoff_date.isoformat(),
        )
        .order_by(proposals.c.ordinal.desc())
        .limit(1)
    ).first()
