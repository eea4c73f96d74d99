"""Everything that can go wrong, as codes and parameters: never a sentence for people.

::

    TuningError                  may be shown to people; anything else is a bug
    ├── DatasetError             a file is not a dataset; holds its problems, row by row
    ├── PasteError               a text is no request for a tuning job
    ├── EngineError              a job could not be run to its end
    └── ServiceError             a tuning service did not do what was asked
        ├── InvalidRequest       400 INVALID_ARGUMENT
        ├── Unauthenticated      401 UNAUTHENTICATED
        ├── PermissionDenied     403 PERMISSION_DENIED
        │   └── NotSetUp         whatever is asked for: the account, the key or the project lacks something
        ├── NotFound             404 NOT_FOUND        (Google also answers 403 for these)
        ├── AlreadyExists        409 ALREADY_EXISTS
        ├── FailedPrecondition   400 FAILED_PRECONDITION
        ├── Exhausted            429 RESOURCE_EXHAUSTED
        ├── Unimplemented        501 UNIMPLEMENTED
        ├── Internal             500 INTERNAL
        └── Unavailable          503 UNAVAILABLE, or no answer at all
            ├── Unreachable      no connection to the service
            ├── TimedOut         504 DEADLINE_EXCEEDED, or no answer in time
            └── BadAnswer        an answer that cannot be read

The dashboard has a sentence for each code in ``dashboard/messages/``; the tuning server has
the wire's sentences in ``tuning/server/answers.py``.
"""

from dataclasses import dataclass, field


class TuningError(Exception):
    """``code`` names the case, ``params`` fill the sentence, ``detail`` is technical text for the curious."""

    code = "unknown"

    def __init__(self, code: str | None = None, *, detail: str = "", **params: object) -> None:
        self.code = code or type(self).code
        self.params = params
        self.detail = detail
        super().__init__(f"{self.code} {params}" if params else self.code)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a dataset: a code, the row (counted from 1, the header apart) and parameters."""

    code: str
    row: int | None = None
    params: dict[str, object] = field(default_factory=dict)


class DatasetError(TuningError):
    """The bytes are not a usable dataset. ``problems`` holds at most the first hundred, ``count`` all."""

    code = "dataset_invalid"

    def __init__(self, problems: list[Problem], count: int | None = None) -> None:
        self.problems = problems[:100]
        self.count = len(problems) if count is None else count
        super().__init__(problems[0].code if problems else None, count=self.count)


class PasteError(TuningError):
    """A text that somebody pasted asks for no tuning job (codes: :mod:`tuning.pasted`)."""

    code = "paste_not_a_request"


class EngineError(TuningError):
    """Tuning ended early for a reason that can be named: ``out_of_memory``, ``diverged``, ``disk_full``,
    ``example_too_long``, ``base_model_missing``, ``source_missing``, ``no_labels``, ``killed``, ``stalled``,
    ``failed``; or a base model cannot be used: ``architecture_unknown``, ``base_model_unreadable``, ``weights_unsafe``,
    ``tokenizer_unknown``, ``chat_template_unusable``, ``hash_differs``, ``download_failed``, ``does_not_fit``,
    ``catalogue_unreadable``; or an adapter that was made elsewhere fits no base model: ``adapter_unfit``.
    """

    code = "failed"


class ServiceError(TuningError):
    """A tuning service refused, or could not be asked.

    ``status`` is the canonical name, ``http`` the HTTP status and ``grpc`` the gRPC code of the class;
    ``detail`` is the service's own message, ``body`` its raw answer.
    """

    code = "service_failed"
    status = "UNKNOWN"
    http = 500
    grpc = 2

    def __init__(
        self,
        code: str | None = None,
        *,
        detail: str = "",
        body: str = "",
        retry_after: float | None = None,
        **params: object,
    ) -> None:
        super().__init__(code, detail=detail, **params)
        self.body = body
        self.retry_after = retry_after


class InvalidRequest(ServiceError):
    code, status, http, grpc = "invalid_request", "INVALID_ARGUMENT", 400, 3


class Unauthenticated(ServiceError):
    code, status, http, grpc = "unauthenticated", "UNAUTHENTICATED", 401, 16


class PermissionDenied(ServiceError):
    code, status, http, grpc = "permission_denied", "PERMISSION_DENIED", 403, 7


class NotSetUp(PermissionDenied):
    """Says nothing about the thing that was asked for: with the set-up put right, it may well be there."""

    code = "not_set_up"


class NotFound(ServiceError):
    code, status, http, grpc = "not_found", "NOT_FOUND", 404, 5


class AlreadyExists(ServiceError):
    code, status, http, grpc = "already_exists", "ALREADY_EXISTS", 409, 6


class FailedPrecondition(ServiceError):
    code, status, http, grpc = "failed_precondition", "FAILED_PRECONDITION", 400, 9


class Exhausted(ServiceError):
    code, status, http, grpc = "exhausted", "RESOURCE_EXHAUSTED", 429, 8


class Unimplemented(ServiceError):
    code, status, http, grpc = "unimplemented", "UNIMPLEMENTED", 501, 12


class Internal(ServiceError):
    code, status, http, grpc = "internal", "INTERNAL", 500, 13


class Unavailable(ServiceError):
    code, status, http, grpc = "unavailable", "UNAVAILABLE", 503, 14


class Unreachable(Unavailable):
    code = "unreachable"


class TimedOut(Unavailable):
    code, status, http, grpc = "timed_out", "DEADLINE_EXCEEDED", 504, 4


class BadAnswer(Unavailable):
    code = "bad_answer"
