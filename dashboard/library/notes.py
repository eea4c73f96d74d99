"""Notes are markdown, written by people for people: what they become on a page holds nothing that acts by itself."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

LENGTH = 10_000
HIGHEST_HEADING = 3
"""The page's own headings stand above."""
TAGS = {
    *("p", "br", "hr", "blockquote", "ul", "ol", "li", "pre", "code", "em", "strong", "s", "a"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
SCHEMES = {"http", "https", "mailto"}
"""Of links. Pictures are not shown: to fetch one would tell its server who reads the notes."""

_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def rendered(notes: str) -> SafeString:
    """``notes`` as HTML. What markdown does not know, HTML among it, is shown as it was written."""
    tokens = _markdown.parse(notes[:LENGTH])  # a service's own words may be longer; reading them takes their square
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + HIGHEST_HEADING - 1, 6)}"
    drawn = _markdown.renderer.render(tokens, _markdown.options, {})
    clean = nh3.clean(
        drawn, tags=TAGS, attributes={"a": {"href", "title"}}, url_schemes=SCHEMES, link_rel="noopener noreferrer"
    )
    return mark_safe(clean)  # noqa: S308 - nh3 lets nothing through but the tags above
