"""What the log must not hold."""

import logging
import re

_TOKEN = re.compile(
    r"((?:/|%2F)(?:welcome|invitation|way-in)(?:/|%2F)|/forgotten/[^/\s]+/|[?&](?:code|state)=)[^/%&\s]+"
)
"""The addresses that let somebody in; those by which somebody comes back from a provider."""


class WithoutTokens(logging.Filter):
    """Strikes the tokens out of addresses: whoever reads the log shall not be able to come in by one."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if (safe := _TOKEN.sub(r"\1…", said)) != said:
            record.msg, record.args = safe, None
        return True
