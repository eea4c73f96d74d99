"""A tuned model as a file for the person's browser, handed on piece by piece."""

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from dashboard.jobs.models import Job
from tuning.jobs import JobState
from tuning.providers import Export, Exporter, Takeaway, can

NAMES = {
    Export.ADAPTER: "{model}-adapter.zip",
    Export.ADAPTER_GGUF: "{model}-adapter.gguf",
    Export.MERGED_GGUF: "{model}.gguf",
    Export.MODELFILE: "Modelfile",
    Export.CARD: "{model}.md",
}


OFFERS = {
    Export.ADAPTER: (_("Adapter, zip"), _("for PEFT and llama.cpp, with a model card")),
    Export.ADAPTER_GGUF: (_("Adapter, GGUF"), _("for llama.cpp, beside the base model")),
    Export.MERGED_GGUF: (_("Whole model, GGUF"), _("for llama.cpp or Ollama; the first time it is put together")),
    Export.MODELFILE: (_("Modelfile"), _("for Ollama: “ollama create NAME -f Modelfile”, beside the whole model")),
    Export.CARD: (_("Model card"), _("how it came about and how it is used, in Markdown")),
}


def offered(job: Job) -> list[tuple[Export, str, str]]:
    """The forms in which the model of ``job`` can be had: value, name and what it is good for."""
    if job.state != JobState.SUCCEEDED or not can(job.connection.kind, Exporter):
        return []
    return [(form, str(name), str(about)) for form, (name, about) in OFFERS.items()]


def answer(job: Job, form: Export, file: Takeaway) -> StreamingHttpResponse:
    """The file as a download, named after the model. It is never held in memory."""
    name = NAMES[form].format(model=job.model.removeprefix("tunedModels/"))
    headers = {"Content-Disposition": content_disposition_header(True, name) or "", "X-Accel-Buffering": "no"}
    if file.size is not None:
        headers["Content-Length"] = str(file.size)
    return StreamingHttpResponse(file.chunks, content_type="application/octet-stream", headers=headers)
