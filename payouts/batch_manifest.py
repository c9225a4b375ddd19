"""The manifest beside a batch's claims: what was proposed, for evidence; ids and amounts, no names.

What belongs here: its bytes. What does not: writing it (``batch_writing``) and the manifest of an
export (``export``).
"""

from __future__ import annotations

from collections.abc import Sequence

from payouts import claims
from payouts.hashing import canonical_json
from payouts.records import BatchContent, content_hash


def manifest_text(content: BatchContent, left_out: Sequence[tuple[str, int, str]]) -> str:
    """The manifest of a batch. left_out: partner, net amount in minor units, reason; sorted."""
    return (
        canonical_json(
            {
                "batch_id": content.batch_id,
                "version": content.version,
                "legal_entity": content.legal_entity,
                "currency_code": content.currency_code,
                "rail": content.rail,
                "pay_date": content.pay_date,
                "cutoff_date": content.cutoff_date,
                "as_of": content.as_of,
                "items": len(content.items),
                "total_amount_minor": content.total_amount_minor,
                "claims": {
                    "file": claims.CLAIMS_NAME,
                    "sha256": content.claims_sha256,
                    "rows": sum(item.entries for item in content.items),
                },
                "exceptions": [vars(exception) for exception in content.exceptions],
                "left_out": left_out,
                "terms_hash": content.terms_hash,
                "content_hash": content_hash(content),
            }
        )
        + "\n"
    )
