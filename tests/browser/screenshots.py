"""`make screenshots`: the main pages of the sample, as pictures in docs/images.

Run it after a page has changed its looks. Sizes are those of a laptop and of a phone.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.browser.conftest import ARGUMENTS, CHROMIUM, Reader, Served
from tests.web_app import ANA, BEN, build_sample_home

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "images"
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
PARTNER = "partner:p_4"
BATCH = "batch"
"""Stands for the address of the first batch in euros."""
PICTURES = (
    ("overview", ANA, "/", LAPTOP, "light"),
    ("overview-dark", ANA, "/", LAPTOP, "dark"),
    ("leads", ANA, "/leads", LAPTOP, "light"),
    ("commissions", BEN, "/commissions", LAPTOP, "light"),
    ("approvals-batch", BEN, BATCH, LAPTOP, "light"),
    ("portal", PARTNER, "/portal", LAPTOP, "light"),
    ("portal-phone", PARTNER, "/portal", PHONE, "light"),
)


def main() -> None:
    """Build the sample's home, open each page, keep its picture."""
    from playwright.sync_api import sync_playwright

    from payouts.records import list_batches

    found = next((path for path in map(shutil.which, CHROMIUM) if path), None)
    if found is None:
        sys.exit(f"no browser is installed: looked for {', '.join(CHROMIUM)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        served = Served(build_sample_home(Path(folder) / "home"))
        with served.store.read() as connection:
            batches = list_batches(connection)
        batch = next(each.batch_id for each in batches if each.currency_code == "EUR")
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        try:
            for name, who, path, viewport, scheme in PICTURES:
                context = browser.new_context(viewport=viewport, color_scheme=scheme)
                reader = Reader(context, served.url).sign_in(who)
                reader.open(f"/approvals/{batch}" if path == BATCH else path)
                reader.page.screenshot(path=FOLDER / f"{name}.png")
                context.close()
                print(f"wrote {FOLDER / name}.png")
        finally:
            browser.close()
            served.close()


if __name__ == "__main__":
    main()
