"""What the worker does: it writes libraries and brings them in. Rows say what is still to do."""

import logging

from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard import audit
from dashboard.moving import archive, files, leaving
from dashboard.moving.arriving import Arrival
from dashboard.moving.leaving import Outcome
from dashboard.moving.models import Kind, Move
from tuning.errors import TuningError, Unavailable

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Enqueue, each minute, what was left, and clear up."""
    files.clear()
    for pk in Move.objects.unfinished().values_list("pk", flat=True):
        move.enqueue(pk)


@task()
def move(pk: int) -> None:
    """Do move ``pk``, if nobody is at it."""
    if not Move.objects.claim(pk):
        return
    asked = Move.objects.select_related("by").get(pk=pk)
    try:
        outcome = _brought(asked) if asked.kind == Kind.IMPORT else leaving.export(asked.path, asked.by, asked.hear)
    except Unavailable as error:
        asked.wait(error)
    except TuningError as error:
        asked.fail(error)
    except FileNotFoundError:
        asked.fail(archive.ArchiveError("archive_gone"))
    except OSError:
        asked.fail(archive.ArchiveError("archive_unwritten"))
    except Exception:  # or it would be begun anew for ever, and no other could be begun
        logger.exception("move %s broke down", pk)
        asked.fail(archive.ArchiveError("archive_broke"))
    else:
        _close(asked, outcome)


def _brought(asked: Move) -> Outcome:
    with archive.reading(asked.path, lambda _done, _total: asked.hear(0, 0)) as source:
        return Arrival(source, asked.by).bring(asked.hear)


def _close(asked: Move, outcome: Outcome) -> None:
    if asked.kind == Kind.IMPORT:
        audit.record(asked.by, "library.imported", None, models=outcome.models, datasets=outcome.datasets)
    else:
        audit.record(asked.by, "library.exported", None, models=outcome.models, datasets=outcome.datasets)
    asked.finish(outcome)
