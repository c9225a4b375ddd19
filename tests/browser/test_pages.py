"""Every page in a real browser: no error, no request elsewhere, no serious finding of axe."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dashboards.entries import ENTRIES
from tests.web_app import ANA, BEN

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text(encoding="utf-8")
PEOPLE = {"partnerships": ANA, "finance": BEN, "partner": "partner:p_4"}
# They answer 400 without a value in their address; other pages lead to them with it.
ASKED = ("/portal/disputes/new",)
PAGES = [
    (role, entry.path)
    for role in PEOPLE
    for entry in ENTRIES
    if entry.method == "GET"
    and role in entry.roles
    and "{" not in entry.path
    and entry.path not in ASKED
    # Each page once: finance sees what partnerships sees, and one page more at most.
    and (role != "finance" or "partnerships" not in entry.roles)
]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def findings(page) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    page.evaluate(AXE)
    result = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
    )
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in result["violations"]
        if each["impact"] in ("serious", "critical")
    ]


def links_of(page, url: str) -> set[str]:
    """Addresses of the app that a page leads to, without those of other states of one page."""
    found = page.eval_on_selector_all("main a[href]", "all => all.map(each => each.href)")
    addresses = (urlsplit(each) for each in found if each.startswith(url))
    return {
        f"{each.path}?{each.query}" if each.path in ASKED else each.path
        for each in addresses
        if not each.query.startswith("csv=")
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("role", "path"), PAGES)
def test_page_is_sound(reader, role, path, scheme):
    visitor = reader(PEOPLE[role], color_scheme=scheme)
    assert visitor.open(path).status == 200
    assert findings(visitor.page) == []


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_page_fits_a_phone(reader, role, path):
    visitor = reader(PEOPLE[role], **PHONE)
    visitor.open(path)
    page = visitor.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.eval_on_selector_all(
        "main button, nav a",
        "all => all.filter(e => e.offsetParent && e.getBoundingClientRect().height < 24)"
        ".map(e => e.outerHTML.slice(0, 100))",
    )
    assert small == []


@pytest.mark.parametrize("role", ["partnerships", "partner"])
def test_whatever_pages_lead_to_opens(reader, served, role):
    """Follow links, a few of each kind; what they lead to is sound as well."""
    visitor = reader(PEOPLE[role])
    kinds: dict[str, int] = {}
    waiting, seen = [path for each, path in PAGES if each == role] or ["/"], set()
    wrong = []
    while waiting:
        path = waiting.pop(0)
        kind = "/".join(part for part in path.split("/")[:3] if part)[:20]
        shape = f"{path.count('/')}:{path.split('/')[1]}:{path.split('/')[-1][:1]}"
        if path in seen or kinds.get(shape, 0) >= 2 or _is_file(path):
            continue
        seen.add(path)
        kinds[shape] = kinds.get(shape, 0) + 1
        answer = visitor.open(path)
        if answer.status != 200:
            wrong.append(f"{path} ({kind}): {answer.status}")
            continue
        wrong += [f"{path}: {each}" for each in findings(visitor.page)]
        waiting += sorted(links_of(visitor.page, served.url) - seen)
    assert wrong == []
    assert len(seen) > 5


def _is_file(path: str) -> bool:
    return path.endswith((".csv", ".pdf", "/evidence", ".zip"))
