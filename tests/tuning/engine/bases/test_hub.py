"""Downloading from a hub: a small one on this machine, that speaks as Hugging Face's does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import orjson
import pytest

from tests import tiny_models
from tests.tuning.engine.test_prepare import percents
from tuning.engine import PrepareSpec
from tuning.engine.bases import catalogue
from tuning.engine.bases.catalogue import BaseModelEntry, Hub
from tuning.engine.prepare import prepare
from tuning.errors import EngineError

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Shelf:
    """What the hub has, what it was asked for, and how it misbehaves."""

    files: dict[str, bytes]
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    cut_off_after: int | None = None
    """The first answer with a large file ends after so many bytes."""
    wrong_hash: bool = False
    url: str = ""


class Desk(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.shelf.asked.append((path, self.headers.get("Range")))
        if path == "/api/models/people/small/revision/main":
            return self.answer(200, orjson.dumps({"sha": COMMIT, "siblings": list(self.siblings())}))
        name = path.removeprefix(f"/people/small/resolve/{COMMIT}/")
        if name not in self.shelf.files:
            return self.answer(404, b"")
        return self.send_file(self.shelf.files[name])

    def siblings(self) -> Iterator[dict[str, object]]:
        for name, content in self.shelf.files.items():
            known = {"rfilename": name, "size": len(content)}
            digest = "0" * 64 if self.shelf.wrong_hash else sha256(content).hexdigest()
            yield known | ({"lfs": {"sha256": digest}} if name.endswith(("safetensors", "gguf")) else {})

    def send_file(self, content: bytes) -> None:
        start = int(re.findall(r"\d+", self.headers.get("Range", "0"))[0])
        rest = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if self.shelf.cut_off_after is not None and len(rest) > self.shelf.cut_off_after:
            rest, self.shelf.cut_off_after = rest[: self.shelf.cut_off_after], None
        self.wfile.write(rest)
        self.close_connection = True

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    source = tiny_models.publish("qwen2", tmp_path / "published", shards=2)
    shelf = Shelf({path.name: path.read_bytes() for path in source.iterdir()})
    shelf.files |= {"pytorch_model.bin": b"pickle", "README.md": b"About.", "original/consolidated.safetensors": b"x"}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Desk", (Desk,), {"shelf": shelf})) as server:
        shelf.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield shelf
        server.shutdown()
        thread.join()


def make_ready(shelf: Shelf, models: Path, **changes: str) -> list[int]:
    """The percents that were told."""
    source = Hub(**{"hub": "people/small", "endpoint": shelf.url} | changes)
    if not (models / "small").exists():
        catalogue.place(BaseModelEntry(name="small", display_name="Small", weights=source, own_template=True), models)
    return percents(list(prepare(PrepareSpec(base="small", models=models))))


def names(shelf: Shelf) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in shelf.asked if "/resolve/" in path]


def test_a_model_is_downloaded_and_made_ready(shelf: Shelf, tmp_path: Path) -> None:
    told = make_ready(shelf, tmp_path / "models")

    entry = catalogue.entry("small", tmp_path / "models")
    assert catalogue.is_prepared("small", tmp_path / "models")
    assert isinstance(entry.weights, Hub)
    assert entry.weights.revision == COMMIT
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 100)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["small"]


def test_only_what_is_needed_is_fetched(shelf: Shelf, tmp_path: Path) -> None:
    make_ready(shelf, tmp_path / "models")

    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    texts = ["config.json", "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json"]
    assert sorted(names(shelf)) == sorted([*texts, *shards])


def test_a_download_goes_on_where_it_was_cut_off(shelf: Shelf, tmp_path: Path) -> None:
    shelf.cut_off_after = 80_000

    make_ready(shelf, tmp_path / "models")

    assert catalogue.is_prepared("small", tmp_path / "models")
    assert [asked for _, asked in shelf.asked if asked] == ["bytes=65536-"]


def test_a_file_with_another_hash_is_thrown_away(shelf: Shelf, tmp_path: Path) -> None:
    shelf.wrong_hash = True
    with pytest.raises(EngineError) as refused:
        make_ready(shelf, tmp_path / "models")
    assert refused.value.code == "hash_differs"

    shelf.wrong_hash = False
    make_ready(shelf, tmp_path / "models")
    assert catalogue.is_prepared("small", tmp_path / "models")


def test_what_is_here_is_not_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    lost = shelf.files.pop("tokenizer_config.json")
    shelf.files["config.json"], config = b"{}", shelf.files["config.json"]
    with pytest.raises(EngineError):
        make_ready(shelf, tmp_path / "models")
    assert list((tmp_path / "models" / ".small.download").glob("*.safetensors"))
    (tmp_path / "models" / ".small.download" / "config.json").unlink()
    shelf.files |= {"config.json": config, "tokenizer_config.json": lost}
    shelf.asked.clear()

    make_ready(shelf, tmp_path / "models")

    assert sorted(names(shelf)) == ["config.json", "tokenizer_config.json"]


def test_a_single_gguf_file_will_do(shelf: Shelf, tmp_path: Path, families: Path) -> None:
    content = (families / "small-gemma" / catalogue.GGUF_FILE).read_bytes()
    shelf.files = {"small.gguf": content, "README.md": b"About."}

    make_ready(shelf, tmp_path / "models")

    assert catalogue.entry("small", tmp_path / "models").prompt_format.end == "<end_of_turn>"


def test_pickles_are_not_even_fetched(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files = {"config.json": b"{}", "pytorch_model.bin": b"pickle"}
    with pytest.raises(EngineError) as refused:
        make_ready(shelf, tmp_path / "models")

    assert refused.value.code == "weights_unsafe"
    assert not names(shelf)


@pytest.mark.parametrize("changes", [{"revision": "none"}, {"hub": "people/none"}, {"endpoint": "http://127.0.0.1:1"}])
def test_a_hub_that_does_not_have_it_is_a_failed_download(
    shelf: Shelf, tmp_path: Path, changes: dict[str, str]
) -> None:
    with pytest.raises(EngineError) as refused:
        make_ready(shelf, tmp_path / "models", **changes)

    assert refused.value.code == "download_failed"
    assert "127.0.0.1" not in refused.value.detail
