"""A job's whole series as a file: every point as it was stored, written while it is read.

Losses are the shortest decimals that give the stored float32 again. What is not finite is ``NaN``, ``Infinity`` and
``-Infinity``: pandas, R and spreadsheets read them in CSV, and in JSON they are strings, as in Google's own JSON.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import orjson
from django.http import StreamingHttpResponse
from django.utils.text import slugify

from dashboard.jobs.models import Job
from tuning.curves import Arrays

HEADER = "series,step,epoch,loss,time\n"
NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def as_csv(job: Job) -> StreamingHttpResponse:
    """``series,step,epoch,loss,time``: "training", then "held out". No cell holds text of anybody's."""
    return _file(job, "csv", "text/csv; charset=utf-8", _csv(job))


def as_json(job: Job) -> StreamingHttpResponse:
    """``{"training": [[step, epoch, loss, time], …], "held_out": […]}``; times are ISO 8601, or ``null``."""
    return _file(job, "json", "application/json", _json(job))


def _csv(job: Job) -> Iterator[str]:
    yield HEADER
    for chunk in job.chunks.all().each():
        yield "".join(f"training,{step},{epoch},{value},{time}\n" for step, epoch, value, time in _rows(chunk))
    yield "".join(f"held out,{step},{epoch},{_number(value)},\n" for step, epoch, value in job.validation)


def _json(job: Job) -> Iterator[str]:
    yield '{"training":['
    before = ""
    for chunk in job.chunks.all().each():
        rows = (f"[{step},{epoch},{_quoted(value)},{_word(time)}]" for step, epoch, value, time in _rows(chunk))
        yield before + ",\n".join(rows)
        before = ",\n"
    held_out = (f"[{step},{epoch},{_quoted(_number(value))},null]" for step, epoch, value in job.validation)
    yield '],\n"held_out":[' + ",\n".join(held_out) + "]}\n"


def _rows(chunk: Arrays) -> Iterator[tuple[int, int, str, str]]:
    return zip(chunk.steps.tolist(), chunk.epochs.tolist(), _numbers(chunk.values), _moments(chunk.times), strict=True)


def _numbers(values: npt.NDArray[np.float32]) -> list[str]:
    finite = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode().split(",")
    return [
        text if np.isfinite(value) else NOT_FINITE[str(value)]
        for text, value in zip(finite, values.tolist(), strict=True)
    ]


def _number(value: float | None) -> str:
    """Of a held-out loss, of which only finite ones are stored as numbers."""
    return "NaN" if value is None else repr(value)


def _moments(times: npt.NDArray[np.float64]) -> list[str]:
    """ISO 8601, UTC, to the millisecond; empty for what is no time."""
    with np.errstate(invalid="ignore"):
        moments = np.round(times * 1000).astype("datetime64[ms]")
    return ["" if text == "NaT" else f"{text}Z" for text in np.datetime_as_string(moments).tolist()]


def _quoted(number: str) -> str:
    return f'"{number}"' if number in NOT_FINITE.values() else number


def _word(text: str) -> str:
    return f'"{text}"' if text else "null"


def _file(job: Job, suffix: str, content_type: str, pieces: Iterator[str]) -> StreamingHttpResponse:
    name = slugify(job.display_name) or f"job-{job.pk}"
    headers = {"Content-Disposition": f'attachment; filename="{name}-loss.{suffix}"'}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)
