"""Finds what looks like a literal secret in `sources.yml`. Values are never repeated in messages.

A terms file is committed and copied; secrets belong in the environment, and the file names the
variable. Pure: plain values in, findings out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from program.paths import Finding, SettingPath

SECRET_VALUE = re.compile(
    r"^(sk|rk|whsec)_|^pk_(live|test)_"  # Stripe
    r"|^pat-[a-z]+\d-"  # HubSpot private apps and service keys
    r"|^(bearer|basic)\s+\S"
    r"|^eyJ[A-Za-z0-9_-]{10}"  # JSON web token
    r"|^ya29\."  # Google
    r"|-----BEGIN "
    r"|//[^/\s@]*:[^/\s@]*@",  # credentials inside an address
    re.IGNORECASE,
)
SECRET_KEY = re.compile(
    r"(^|_)(api_?key|key|secret|token|password|passwd|credentials?|authorization)$", re.IGNORECASE
)
HINT = "export it in the environment and name the variable, such as api_key_env: STRIPE_API_KEY"


def names_a_secret(setting: str) -> bool:
    """Whether a dotted path has a literal secret as one of its keys."""
    return any(SECRET_VALUE.search(part) for part in re.split(r"[.\[\]]", setting))


def literal_secrets(value: Any, path: SettingPath = ()) -> Iterator[Finding]:
    """Settings whose value looks like a secret, or whose name asks for one.

    value: what `yaml_lines` read. A revealed key counts as leaked: the hint says what to write,
    the message asks to replace it.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            key_path = (*path, key)
            if SECRET_VALUE.search(key):
                yield (
                    key_path,
                    "a key here looks like a literal secret; replace that secret",
                    HINT,
                )
            elif SECRET_KEY.search(key) and isinstance(item, (str, int)) and len(path) >= 2:
                yield (key_path, "a secret does not belong in this file; replace it", HINT)
            else:
                yield from literal_secrets(item, key_path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from literal_secrets(item, (*path, index))
    elif isinstance(value, str) and SECRET_VALUE.search(value.strip()):
        yield (path, "looks like a literal secret; replace that secret", HINT)
