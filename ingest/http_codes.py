"""What may be told of a refusal: short codes, never a vendor's sentence, which can hold anything.

Belongs here: finding the code, and the permissions that are missing, in the error bodies of the
vendors. Does not belong here: what follows from a code (`http`, the connectors).
"""

from __future__ import annotations

import re
from typing import Any

SCOPE_LISTS = ("requiredGranularScopes", "requiredScopes", "missingScopes")
SCOPES_SHOWN = 3


def plain(text: str) -> str:
    """The text if it is a short identifier; else nothing (it could be anything)."""
    return text if re.fullmatch("[A-Za-z0-9_.-]{1,80}", text) else ""


def error_code(content: Any) -> str:
    """The code of an error body, empty if it has none.

    Stripe and Google: `error.code`, else `error.type`. HubSpot: `category`, else `errorType`.
    """
    if not isinstance(content, dict):
        return ""
    error = content.get("error")
    if isinstance(error, dict):
        return plain(str(error.get("code") or error.get("type") or ""))
    return plain(str(content.get("category") or content.get("errorType") or ""))


def missing_scopes(content: Any) -> list[str]:
    """The first permissions that a HubSpot error body names as required."""
    errors = content.get("errors") if isinstance(content, dict) else None
    found: list[str] = []
    for error in errors if isinstance(errors, list) else []:
        context = error.get("context") if isinstance(error, dict) else None
        for name in SCOPE_LISTS:
            listed = context.get(name) if isinstance(context, dict) else None
            found += [plain(str(each)) for each in (listed if isinstance(listed, list) else [])]
    return [each for each in dict.fromkeys(found) if each][:SCOPES_SHOWN]
