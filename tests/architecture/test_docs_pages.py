"""Generated pages say what their source says now."""

import pytest

from orchestration.docs_pages import DOCS, PARTNER_PAGES, pages, partner_pages


@pytest.mark.parametrize(
    "name", ["data-dictionary.md", "commission-rules.md", "files-source.md", "metrics.md"]
)
def test_generated_page_is_current(name):
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == pages()[name], f"docs/{name} is stale: run `make docs` and commit it"


def test_pages_of_the_sample_partners_are_current_and_there_are_no_others():
    made = partner_pages()
    written = {
        f"{PARTNER_PAGES}/{path.name}": path.read_text(encoding="utf-8")
        for path in (DOCS / PARTNER_PAGES).iterdir()
    }
    stale = sorted(name for name in made if written.get(name) != made[name])
    assert stale == [], "run `make docs` and commit them"
    assert sorted(written.keys() - made.keys()) == [], "remove them: the sample lacks the partner"
