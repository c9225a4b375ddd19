"""All addresses of the app: those of every module of `dashboards.pages`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from dashboards import pages
from dashboards.routing import Entry


def _collected() -> tuple[Entry, ...]:
    found: list[Entry] = []
    for module in sorted(iter_modules(pages.__path__), key=lambda each: each.name):
        found.extend(import_module(f"{pages.__name__}.{module.name}").ENTRIES)
    addresses = [(each.method, each.path) for each in found]
    twice = {each for each in addresses if addresses.count(each) > 1}
    if twice:
        raise ValueError(f"two pages answer at {sorted(twice)}")
    return tuple(found)


ENTRIES = _collected()
"""In the order of their modules and places there."""
