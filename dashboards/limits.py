"""How often somebody may try something: counted in memory, for the time that a limit lasts.

A restart forgets the counts. What must outlive it, such as how many links an address was sent, is
counted in the control database.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from starlette.requests import Request

# Keys that are remembered; when there are more, those that were quiet longest are forgotten.
_MOST_KEYS = 10_000
# One household or office is one client: providers give each a network of this size, or a larger.
_IPV6_NETWORK_BITS = 64


class Limits:
    """Counts of one app. Safe to use from several threads."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, what: str, key: str, now: datetime, *, most: int, within: timedelta) -> bool:
        """Count one try; False when there were ``most`` already, and this one is not counted.

        now: naive UTC.
        """
        with self._lock:
            tries = self._seen.setdefault((what, key), deque())
            self._seen.move_to_end((what, key))
            while len(self._seen) > _MOST_KEYS:
                self._seen.popitem(last=False)
            while tries and tries[0] <= now - within:
                tries.popleft()
            if len(tries) >= most:
                return False
            tries.append(now)
            return True


def limits_of(request: Request) -> Limits:
    """The counts of the app that answers this request."""
    state = request.app.state
    if not hasattr(state, "limits"):
        state.limits = Limits()
    return state.limits


def client_of(request: Request) -> str:
    """Who asks, as far as the network says: its address, or its network for IPv6."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:  # noqa: PLR2004  (of the internet protocol)
        return str(ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False))
    return host
