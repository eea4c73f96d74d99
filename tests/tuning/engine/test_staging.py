"""A folder is there as a whole or not at all."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.tuning.engine.running import until
from tuning.engine.staging import locked, staged

ROOT = Path(__file__).resolve().parents[3]


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "a"
    with locked(tmp_path), staged(target) as folder:
        (folder / "file").write_text("x")
        assert not target.exists()

    assert (target / "file").read_text() == "x"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.mkdir()
    (target / "old").touch()
    with suppress(KeyboardInterrupt), locked(tmp_path), staged(target) as folder:
        (folder / "new").touch()
        raise KeyboardInterrupt

    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_writer_leaves_no_folder_of_that_name_and_no_lock(tmp_path: Path) -> None:
    writer = (
        "import sys, time; from pathlib import Path; from tuning.engine.staging import locked, staged\n"
        "target = Path(sys.argv[1])\n"
        "with locked(target.parent), staged(target) as folder:\n"
        "    (folder / 'half').touch(); time.sleep(60)\n"
    )
    target = tmp_path / "a"
    with subprocess.Popen([sys.executable, "-c", writer, str(target)], cwd=ROOT) as process:
        until(lambda: list(tmp_path.glob(".*/half")) != [])
        process.kill()

    assert not target.exists()
    with locked(tmp_path), staged(target) as folder:
        (folder / "whole").touch()
    assert [path.name for path in target.iterdir()] == ["whole"]
    assert list(tmp_path.iterdir()) == [target]
