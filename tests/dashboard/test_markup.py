from django.utils.safestring import SafeString

from dashboard.markup import filled, joined


def test_text_is_escaped_and_markup_is_kept_when_markup_is_filled() -> None:
    assert filled("<b>{}</b>{name}", "<i>", name=SafeString("<u>")) == "<b>&lt;i&gt;</b><u>"


def test_quotes_are_escaped_in_attributes() -> None:
    assert filled('<a title="{}">', "\"' onclick=") == '<a title="&quot;&#x27; onclick=">'


def test_what_was_filled_is_not_escaped_again() -> None:
    inner = filled("<b>{}</b>", "a & b")
    assert filled("<p>{}</p>", inner) == "<p><b>a &amp; b</b></p>"
    assert joined([inner, "<"], " & ") == "<b>a &amp; b</b> &amp; &lt;"
