"""Hand-placed odd cases, each a short story that a finance lead would ask about.

A story writes what sources deliver, nothing about what follows from it. It names the fixed
partners (p_1 … p_8, see `partners`) and is left out when the span is too short for it. Money
stories stand in `stories_billing`.
"""

from collections.abc import Callable

from ingest.sample.sizes import Sizes
from ingest.sample.stories_billing import BILLING_STORIES
from ingest.sample.story_book import BeyondSpanError, Book, Line, Rows

# Files that arrive beside the main file of their entity, with late or newer versions.
LATE_FILES = ("touchpoints-late", "form_submissions-late", "deals-late", "contacts-late")


def make_stories(sizes: Sizes) -> Rows:
    """Rows by file name (entity, or a name of LATE_FILES) of all stories that fit the span."""
    rows: Rows = {}
    for story in (*_STORIES, *BILLING_STORIES):
        book = Book(sizes)
        try:
            story(book)
        except BeyondSpanError:
            continue
        for file_name, noted in book.rows.items():
            rows.setdefault(file_name, []).extend(noted)
    return rows


def _two_partners_claim_one_lead(book: Book) -> None:
    """p_1 submits first; p_2 sends the same person with a plus tag, then registers the company."""
    email = "rosa.imaginara@twoclaims.example"
    book.form("claims_1", 12, email, code="northpeak")
    book.person("claims", 12, email)
    book.form("claims_2", 20, "Rosa.Imaginara+pilot@twoclaims.example", code="bluefinch")
    book.add(
        "deal_registrations", registration_id="dr_claims", partner_id="p_2",
        submitted_at=book.at(25), status="pending", company_domain="twoclaims.example",
        email="buyer@twoclaims.example", expected_amount_minor=1_188_000, currency_code="USD",
    )  # fmt: skip
    book.meeting("claims", 22, 27)
    book.deal("claims", 27, 1_188_000, **book.won(40))
    book.customer("claims", 40, email)
    book.invoice("claims", 1, 41, [Line(99_000, "prod_business", 41)])


def _submitted_again_with_dots(book: Book) -> None:
    """One person, one partner, three spellings of a Gmail address."""
    for number, (day, email) in enumerate(
        (
            (15, "mina.samplewood.000@gmail.com"),
            (18, "MinaSamplewood000@googlemail.com"),
            (33, "minasamplewood000+offer@gmail.com"),
        ),
        start=1,
    ):
        book.form(f"dots_{number}", day, email, code="cedarline")
    book.add(
        "product_events", event_id="ev_dots", name="signup", occurred_at=book.at(19),
        email="mina.samplewood.000@gmail.com",
    )  # fmt: skip


def _code_against_link(book: Book) -> None:
    """A click of p_3 two hours before checkout, where the buyer types the code of p_1."""
    email = "remy.fictova@codeagainstlink.example"
    book.add(
        "touchpoints", touchpoint_id="tp_code_1", occurred_at=book.at(30, 13),
        touch_type="referral_link", code="cedarline", anonymous_id="anon-code",
    )  # fmt: skip
    book.add(
        "product_events", event_id="ev_code", name="signup", occurred_at=book.at(30, 14),
        email=email, anonymous_id="anon-code", customer_id="cus_code",
    )  # fmt: skip
    book.customer("code", 30, email, created_at=book.at(30, 15), code="NORTHPEAK20")
    book.invoice(
        "code", 1, 30, [Line(14_900, "prod_team", 30, discount_minor=2980)], code="NORTHPEAK20"
    )


def _click_at_the_edges_of_the_window(book: Book) -> None:
    """Clicks exactly 90 days and one second more than 90 days before the demo is booked."""
    email = "joel.testerly@windowedge.example"
    book.person("edge", 95, email)
    for number, (at, code) in enumerate(
        (
            (book.at(10, 15, 59)[:-3] + "59Z", "bluefinch"),
            (book.at(10, 16), "northpeak"),
            (book.at(101, 9), "cedarline"),
        ),
        start=1,
    ):
        book.add(
            "touchpoints", touchpoint_id=f"tp_edge_{number}", occurred_at=at, email=email,
            touch_type="referral_link", code=code, landing_url="https://www.acme.example/pricing",
        )  # fmt: skip
    book.meeting("edge", 100, 104)


def _self_referrals(book: Book) -> None:
    """A partner's colleague with the partner's own code, and our own staff with a code."""
    book.form("self_1", 28, "office@rivermark-partners.example", code="rivermark")
    book.form("self_2", 29, "tester@acme.example", code="rivermark")


def _existing_customer_and_open_opportunity(book: Book) -> None:
    """Codes that arrive after the first payment, and while sales already has a deal."""
    email = "gesa.trialstone@alreadypaying.example"
    book.customer("existing", 8, email)
    book.invoice("existing", 1, 9, [Line(24_900, "prod_team", 9)])
    book.form("existing", 45, email, code="bluefinch")
    opportunity = "nils.phantomek@opendeal.example"
    book.person("opportunity", 30, opportunity)
    book.deal("opportunity", 32, 600_000)
    book.form("opportunity", 36, opportunity, code="northpeak")


def _unknown_code_and_incomplete_registration(book: Book) -> None:
    """A mistyped code, and a registration that names nobody."""
    book.form("unknown", 50, "ines.draftmann@mistyped.example", code="northpaek")
    book.add(
        "deal_registrations", registration_id="dr_incomplete", partner_id="p_1",
        submitted_at=book.at(51), status="pending",
    )  # fmt: skip


def _registrations_of_all_kinds(book: Book) -> None:
    """Declined, withdrawn, approved with an early end, and approved after a click of another."""
    for number, (status, partner_id, expires) in enumerate(
        (
            ("declined", "p_2", None),
            ("withdrawn", "p_7", None),
            ("approved", "p_2", 70),
            ("approved", "p_4", 150),
        ),
        start=1,
    ):
        book.add(
            "deal_registrations", registration_id=f"dr_kinds_{number}", partner_id=partner_id,
            submitted_at=book.at(40 + number), status=status, decided_at=book.at(43 + number),
            expires_at=expires and book.at(expires), company_domain=f"registered-{number}.example",
            expected_amount_minor=240_000 * number, currency_code="USD",
        )  # fmt: skip
    book.form("kinds_late", 75, "omar.lorempson@registered-3.example", code="northpeak")


def _meetings_that_do_not_count(book: Book) -> None:
    """Booked and cancelled, then booked again and missed, then held."""
    email = "elif.mockridge@thirdtry.example"
    book.form("third", 60, email, code="parkstone")
    book.person("third", 60, email)
    book.meeting("third", 61, 64, "canceled")
    for number, outcome, day in ((2, "no_show", 66), (3, "held", 72)):
        book.add(
            "meetings", meeting_id=f"m_third_{number}", booked_at=book.at(day, 9),
            starts_at=book.at(day + 2, 17), outcome=outcome, email=email,
            updated_at=book.at(day + 2, 18),
        )  # fmt: skip


def _long_chain_of_identity(book: Book) -> None:
    """Click, device, private address, work address, contact and customer, one link each."""
    device, private = "anon-chain", "karim.figmento.000@gmail.com"
    work = "karim@longchain.example"
    book.add(
        "touchpoints", touchpoint_id="tp_chain", occurred_at=book.at(52, 10),
        touch_type="referral_link", code="kumogaki", anonymous_id=device,
    )  # fmt: skip
    book.form("chain_1", 54, private, anonymous_id=device)
    book.form("chain_2", 58, work, anonymous_id=device, company_domain="www.longchain.example")
    book.person("chain", 58, work)
    book.meeting("chain", 59, 63)
    book.customer("chain", 70, None, contact_id="ct_chain", country="JP")
    book.invoice("chain", 1, 71, [Line(74_850, "prod_business", 71)], currency="JPY")


def _merged_and_deleted_records(book: Book) -> None:
    """A company and a contact merged away, a contact deleted after it had brought a customer."""
    email = "hana.notreall@mergedaway.example"
    book.person("merged", 44, email, code="rivermark")
    book.add(
        "companies", company_id="co_merged_old", domain="old.mergedaway.example",
        name="Mergedaway Old", updated_at=book.at(48), merged_into_id="co_merged",
    )  # fmt: skip
    book.add(
        "contacts", contact_id="ct_merged_old", email="h.notreall@old.mergedaway.example",
        created_at=book.at(43), company_id="co_merged_old", updated_at=book.at(48),
        merged_into_id="ct_merged",
    )  # fmt: skip
    book.meeting("merged_old", 45, 47)
    gone = "leon.nemosson@deletedcontact.example"
    book.form("gone", 46, gone, code="bluefinch")
    book.person("gone", 46, gone, is_deleted=True, updated_at=book.at(90))
    book.customer("gone", 55, gone, contact_id="ct_gone")
    book.invoice("gone", 1, 56, [Line(49_900, "prod_business", 56)])


def _late_and_newer_versions(book: Book) -> None:
    """Files of a later delivery: a click and a form of long ago, a deal won in the meantime."""
    email = "flora.hypothen@latefacts.example"
    book.person("late", 64, email)
    book.meeting("late", 66, 70)
    book.deal("late", 70, 480_000)
    book.deal("late", 70, 480_000, file_name="deals-late", **book.won(95))
    book.person("late_2", 64, "flora.hypothen@latefacts-old.example")
    book.add(
        "contacts", file_name="contacts-late", contact_id="ct_late_2", created_at=book.at(64, 15),
        email="flora@latefacts.example", company_id="co_late", updated_at=book.at(92),
        is_deleted=False,
    )  # fmt: skip
    book.add(
        "touchpoints", file_name="touchpoints-late", touchpoint_id="tp_late",
        occurred_at=book.at(60), touch_type="referral_link", code="northpeak", email=email,
    )  # fmt: skip
    book.form("late", 63, email, code="northpeak", file_name="form_submissions-late")
    book.customer("late", 95, email)
    book.invoice("late", 1, 96, [Line(40_000, "prod_business", 96)])


def _no_longer_active_partners(book: Book) -> None:
    """Leads of a paused and of a terminated partner that go on paying."""
    for key, code, email in (
        ("paused", "oldtown", "mara.placebeck@pausedpartner.example"),
        ("terminated", "sundial", "bruno.nonesuchi@endedpartner.example"),
    ):
        book.form(key, 35, email, code=code)
        book.person(key, 35, email)
        book.meeting(key, 36, 39)
        book.customer(key, 45, email)
        for number, day in ((1, 46), (2, 77)):
            book.invoice(key, number, day, [Line(24_900, "prod_team", day)])


_STORIES: tuple[Callable[[Book], None], ...] = (
    _two_partners_claim_one_lead,
    _submitted_again_with_dots,
    _code_against_link,
    _click_at_the_edges_of_the_window,
    _self_referrals,
    _existing_customer_and_open_opportunity,
    _unknown_code_and_incomplete_registration,
    _registrations_of_all_kinds,
    _meetings_that_do_not_count,
    _long_chain_of_identity,
    _merged_and_deleted_records,
    _late_and_newer_versions,
    _no_longer_active_partners,
)
