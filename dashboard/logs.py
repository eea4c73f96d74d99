"""What the log must not hold."""

import logging
import re

_TOKEN = re.compile(r"((?:/|%2F)(?:welcome|invitation)(?:/|%2F)|/forgotten/[^/\s]+/)[^/%\s]+")
"""The addresses that let somebody in."""


class WithoutTokens(logging.Filter):
    """Strikes the tokens out of addresses: whoever reads the log shall not be able to come in by one."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if (safe := _TOKEN.sub(r"\1…", said)) != said:
            record.msg, record.args = safe, None
        return True
