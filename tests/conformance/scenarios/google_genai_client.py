"""google-genai against the Gemini API, as both its tuning and its models are used."""

from checks import KEY, URL
from google import genai
from google.genai import types

BASE = "models/gemini-1.5-flash-001-tuning"


def connect(key: str = KEY, url: str = URL) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url, api_version="v1beta"))


client = connect()
