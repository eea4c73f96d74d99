"""A tuned model taken elsewhere: what the files are, and what stands in the card."""

import os
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import requests
import xllamacpp

from tests.processes import TuningServer, wait_until
from tests.tuning.server.bodies import body

MODEL = "elsewhere"
JOB = f"/tuneboard/v1/jobs/{MODEL}"
PARTS = ["adapter", "adapter.gguf", "merged.gguf", "card", "modelfile"]


@pytest.fixture(scope="module", autouse=True)
def tuned(server: TuningServer, key: str) -> Iterator[None]:
    made = body(epochs=5, display_name="Next | number")
    assert server.post(f"/v1beta/tunedModels?tunedModelId={MODEL}", key, json=made).status_code == 200
    assert server.wait_for_state(MODEL, key)["state"] == "SUCCEEDED"
    yield
    server.delete(f"/v1beta/tunedModels/{MODEL}", key)


def merged(server: TuningServer, key: str, model: str = MODEL) -> requests.Response:
    def whole() -> requests.Response | None:
        answer = server.get(f"/tuneboard/v1/jobs/{model}/merged.gguf", key)
        if answer.status_code == 202:
            assert 0 <= answer.json()["percent"] <= 100
            assert int(answer.headers["Retry-After"]) > 0
            return None
        assert answer.status_code == 200, answer.text
        return answer

    return wait_until(whole)


def complete(path: Path, prompt: str) -> str:
    """llama.cpp's greedy answer, from the file and a text alone."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 256, 1, 0
    parameters.warmup = parameters.fit_params = False
    request = {"prompt": prompt, "n_predict": 12, "temperature": 0, "top_k": 1}
    return str(xllamacpp.Server(parameters).handle_completions(request)["choices"][0]["text"])


def test_the_merged_file_answers_as_the_tuned_model_does(server: TuningServer, key: str, tmp_path: Path) -> None:
    (tmp_path / "merged.gguf").write_bytes(merged(server, key).content)
    asked = {"contents": [{"parts": [{"text": "one"}]}], "generationConfig": {"temperature": 0, "maxOutputTokens": 12}}
    said = server.post(f"/v1beta/tunedModels/{MODEL}:generateContent", key, json=asked).json()
    text = said["candidates"][0]["content"]["parts"][0]["text"]

    prompt = "<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\n"
    assert complete(tmp_path / "merged.gguf", prompt).strip() == text.strip()


def test_the_merged_file_is_named_and_measured(server: TuningServer, key: str) -> None:
    answer = merged(server, key)

    assert answer.headers["Content-Disposition"] == f'attachment; filename="{MODEL}.gguf"'
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.content.startswith(b"GGUF")


def test_the_adapter_comes_as_gguf(server: TuningServer, key: str) -> None:
    answer = server.get(f"{JOB}/adapter.gguf", key)

    assert answer.headers["Content-Disposition"] == f'attachment; filename="{MODEL}-adapter.gguf"'
    assert answer.content.startswith(b"GGUF")


def test_the_card_says_how_the_model_came_about(server: TuningServer, key: str) -> None:
    card = server.get(f"{JOB}/card", key)
    job = server.job(MODEL, key)

    assert card.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert card.text.startswith("---\n")
    assert "# Next | number" in card.text
    for said in (job["trainingData"]["sha256"], "Tiny Llama", "| rank | 8 |", "| learning rate | 0.001 |", "not known"):
        assert said in card.text, said
    first, *_, last = job["points"]
    assert f"first {first[2]:.4g} (step 1), last {last[2]:.4g}" in card.text
    assert f"| {last[0]} | {last[1]} | {last[2]:.4g} |" in card.text
    assert "ada@example.com" not in card.text


def test_the_modelfile_writes_a_prompt_as_it_was_learnt(server: TuningServer, key: str) -> None:
    text = server.get(f"{JOB}/modelfile", key).text

    assert text.startswith(f"FROM ./{MODEL}.gguf\n")
    assert "<|im_start|>user\n{{ if .System }}" in text
    assert "{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n{{ .Response }}" in text
    assert 'PARAMETER stop "<|im_end|>"' in text


def test_the_zip_file_holds_card_and_modelfile(server: TuningServer, key: str) -> None:
    with ZipFile(BytesIO(server.get(f"{JOB}/adapter", key).content)) as archive:
        assert archive.testzip() is None
        assert archive.read(f"{MODEL}/README.md").decode() == server.get(f"{JOB}/card", key).text
        assert archive.read(f"{MODEL}/Modelfile").decode() == server.get(f"{JOB}/modelfile", key).text
        assert len(archive.namelist()) == len(set(archive.namelist()))


@pytest.mark.parametrize("part", PARTS)
def test_it_is_for_those_who_may_ask_the_model(server: TuningServer, part: str) -> None:
    assert server.get(f"{JOB}/{part}").status_code == 403
    assert server.get(f"{JOB}/{part}", server.api_key("eve@example.com")).status_code == 403


def test_a_merged_file_goes_with_its_model(server: TuningServer, key: str) -> None:
    server.post("/v1beta/tunedModels?tunedModelId=short-lived-one", key, json=body())
    server.wait_for_state("short-lived-one", key)
    before = set((server.var_dir / "merged").glob("*"))
    merged(server, key, "short-lived-one")
    (made,) = set((server.var_dir / "merged").glob("*.gguf")) - before

    server.delete("/v1beta/tunedModels/short-lived-one", key)

    assert not made.exists()


def test_a_merged_file_is_made_anew_after_its_part_was_left_behind(server: TuningServer, key: str) -> None:
    """A process killed in the middle leaves a part, which is no model."""
    (whole,) = [
        path for path in (server.var_dir / "merged").glob("*.gguf") if path.read_bytes() == merged(server, key).content
    ]
    content = whole.read_bytes()
    whole.unlink()
    whole.with_suffix(".part").write_bytes(content[:1000])
    os.utime(whole.with_suffix(".part"), (time.time(),) * 2)

    assert merged(server, key).content == content
    assert not whole.with_suffix(".part").exists()
