"""What committed manifests say of a stream, and what a pull of it plans to ask for.

Belongs here: plans and histories as values. Does not belong here: planning (the connectors),
pulling (`pull`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from ingest.landing import Landing, LandingIndex

Mode = Literal["full", "changes"]


@dataclass(frozen=True)
class Plan:
    """What one pull will ask for, frozen when it begins and kept in the manifest.

    mode: `full` lists everything there is (an id that is absent has vanished, and far fewer ids
    than last time are refused); `changes` asks for a part. bounds: JSON values, whatever the
    stream needs to ask the same again after a kill; `scope`, if given, names what a full list
    covers (forms, calendars): lengths of other scopes are not compared. reason: one line for
    people.
    """

    mode: Mode
    bounds: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class StreamHistory:
    """What the committed manifests say of one stream, and of its neighbours.

    visible: final landings of the stream, by arrival. of_stream: the same of another stream of
    this source. now: naive UTC.
    """

    source: str
    stream: str
    settings: Any
    now: datetime
    visible: Sequence[Landing]
    of_stream: Callable[[str], Sequence[Landing]]

    @property
    def last(self) -> Landing | None:
        """The newest visible landing."""
        return self.visible[-1] if self.visible else None

    @property
    def last_full(self) -> Landing | None:
        """The newest visible landing that listed everything."""
        full = [each for each in self.visible if plan_of(each).mode == "full"]
        return full[-1] if full else None

    @property
    def state(self) -> Mapping[str, Any]:
        """What the last visible pull returned from `fetch`; empty when there is none."""
        return self.last.totals.get("state", {}) if self.last else {}

    def forgotten(self) -> StreamHistory:
        """The same without the stream's own past: what it plans then is a first pull."""
        return replace(self, visible=())


def plan_of(landing: Landing) -> Plan:
    """The plan that a landing was begun with. Version 0.1.0 had no plans: it listed everything."""
    return Plan(**landing.settings.get("plan", {"mode": "full"}))


def history_of(
    store: LandingIndex, source: str, kind: str, stream: str, settings: Any, now: datetime
) -> StreamHistory:
    """What the manifests say of a stream."""

    def visible(name: str) -> list[Landing]:
        return [each for each in store.of_stream(source, name, kind) if each.is_final]

    return StreamHistory(source, stream, settings, now, visible(stream), visible)
