"""How much a dataset may hold. Sizes in bytes, lengths in characters (code points)."""

from dataclasses import dataclass

INPUT_CHARACTERS = 40_000
"""Longest ``text_input`` (Gemini API tuning guide, "Limitations")."""
OUTPUT_CHARACTERS = 5_000
"""Longest ``output`` (the same)."""
GOOGLE_FILE_BYTES = 4_000_000
"""Largest file Google's service took. Ours takes more, see :class:`Limits`."""
MEBIBYTE = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What is read of a file; whatever exceeds it is refused, not cut."""

    file_bytes: int = 64 * MEBIBYTE
    rows: int = 200_000
    columns: int = 1_000
    input_characters: int = INPUT_CHARACTERS
    output_characters: int = OUTPUT_CHARACTERS
    row_characters: int = MEBIBYTE
    """Of one row with its quotes and escapes: the longest pair, all of it written as ``\\uXXXX``, is half of it."""
