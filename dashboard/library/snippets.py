"""How a tuned model is asked by code, in four ways. ``TUNEBOARD_KEY`` stands for an API key."""

import json
import shlex
from dataclasses import dataclass

from dashboard.library.models import TunedModel

QUESTION = "LXIII"
"""What is asked; the first thing that whoever copies it changes."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """``key`` is fit for an id."""

    key: str
    name: str
    code: str


def snippets(model: TunedModel) -> list[Snippet]:
    """The four, with the address of the model's service."""
    address, name, question = (json.dumps(text) for text in (model.connection.address, model.name, QUESTION))
    said = {"address": address, "model": name, "question": question}
    return [
        Snippet("curl", "curl", _curl(model)),
        Snippet("requests", "Python, requests", REQUESTS.format(**said)),
        Snippet("google-genai", "Python, google-genai", GOOGLE_GENAI.format(**said)),
        Snippet("javascript", "JavaScript, @google/genai", JAVASCRIPT.format(**said)),
    ]


def _curl(model: TunedModel) -> str:
    body = json.dumps({"contents": [{"parts": [{"text": QUESTION}]}]})
    return (
        f"curl {shlex.quote(f'{model.connection.address}/v1beta/{model.name}:generateContent')} \\\n"
        f'  -H "x-goog-api-key: $TUNEBOARD_KEY" \\\n'
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


REQUESTS = """\
import os
import requests

base_url, model = {address}, {model}
headers = {{"x-goog-api-key": os.environ["TUNEBOARD_KEY"]}}
question = {{"contents": [{{"parts": [{{"text": {question}}}]}}]}}

answer = requests.post(f"{{base_url}}/v1beta/{{model}}:generateContent", headers=headers, json=question)
answer.raise_for_status()
print(answer.json()["candidates"][0]["content"]["parts"][0]["text"])
"""

GOOGLE_GENAI = """\
import os
from google import genai

client = genai.Client(
    api_key=os.environ["TUNEBOARD_KEY"],
    http_options={{"base_url": {address}, "api_version": "v1beta"}},
)
answer = client.models.generate_content(model={model}, contents={question})
print(answer.text)
"""

JAVASCRIPT = """\
import {{ GoogleGenAI }} from "@google/genai";

const ai = new GoogleGenAI({{
  apiKey: process.env.TUNEBOARD_KEY,
  httpOptions: {{ baseUrl: {address}, apiVersion: "v1beta" }},
}});
const answer = await ai.models.generateContent({{ model: {model}, contents: {question} }});
console.log(answer.text);
"""
