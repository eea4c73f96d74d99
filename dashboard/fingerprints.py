"""By what a page tells whether anything has changed since it last heard, so that a poll without news stays empty."""

import zlib


def fingerprint(facts: object) -> str:
    """Short, and another one when ``facts`` are others: they are told apart by how they are written."""
    return f"{zlib.crc32(repr(facts).encode()):08x}"
