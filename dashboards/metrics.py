"""The metrics of the pages: each is defined once, in metrics.yml beside this file.

What does not belong here: the queries that compute them (queries/), and how they look (templates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FILE = Path(__file__).resolve().parent / "metrics.yml"
UNITS = ("money", "count", "share", "days", "day")
UP, DOWN, NONE = "up", "down", "none"
CONTROL_DATABASE = "control database"
_KEYS = ("id", "label", "definition", "table", "unit", "better")


@dataclass(frozen=True)
class Metric:
    """One metric. metric_id: in code and addresses. label: its name on pages. definition: what it
    means, in sentences. table: of the snapshot, several divided by commas, or `control database`.
    unit: one of UNITS. better: up, down or none.
    """

    metric_id: str
    label: str
    definition: str
    table: str
    unit: str
    better: str

    @property
    def tables(self) -> tuple[str, ...]:
        """Where it comes from, one by one."""
        return tuple(name.strip() for name in self.table.split(","))


def metric(metric_id: str) -> Metric:
    """One metric. Raises: KeyError for one that metrics.yml does not define."""
    try:
        return metrics()[metric_id]
    except KeyError:
        raise KeyError(f"{FILE.name} defines no metric {metric_id!r}") from None


@cache
def metrics() -> Mapping[str, Metric]:
    """All of them by id, in the order of the file. Raises: ValueError for what cannot be one."""
    import yaml

    return MappingProxyType(read_metrics(yaml.safe_load(FILE.read_text(encoding="utf-8"))))


def read_metrics(records: Any) -> dict[str, Metric]:
    """Metrics of parsed YAML. Raises: ValueError naming the metric and what is wrong with it."""
    found: dict[str, Metric] = {}
    for place, record in enumerate(records, 1):
        each = _read(record, f"{FILE.name}, metric {place}")
        if each.metric_id in found:
            raise ValueError(f"{FILE.name} defines {each.metric_id} twice; keep one")
        found[each.metric_id] = each
    return found


def _read(record: Any, where: str) -> Metric:
    if not isinstance(record, dict) or sorted(record) != sorted(_KEYS):
        raise ValueError(f"{where}: give exactly {', '.join(_KEYS)}")
    where = f"{where} ({record['id']})"
    texts = {name: " ".join(str(record[name]).split()) for name in _KEYS}
    empty = [name for name, text in texts.items() if not text]
    if empty:
        raise ValueError(f"{where}: {', '.join(empty)} is empty")
    if texts["unit"] not in UNITS:
        raise ValueError(f"{where}: unit {texts['unit']} is none of {', '.join(UNITS)}")
    if texts["better"] not in (UP, DOWN, NONE):
        raise ValueError(f"{where}: better is up, down or none, not {texts['better']}")
    return Metric(texts.pop("id"), **texts)
