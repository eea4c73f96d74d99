"""What the log must not hold."""

import logging
import re

_TOKEN = re.compile(
    r"((?:/|%2F)(?:welcome|invitation|way-in)(?:/|%2F)|/forgotten/[^/\s]+/)[^/%\s]+"
    r"|((?:[?&]|%3F|%26)(?:code|state)(?:=|%3D))(?:(?!%26)[^&\s])+"
)
"""The addresses that let somebody in; and those by which somebody comes back from a provider."""


class WithoutTokens(logging.Filter):
    """Strikes the tokens out of addresses: whoever reads the log shall not be able to come in by one."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if (safe := _TOKEN.sub(r"\1\2…", said)) != said:
            record.msg, record.args = safe, None
        return True
