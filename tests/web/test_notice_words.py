"""Templates of messages: every kind in words, a programme's own, and what a broken one says."""

from __future__ import annotations

import pytest

from dashboards.errors import NoticeTemplateError
from dashboards.notices.kinds import KINDS, STAFF_KINDS
from dashboards.notices.rendering import FOLDER, Renderer
from dashboards.notices.samples import sample

BASE = "https://partners.acme.example"


def renderer(root, base_url=BASE):
    return Renderer(root, "Acme Partners", "America/New_York", base_url)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("base_url", [BASE, ""])
def test_every_kind_reads_well(tmp_path, kind, base_url):
    found = renderer(tmp_path, base_url).render(kind, sample(kind))
    assert "Acme Partners" in found.subject and "\n" not in found.subject
    for text in (found.text, found.html):
        assert "None" not in text and "Undefined" not in text and "{{" not in text
        assert "\n\n\n\n" not in text
    assert bool(found.chat) == (kind in STAFF_KINDS)
    if not base_url and "link" not in sample(kind):
        assert "http" not in found.text and "href" not in found.html
    # Nothing is fetched when a mail is opened.
    assert "<img" not in found.html and "<script" not in found.html and "url(" not in found.html


def test_every_template_is_of_a_kind():
    names = {path.name for path in FOLDER.iterdir()}
    wanted = {f"{kind}.{ending}" for kind in KINDS for ending in ("txt", "html")}
    assert names == wanted | {"_letter.txt", "_letter.html"}


def test_amounts_stand_with_their_currency_and_sign(tmp_path):
    text = renderer(tmp_path).render("weekly_statement", sample("weekly_statement")).text
    plain = text.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")
    rows = [" ".join(line.split()) for line in plain.splitlines()]
    for wanted in ("Before 2 500.00 EUR", "Earned 450.00 EUR", "Came back to you 58.60 EUR",
                   "Taken back -71.10 EUR", "Paid out -2 000.00 EUR", "Balance now 937.50 EUR",
                   "Before -12.50 USD", "Other -3.00 USD"):  # fmt: skip
        assert wanted in rows


def test_what_a_name_holds_is_neither_markup_nor_header(tmp_path):
    payload = {**sample("digest"), "partner_name": "Eve\r\nBcc: all@x.example <b>&</b>"}
    found = renderer(tmp_path).render("digest", payload)
    assert "<b>" not in found.html and "&lt;b&gt;" in found.html
    assert "\nBcc:" not in found.text
    named = Renderer(tmp_path, "Acme\r\nX-Evil: 1", "UTC", "").render("digest", sample("digest"))
    assert named.subject == "Acme X-Evil: 1: your news"


def test_a_workspace_may_have_its_own_words(tmp_path):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "lead_stage_changed.txt").write_text(
        '{% extends "_letter.txt" %}\n{% block subject %}Leads!{% endblock %}\n'
        "{% block content %}{{ sections[0].count }} moved{% endblock %}\n"
    )
    (tmp_path / "mail" / "_letter.html").write_text(
        "<main>{% block content %}{% endblock %}</main>"
    )
    found = renderer(tmp_path)
    found.check()
    message = found.render("lead_stage_changed", sample("lead_stage_changed"))
    assert message.subject == "Leads!" and "2 moved" in message.text
    assert message.html.startswith("<main>")
    assert "2 moved" in found.render("digest", sample("digest")).text
    assert found.render("payout_sent", sample("payout_sent")).subject.startswith("Acme Partners")


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("payout_sent.txt", "{% extends '_letter.txt' %}\n{% block subject %}x{% endblock %}\n"
         "{% block content %}\n{{ nothing }}{% endblock %}", 4, "nothing"),
        ("payout_sent.html", "<p>\n{% if %}</p>", 2, "TemplateSyntaxError"),
        ("payout_sent.txt", "{% extends 'other.txt' %}{% block subject %}{% endblock %}"
         "{% block content %}{% endblock %}", 1, "other.txt"),
        ("payout_sent.txt", "{% block subject %}\n{{ sections|nofilter }}{% endblock %}", 2,
         "nofilter"),
        ("payout_sent.html", "a\n{{ ''.__class__.__mro__ }}", 2, "unsafe"),
        ("payout_sent.html", "a\n\n{{ sections[0].totals[0].amount_minor|money(1) }}", 3, ""),
    ],
)  # fmt: skip
def test_a_broken_template_names_its_file_and_line(tmp_path, name, text, line, says):
    (tmp_path / "mail").mkdir()
    file = tmp_path / "mail" / name
    file.write_text(text)
    with pytest.raises(NoticeTemplateError) as refused:
        renderer(tmp_path).check()
    assert f"{file}:{line}: " in str(refused.value)
    assert says in str(refused.value)


def test_a_template_without_a_subject_and_one_of_no_kind_are_refused(tmp_path):
    (tmp_path / "mail").mkdir()
    file = tmp_path / "mail" / "payout_sent.txt"
    file.write_text("{% extends '_letter.txt' %}")
    with pytest.raises(NoticeTemplateError, match="no block subject"):
        renderer(tmp_path).check()
    file.rename(file.with_name("payout_snet.txt"))
    with pytest.raises(NoticeTemplateError, match="payout_snet.txt"):
        renderer(tmp_path).check()
