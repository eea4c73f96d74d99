"""The objects that ``/tuneboard/v1`` answers, as JSON Schema; Google's are read off :mod:`tuning.resources`."""

from tuning import resources
from tuning.server.openapi.schemas import Schema, reference


def an_object(**properties: Schema) -> Schema:
    """An object that has nothing but ``properties``; those whose schema says ``optional`` may be absent."""
    optional = {name for name, schema in properties.items() if schema.get("optional")}
    written = {name: {k: v for k, v in schema.items() if k != "optional"} for name, schema in properties.items()}
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": written, "required": required, "additionalProperties": False}


def maybe(schema: Schema) -> Schema:
    return {**schema, "optional": True}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
EMPTY = an_object()
POINTS: Schema = {
    "type": "array",
    "description": "Step, epochs completed, mean loss, seconds since 1970; a loss that is no number is null.",
    "items": {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 4, "maxItems": 4},
}
RECIPE = {
    "allOf": [reference(resources.JobRecipe)],
    "description": "Every hyperparameter as it is used.",
}
TRAINING_DATA = an_object(
    sha256=TEXT, examples=COUNT, heldOut=COUNT, keptSince=TIME, keptUntil=maybe(TIME), removed=maybe(TIME)
)
CONDITIONS = an_object(server=TEXT, engine=TEXT, threads=COUNT)
JOB = an_object(
    state={"type": "string", "enum": ["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]},
    model=TEXT,
    operation=TEXT,
    attempt=COUNT,
    totalSteps=COUNT,
    completedSteps=COUNT,
    created=maybe(TIME),
    started=maybe(TIME),
    finished=maybe(TIME),
    priority=maybe({"type": "integer", "description": "Jobs of a higher one go first; absent means 0."}),
    queuePlace=maybe({"type": "integer", "minimum": 1}),
    expectedStart=maybe(TIME),
    preparing=maybe({"type": "integer", "minimum": 0, "maximum": 100}),
    failure=maybe(an_object(code=TEXT, detail=TEXT)),
    best=maybe(an_object(step=COUNT, epoch=COUNT, loss={"type": ["number", "null"]})),
    stopped=maybe(COUNT),
    recipe=RECIPE,
    trainingData=TRAINING_DATA,
    conditions=CONDITIONS,
    logCursor=COUNT,
    points=POINTS,
    validation=POINTS,
)
SAMPLES = an_object(
    samples={
        "type": "array",
        "items": an_object(
            row={"type": "integer", "minimum": 1},
            prompt=TEXT,
            expected=TEXT,
            answers={"type": "array", "items": an_object(step=COUNT, epoch=COUNT, answer=TEXT)},
        ),
    }
)
LINE = an_object(time=TIME, attempt=COUNT, level=TEXT, text=TEXT)
LOG = an_object(lines={"type": "array", "items": LINE}, cursor=COUNT)
DATASET = an_object(sha256=TEXT, examples=COUNT, bytes=COUNT, created=TIME)
TOKENS = an_object(tokens={"type": "array", "items": COUNT}, totalTokens=COUNT)
TALLY = an_object(
    examples=COUNT, inputTokens=COUNT, outputTokens=COUNT, longestInput=COUNT, longestOutput=COUNT, totalTokens=COUNT
)
STATUS = an_object(
    version=TEXT,
    tuner={"type": "boolean"},
    inference={"type": "boolean"},
    preparing=maybe(COUNT),
    failure=maybe(TEXT),
)

CHILD = an_object(
    kind={"type": "string", "enum": ["training", "warm", "inference", "preparation"]},
    pid=COUNT,
    memoryBytes=COUNT,
    model=maybe(TEXT),
    base=maybe(TEXT),
    since=maybe(TIME),
)
TUNER = an_object(
    name=TEXT,
    host=TEXT,
    alive={"type": "boolean"},
    slots=COUNT,
    threads=COUNT,
    started=TIME,
    heartbeat=TIME,
    memoryBytes=COUNT,
    freeMemoryBytes=COUNT,
    diskBytes=COUNT,
    freeDiskBytes=COUNT,
    children={"type": "array", "items": CHILD},
    preparing=maybe(COUNT),
    preparingBase=maybe(TEXT),
    failure=maybe(TEXT),
)
TURN = an_object(
    model=TEXT,
    displayName=TEXT,
    owner=TEXT,
    baseModel=TEXT,
    priority={"type": "integer"},
    expectedStart=maybe(TIME),
)
ENGINE = an_object(
    version=TEXT,
    tuners={"type": "array", "items": TUNER},
    queue=an_object(waiting=COUNT, running=COUNT, next={"type": "array", "items": TURN}),
)
IN_QUEUE = {
    "model": maybe(TEXT),
    "displayName": maybe(TEXT),
    "owner": maybe(TEXT),
    "baseModel": maybe(TEXT),
    "totalSteps": COUNT,
    "completedSteps": COUNT,
}
QUEUE = an_object(
    waiting=COUNT,
    running={"type": "array", "items": an_object(**IN_QUEUE, started=maybe(TIME), expectedEnd=maybe(TIME))},
    next={
        "type": "array",
        "items": an_object(
            place={"type": "integer", "minimum": 1},
            **IN_QUEUE,
            priority=maybe({"type": "integer"}),
            expectedStart=maybe(TIME),
        ),
    },
)

USES = an_object(uses={"type": "object", "additionalProperties": TIME})

BASE_MODEL = an_object(
    name=TEXT,
    displayName=TEXT,
    description=TEXT,
    licence=TEXT,
    source={"type": "string", "enum": ["wheel", "folder", "hub", "placed"]},
    state={"type": "string", "enum": ["ready", "preparing", "failed", "absent"]},
    inputTokenLimit=COUNT,
    outputTokenLimit=COUNT,
    removable={"type": "boolean"},
    preparing=maybe(COUNT),
    failure=maybe(TEXT),
    failureDetail=maybe(TEXT),
    sha256=maybe({"type": "object", "additionalProperties": TEXT}),
    bytes=maybe(COUNT),
    parameters=maybe(COUNT),
    fits=maybe({"type": "string", "enum": ["fits", "tight", "does_not_fit"]}),
    fitsReasons=maybe({"type": "array", "items": {"type": "string", "enum": ["memory", "disk"]}}),
    tuningBytes=maybe(COUNT),
    answeringBytes=maybe(COUNT),
    diskBytes=maybe(COUNT),
    memoryBytes=maybe(COUNT),
    freeDiskBytes=maybe(COUNT),
)
