"""Generated pages say what their source says now."""

import pytest

from orchestration.docs_pages import DOCS, pages


@pytest.mark.parametrize("name", ["data-dictionary.md", "commission-rules.md", "files-source.md"])
def test_generated_page_is_current(name):
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == pages()[name], f"docs/{name} is stale: run `make docs` and commit it"
