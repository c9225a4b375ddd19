"""Which addresses a secret may be sent to.

Does not belong here: sending anything (`http`).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ingest.errors import PermanentSourceError


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(base_url: str, setting: str) -> None:
    """Refuse addresses that would send a secret in the clear, or hold one.

    setting: dotted name of the setting, for the message. Raises: PermanentSourceError.
    """
    parts = urlsplit(base_url)
    if parts.username or parts.password:
        raise PermanentSourceError(
            f"{setting}: the address holds credentials",
            "Remove them; secrets are named by api_key_env.",
        )
    host = parts.hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not host or not is_safe:
        raise PermanentSourceError(
            f"{setting}: {parts.scheme}://{host} is not https",
            "Use an https address; plain http is allowed on loopback only.",
        )
