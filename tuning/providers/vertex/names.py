"""Names of Google Cloud's resources: what may stand in an address, and where a job has its page."""

import re

from tuning.errors import BadAnswer, InvalidRequest, NotFound
from tuning.providers.base import ConnectionSettings, JobRef

PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,62}", re.ASCII)
LOCATION = re.compile(r"[a-z0-9][a-z0-9-]{0,40}", re.ASCII)
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}", re.ASCII)
PARENT = r"projects/([\w.:-]+)/locations/([\w-]+)"
JOB = re.compile(PARENT + r"/tuningJobs/([\w-]+)", re.ASCII)
ENDPOINT = re.compile(PARENT + r"/endpoints/([\w-]+)", re.ASCII)
MODEL = re.compile(PARENT + r"/models/[\w-]+(@[\w-]+)?", re.ASCII)
OPERATION = re.compile(r"projects/[\w./:-]+/operations/[\w-]+", re.ASCII)
PUBLISHED = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}", re.ASCII)
FILE = re.compile(r"gs://([a-z0-9._-]+)/(\S+)", re.ASCII)
CONSOLE = "https://console.cloud.google.com"
MULTI_REGIONS = {"us", "eu"}
"""Have a host name of another form: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations"""


def check(settings: ConnectionSettings) -> None:
    """Raises ``InvalidRequest`` where project or location could not stand in an address."""
    for missing, pattern, said in (("project", PROJECT, settings.project), ("location", LOCATION, settings.location)):
        if not pattern.fullmatch(said):
            raise InvalidRequest("connection_incomplete", missing=missing)


def address(location: str) -> str:
    """Of Vertex AI in a location."""
    if location in MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    is_one = location != "global" and LOCATION.fullmatch(location)
    return f"https://{location + '-' if is_one else ''}aiplatform.googleapis.com"


def bucket(said: str) -> str:
    if not BUCKET.fullmatch(said):
        raise InvalidRequest("connection_incomplete", missing="bucket")
    return said


def job(ref: str) -> JobRef:
    """Raises ``NotFound`` for what is no job's name."""
    if not JOB.fullmatch(ref):
        raise NotFound
    return JobRef(ref)


def place(ref: str) -> str:
    """The location in a job's name. Raises ``NotFound``."""
    if not (match := JOB.fullmatch(ref)):
        raise NotFound
    return match[2]


def model(name: str) -> str:
    if not MODEL.fullmatch(name):
        raise BadAnswer(detail=f"no model's name: {name:.100}")
    return name


def endpoint(name: str) -> str:
    """Raises ``NotFound`` for what is no tuned model's name."""
    if not ENDPOINT.fullmatch(name):
        raise NotFound
    return name


def operation(name: str) -> str:
    if not OPERATION.fullmatch(name):
        raise BadAnswer(detail=f"no operation's name: {name:.100}")
    return name


def file(uri: str) -> tuple[str, str]:
    """Bucket and name of an object. Raises ``NotFound``."""
    if not (match := FILE.fullmatch(uri)):
        raise NotFound
    return match[1], match[2]


def console(ref: JobRef) -> str:
    """Where a job's page is, as Google's own SDK links to it."""
    match = JOB.fullmatch(ref)
    assert match is not None
    project, place, number = match.groups()
    return f"{CONSOLE}/vertex-ai/generative/language/locations/{place}/tuning/tuningJob/{number}?project={project}"


def endpoint_console(name: str) -> str:
    """Where an endpoint's page is."""
    match = ENDPOINT.fullmatch(name)
    assert match is not None
    project, place, number = match.groups()
    return f"{CONSOLE}/vertex-ai/online-prediction/locations/{place}/endpoints/{number}?project={project}"
