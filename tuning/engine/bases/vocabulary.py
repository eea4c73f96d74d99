"""Tokenizers as the two libraries keep them: ``tokenizer.json`` (tokenizers) and the tables of a GGUF file (llama.cpp).

Two kinds are known, both byte-pair encodings. Byte-level ones (GPT-2's, Llama 3, Qwen, SmolLM) write bytes as
letters; they differ in how a text is cut up beforehand, for which llama.cpp has a name and tokenizers a regular
expression. Those with byte fallback (SentencePiece: Llama 2, Mistral, Gemma) write a space as ``▁`` and spell out what
they do not know in bytes; llama.cpp merges by a token's score, tokenizers by the rank of the pair.

Here the engine itself uses ``tokenizer.json`` alone; the tables are for whoever takes the GGUF elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from gguf import TokenType
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from tuning.errors import EngineError

SPACE = "▁"

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
OTHERS = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

CUTS = {
    "llama-bpe": rf"{CONTRACTIONS}|{LETTERS}|\p{{N}}{{1,3}}|{OTHERS}",
    "qwen2": rf"{CONTRACTIONS}|{LETTERS}|\p{{N}}|{OTHERS}",
}
"""How a text is cut up before its bytes are merged, by llama.cpp's name."""

DIGITS = "smollm"
"""Each digit alone, the rest as GPT-2 does."""
GPT2 = "gpt-2"
UNKNOWN = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tables:
    """What a GGUF file says of its tokenizer."""

    model: str
    """``gpt2`` (byte-level) or ``llama`` (byte fallback)."""
    pre: str
    tokens: list[str]
    kinds: list[int]
    """Of :class:`gguf.TokenType`."""
    merges: list[str]
    """Byte-level only."""
    scores: list[float]
    """Byte fallback only."""
    space_before: bool = False
    """Whether a text is read as if a space stood before it."""


def tables(tokenizer: Mapping[str, Any], size: int) -> Tables:
    """The tables of a ``tokenizer.json`` for ``size`` embeddings; what has an embedding and no text is filled up.

    Raises ``EngineError("tokenizer_unknown")``.
    """
    model = _model(tokenizer)
    texts, kinds = _tokens(tokenizer, size)
    if not model.get("byte_fallback"):
        merges = [" ".join(pair) for pair in _pairs(model)]
        return Tables(model="gpt2", pre=_cut(tokenizer), tokens=texts, kinds=kinds, merges=merges, scores=[])
    return Tables(
        model="llama",
        pre=UNKNOWN,
        tokens=texts,
        kinds=kinds,
        merges=[],
        scores=_scores(texts, _pairs(model)),
        space_before=_space_before(tokenizer),
    )


def tokenizer(found: Tables) -> Tokenizer:
    """The tokenizer that these tables describe. Raises ``EngineError("tokenizer_unknown")``."""
    if found.model not in ("gpt2", "llama"):
        raise EngineError("tokenizer_unknown", detail=f"tokenizer.ggml.model is {found.model}"[:100])
    made = _byte_level(found) if found.model == "gpt2" else _byte_fallback(found)
    for kind, special in ((TokenType.CONTROL, True), (TokenType.USER_DEFINED, False)):
        texts = [text for text, is_kind in zip(found.tokens, found.kinds, strict=True) if is_kind == kind]
        added = [AddedToken(text, special=special, normalized=False) for text in texts]
        made.add_special_tokens(added) if special else made.add_tokens(added)
    return made


def check(tokenizer: Mapping[str, Any], size: int) -> None:
    """Raise ``EngineError("tokenizer_unknown")`` unless this is a tokenizer of ours for ``size`` embeddings."""
    tables(tokenizer, size)


def _model(tokenizer: Mapping[str, Any]) -> Mapping[str, Any]:
    model = tokenizer.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE" or "merges" not in model:
        raise EngineError("tokenizer_unknown", detail="tokenizer.json is no byte-pair encoding")
    if not model.get("byte_fallback") and "ByteLevel" not in _types(tokenizer):
        raise EngineError(
            "tokenizer_unknown", detail="tokenizer.json neither writes bytes as letters nor falls back to them"
        )
    return model


def _tokens(tokenizer: Mapping[str, Any], size: int) -> tuple[list[str], list[int]]:
    vocabulary, unknown = tokenizer["model"]["vocab"], tokenizer["model"].get("unk_token")
    fallback = tokenizer["model"].get("byte_fallback")
    texts, kinds = [f"[PAD{number}]" for number in range(size)], [int(TokenType.UNUSED)] * size
    added = tokenizer.get("added_tokens") or []
    numbers = [*vocabulary.values(), *(token["id"] for token in added)]
    if not numbers or max(numbers) >= size:
        raise EngineError("tokenizer_unknown", detail=f"tokens up to {max(numbers, default=0)}, embeddings {size}")
    for text, number in vocabulary.items():
        texts[number] = text
        kinds[number] = int(TokenType.BYTE if fallback and _is_byte(text) else TokenType.NORMAL)
    for token in added:
        texts[token["id"]] = token["content"]
        kinds[token["id"]] = int(TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED)
    if fallback and unknown in vocabulary:
        kinds[vocabulary[unknown]] = int(TokenType.UNKNOWN)
    return texts, kinds


def _is_byte(text: str) -> bool:
    return len(text) == 6 and text.startswith("<0x") and text.endswith(">")


def _pairs(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The merges, best first; written as pairs, or by earlier versions as texts with a space in between."""
    for merge in model["merges"]:
        left, right = merge.split(" ", 1) if isinstance(merge, str) else merge
        yield left, right


def _scores(texts: Sequence[str], pairs: Iterator[tuple[str, str]]) -> list[float]:
    """A pair's rank becomes the score of what it makes: the better, the higher."""
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(pairs):
        ranks.setdefault(left + right, rank)
    return [-float(ranks[text] + 1) if text in ranks else -float(len(ranks) + 1) for text in texts]


def _space_before(tokenizer: Mapping[str, Any]) -> bool:
    if "Prepend" in _types(tokenizer):
        return True
    steps = [step for step in _steps(tokenizer.get("pre_tokenizer")) if step["type"] == "Metaspace"]
    return any(step.get("prepend_scheme", "always") != "never" for step in steps)


def _types(tokenizer: Mapping[str, Any]) -> set[str]:
    return {step["type"] for part in ("normalizer", "pre_tokenizer") for step in _steps(tokenizer.get(part))}


def _steps(part: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    if not part:
        return []
    return list(part.get("pretokenizers") or part.get("normalizers") or [part])


def _cut(tokenizer: Mapping[str, Any]) -> str:
    """llama.cpp's name of how a text is cut up."""
    steps = _steps(tokenizer.get("pre_tokenizer"))
    patterns = [step["pattern"].get("Regex") for step in steps if step["type"] == "Split"]
    if patterns:
        return next((name for name, cut in CUTS.items() if patterns == [cut]), UNKNOWN)
    if any(step["type"] == "Digits" and step.get("individual_digits") for step in steps):
        return DIGITS
    return GPT2 if [step["type"] for step in steps] == ["ByteLevel"] else UNKNOWN


def _byte_level(found: Tables) -> Tokenizer:
    merges = [(left, right) for left, _, right in (merge.partition(" ") for merge in found.merges)]
    vocabulary = {text: number for number, text in enumerate(found.tokens)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=found.pre == "llama-bpe"))
    if found.pre == "qwen2":
        made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(list(_cutting(found.pre)))
    made.decoder = decoders.ByteLevel()
    return made


def _cutting(pre: str) -> Iterator[pre_tokenizers.PreTokenizer]:
    if pre in CUTS:
        yield pre_tokenizers.Split(Regex(CUTS[pre]), "isolated")
        yield pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    elif pre in (DIGITS, GPT2, "gpt2"):
        if pre == DIGITS:
            yield pre_tokenizers.Digits(individual_digits=True)
        yield pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        raise EngineError("tokenizer_unknown", detail=f"tokenizer.ggml.pre is {pre}"[:100])


def _byte_fallback(found: Tables) -> Tokenizer:
    vocabulary = {text: number for number, text in enumerate(found.tokens)}
    unknown = next((t for t, kind in zip(found.tokens, found.kinds, strict=True) if kind == TokenType.UNKNOWN), None)
    merges = _merges(found, vocabulary)
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token=unknown, fuse_unk=True, byte_fallback=True))
    spaces: list[normalizers.Normalizer] = [normalizers.Replace(" ", SPACE)]
    ends: list[decoders.Decoder] = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    if found.space_before:
        spaces.insert(0, normalizers.Prepend(SPACE))
        ends.append(decoders.Strip(content=" ", left=1))
    made.normalizer = normalizers.Sequence(spaces)
    made.decoder = decoders.Sequence(ends)
    return made


def _merges(found: Tables, vocabulary: Mapping[str, int]) -> list[tuple[str, str]]:
    """Every way to make a token of two others, the highest score first."""
    normal = {t: s for t, s, k in zip(found.tokens, found.scores, found.kinds, strict=True) if k == TokenType.NORMAL}
    made = []
    for text, score in normal.items():
        halves = [(text[:at], text[at:]) for at in range(1, len(text))]
        known = [pair for pair in halves if pair[0] in normal and pair[1] in normal]
        made += [(-score, vocabulary[left], vocabulary[right], left, right) for left, right in known]
    return [(left, right) for *_, left, right in sorted(made)]


def read(path_text: bytes) -> Mapping[str, Any]:
    """A ``tokenizer.json``. Raises ``EngineError("tokenizer_unknown")``."""
    try:
        found = orjson.loads(path_text)
    except ValueError as exc:
        raise EngineError("tokenizer_unknown", detail="tokenizer.json is no JSON") from exc
    if not isinstance(found, dict):
        raise EngineError("tokenizer_unknown", detail="tokenizer.json is no object")
    return found
