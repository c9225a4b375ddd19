"""The evidence that is attached to a dispute: JSON text without addresses of people.

What belongs here: masking and the fixed form. What does not: gathering evidence, which reads the
published snapshot.
"""

from __future__ import annotations

import json
import re
from typing import Any

from payouts.errors import DecisionRefusedError

_EMAIL = re.compile(r"([\w.+%'-])[\w.+%'-]*@([\w-]+(?:\.[\w-]+)*)")


def masked_evidence(text: str) -> str:
    """The same JSON with sorted keys and masked addresses: ``ana@acme.example`` is ``a***@…``.

    Numbers with decimals become text: nothing stored is a float.
    Raises: DecisionRefusedError when the text is no JSON object.
    """
    try:
        value = json.loads(text, parse_float=str, parse_constant=str)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not value:
        raise DecisionRefusedError(
            "the evidence of a dispute is not a record; attach what `partnerledger explain --json` "
            "gives. Nothing was recorded"
        )
    return json.dumps(_masked(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _EMAIL.sub(r"\1***@\2", value)
    if isinstance(value, dict):
        return {_masked(name): _masked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value
