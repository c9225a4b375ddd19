"""What people do all day, in a real browser: filter, approve by two people, dispute, download."""

from __future__ import annotations

from payouts.records import list_batches, load_state
from tests.web_app import ANA, BEN


def eur_batch(served):
    with served.store.read() as connection:
        return next(each for each in list_batches(connection) if each.currency_code == "EUR")


def state_of(served, batch):
    with served.store.read() as connection:
        return load_state(connection, batch.batch_id).state


def test_filtering_the_overview_changes_its_address(reader):
    visitor = reader(ANA)
    visitor.open("/")
    visitor.page.locator("select[name=period]").focus()
    visitor.page.locator("select[name=period]").select_option("last_month")
    visitor.page.wait_for_url("**period=last_month**")
    visitor.page.locator(".plot canvas").first.wait_for()
    assert visitor.page.locator("select[name=period]").input_value() == "last_month"
    # The content alone was replaced: whoever goes by keyboard is where they were.
    visitor.page.wait_for_function("document.activeElement.name === 'period'")


def test_two_people_approve_and_the_second_exports(reader, served):
    batch = eur_batch(served)
    first = reader(ANA)
    first.open("/approvals")
    first.page.get_by_role("link", name=batch.batch_id).first.click()
    first.page.get_by_role("button", name="Approve").click()
    first.page.get_by_role("status").wait_for()
    assert "You approved this batch" in first.page.get_by_role("status").inner_text()
    assert first.page.get_by_role("button", name="Approve").count() == 0
    second = reader(BEN)
    second.open(f"/approvals/{batch.batch_id}")
    second.page.get_by_role("button", name="Approve").click()
    second.page.get_by_role("button", name="Export the payout files").click()
    second.page.get_by_role("status").wait_for()
    assert "Exported" in second.page.get_by_role("status").inner_text()
    assert state_of(served, batch) == "exported"


def test_a_page_that_is_out_of_date_says_so(reader, served):
    with served.store.read() as connection:
        batch = next(each for each in list_batches(connection) if each.currency_code == "USD")
    visitor, other = reader(BEN), reader(ANA)
    visitor.open(f"/approvals/{batch.batch_id}")
    other.open(f"/approvals/{batch.batch_id}")
    other.page.get_by_text("Reject, hold or take back").click()
    other.page.locator("select[name=subject_id]").select_option(index=1)
    other.page.locator("form[action$='/hold'] input[name=reason]").fill("asked about an invoice")
    other.page.get_by_role("button", name="Hold this partner").click()
    other.page.get_by_role("status").wait_for()
    visitor.page.get_by_text("Reject, hold or take back").click()
    form = visitor.page.locator("form[action$='/reject']")
    form.get_by_label("Reason").fill("too late")
    form.get_by_role("button").click()
    visitor.page.wait_for_load_state("load")
    assert "Nothing was done" in visitor.page.inner_text("h1")
    visitor.faults.clear()  # the browser reports the status 409 itself
    assert state_of(served, batch) == "stale"


def test_partner_disputes_a_line_and_downloads_a_statement(reader):
    partner = reader("partner:p_4")
    partner.open("/portal/earnings")
    partner.page.locator("main table tbody a").first.click()
    partner.page.wait_for_load_state("load")
    partner.page.locator("main a[href^='/portal/disputes/new']").first.click()
    partner.page.locator("form[action='/portal/disputes'] textarea").fill("It paid twice.")
    partner.page.get_by_role("button", name="Send the question").click()
    partner.page.wait_for_load_state("load")
    partner.open("/portal/disputes")
    assert "Received" in partner.page.inner_text("main")
    partner.open("/portal/statements/2026-02")
    with partner.page.expect_download() as waiting:
        partner.page.get_by_role("link", name="PDF").click()
    assert waiting.value.path().read_bytes()[:5] == b"%PDF-"


def test_everything_by_keyboard_alone(reader, served):
    """The first stop skips the menu; a batch is reached and its form sent without a mouse."""
    visitor = reader(ANA)
    visitor.open("/approvals")
    page = visitor.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    seen = set()
    for _ in range(60):
        address = page.evaluate("document.activeElement.getAttribute('href')") or ""
        seen.add(address)
        if address.startswith("/approvals/b-"):
            break
        page.keyboard.press("Tab")
    assert any(address.startswith("/approvals/b-") for address in seen)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/approvals/b-**")


def test_pages_work_without_script(reader):
    visitor = reader(ANA, java_script_enabled=False)
    visitor.open("/")
    page = visitor.page
    page.locator("select[name=period]").select_option("last_month")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**period=last_month**")
    page.get_by_text("Numbers of this chart").first.click()
    assert page.locator("figure table").first.is_visible()
