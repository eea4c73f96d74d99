"""How static files are stored where they are served from."""

from collections.abc import Iterable, Iterator

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Compresses a file under the hashed name that pages ask for. The plain name is for the pages that show when
    nothing works: compressing it, too, would double the seconds that the first start takes.
    """

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        hashed = set(self.hashed_files.values())
        yield from super().compress_files(path for path in paths if path in hashed)
