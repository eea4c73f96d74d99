"""``client.models`` of google-genai with the tuned model that was made."""

from checks import BUSY_KEY, BUSY_URL, OTHER_KEY, check, made, refused
from google.genai import errors, types
from google_genai_client import BASE, client, connect


@check("models.list")
def list_base_models() -> None:
    assert BASE in [model.name for model in client.models.list()]


@check("models.get")
def get_base_model() -> None:
    assert client.models.get(model=BASE).output_token_limit > 0


@check("tunedModels.list")
def list_tuned_models() -> None:
    config = types.ListModelsConfig(query_base=False, page_size=1)
    assert made.name in [model.name for model in client.models.list(config=config)]


@check("tunedModels.get")
def get() -> None:
    model = client.models.get(model=made.name)
    assert (model.name, model.display_name) == (made.name, "Seasons")
    assert model.tuned_model_info.base_model == BASE


@check("tunedModels.generateContent")
def generate_content() -> None:
    config = types.GenerateContentConfig(max_output_tokens=8, temperature=0.5, top_p=0.9, top_k=10, seed=3)
    answer = client.models.generate_content(model=made.name, contents="spring", config=config)
    assert answer.candidates[0].finish_reason in {types.FinishReason.STOP, types.FinishReason.MAX_TOKENS}
    assert answer.usage_metadata.total_token_count > 0


@check("tunedModels.generateContent: candidates")
def generate_candidates() -> None:
    config = types.GenerateContentConfig(candidate_count=2, max_output_tokens=4, temperature=1.0)
    answer = client.models.generate_content(model=made.name, contents="spring", config=config)
    assert len(answer.candidates) == 2


@check("tunedModels.streamGenerateContent")
def stream() -> None:
    config = types.GenerateContentConfig(max_output_tokens=8, temperature=0)
    streamed = list(client.models.generate_content_stream(model=made.name, contents="spring", config=config))
    whole = client.models.generate_content(model=made.name, contents="spring", config=config)
    assert "".join(chunk.text or "" for chunk in streamed) == (whole.text or "")
    assert streamed[-1].candidates[0].finish_reason == whole.candidates[0].finish_reason


@check("tunedModels.countTokens")
def count_tokens() -> None:
    short, long = (client.models.count_tokens(model=made.name, contents=text) for text in ("one", "one two three"))
    assert 0 < short.total_tokens < long.total_tokens


@check("error 400")
def unsupported() -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json")
    with refused(errors.ClientError, "400"):
        client.models.generate_content(model=made.name, contents="spring", config=config)
    stranger = connect("no-such-key")
    with refused(errors.ClientError, "400", "API key not valid"):
        stranger.models.get(model=made.name)


@check("tunedModels.patch")
def update() -> None:
    config = types.UpdateModelConfig(display_name="Year", description="Four seasons")
    changed = client.models.update(model=made.name, config=config)
    assert (changed.display_name, changed.description) == ("Year", "Four seasons")
    assert client.models.get(model=made.name).display_name == "Year"


@check("error 403")
def somebody_elses() -> None:
    other = connect(OTHER_KEY)
    with refused(errors.ClientError, "403", made.name):
        other.models.get(model=made.name)


@check("tunedModels.delete")
def delete() -> None:
    client.models.delete(model=made.name)
    with refused(errors.ClientError, "404", made.name):
        client.models.get(model=made.name)


@check("error 503")
def not_ready() -> None:
    busy = connect(BUSY_KEY, BUSY_URL)
    with refused(errors.ServerError, "503"):
        busy.models.generate_content(model=BASE, contents="spring")


@check("error 429")
def too_often() -> None:
    busy = connect(BUSY_KEY, BUSY_URL)
    with refused(errors.ClientError, "429"):
        for _ in range(9):  # twice as often as allowed, should a minute end meanwhile
            busy.models.get(model=BASE)
