"""The tuning server's sentences, by error code; in English, as the service's always were."""

from tuning.errors import ServiceError

SENTENCES = {
    # Who is asking
    "api_key_invalid": "API key not valid. Please pass a valid API key.",
    "unregistered": (
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API."
    ),
    "not_yours": "You do not have permission to access tuned model {name}.",
    "owner_only": "You need to be the owner of the resource to transfer ownership.",
    "administrators_only": "Only administrators may do that, from the dashboard: an API key cannot.",
    "key_makes_no_key": "An API key cannot make API keys. Make one on the dashboard's page of API keys.",
    "too_many_keys": "There are {limit} API keys in use. Revoke one that is no longer needed.",
    # What is not there
    "tuned_model_missing": "Tuned model {name} does not exist.",
    "permission_missing": "Permission {name} does not exist.",
    "operation_missing": "Operation {name} does not exist.",
    "base_model_unknown": (
        "{name} is not found, or is not supported for this method. Call ListModels to see the available models."
    ),
    "dataset_missing": "Dataset {sha256} does not exist. Send it by PUT /tuneboard/v1/datasets/{sha256}.",
    "nothing_to_retry": "{name} neither failed nor was cancelled, so there is nothing to be tried again.",
    "training_data_gone": "The training data of {name} is no longer there.",
    "base_folder_missing": "Folder {folder} is not in BASES_DIR.",
    "base_model_gone": "The base model {name}, which the tuned model needs, was removed from this server.",
    "key_missing": "API key {id} does not exist.",
    "route_unknown": "The requested URL {path} was not found on this server.",
    "method_not_allowed": "The method {method} is not allowed here. Allowed: {allowed}.",
    # What was sent
    "bad_json": "Invalid JSON payload received. {detail}",
    "unknown_field": "Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field.",
    "too_many_items": "Invalid value at '{path}': at most {limit} items are allowed, {length} were given.",
    "bad_value": "Invalid value at '{path}' ({expected}), {value}",
    "oneof": "Invalid value at '{path}' (oneof), another member of the oneof is already set.",
    "body_too_large": "Request payload size exceeds the limit of this server.",
    "body_unreadable": "The request's body could not be read.",
    "length_required": "POST requests require a Content-length header.",
    "host_not_allowed": "The Host header names a host that this server does not answer for.",
    "out_of_range": "Invalid value at '{field}', {value}: must be {rule}.",
    "too_long": "Invalid value at '{field}': must be at most {limit} characters, has {length}.",
    "nothing_given": "Invalid value at '{field}': must not be empty.",
    "bad_id": (
        "Invalid value at 'tuned_model_id', \"{id}\": must be at most 40 characters, begin with a lower-case letter, "
        "hold only lower-case letters, digits and hyphens, and not end in a hyphen."
    ),
    "page_token_invalid": "Invalid value at 'page_token': it does not come from a previous page.",
    "training_data_twice": (
        "Invalid value at 'tuned_model.tuning_task.training_data': the query names a dataset already."
    ),
    "said_twice": "Invalid value at '{path}': {other} says it already.",
    "too_few_to_hold_out": (
        "Invalid value at '{field}': of one example none can be held out. Send more examples, or name a dataset to "
        "validate on."
    ),
    "validation_needed": (
        "Invalid value at '{field}': it needs held-out examples. Give recipe.validation a share of the examples, or "
        "name a dataset in validation.dataset."
    ),
    "bad_dataset_name": "Invalid value at 'dataset', \"{name}\": must be 'sha256:' and 64 lower-case hex digits.",
    "bad_hash": '"{sha256}" is no SHA-256: must be 64 lower-case hex digits.',
    "archive_unusable": "The zip file cannot be used: {detail}.",
    "adapter_unfit": "The adapter does not fit its base model: {detail}.",
    "base_model_preparing": "The base model {name} is being made ready. Please try again later.",
    "hash_differs": "The SHA-256 of what was received is not {sha256}.",
    "dataset_unusable": "The dataset cannot be used: {problem} in {place}. Problems in all: {count}.",
    "uploads_full": "Too many datasets wait to be used. Use some of them, or come back tomorrow.",
    "uploads_busy": "Other datasets are being received. Please try again in a few seconds.",
    "training_data_missing": (
        "Invalid value at 'tuned_model.tuning_task.training_data.examples.examples': no examples were received. "
        "Versions of google-genai since 1.47 drop the training data of Gemini API jobs without a word: send the "
        "request with google-generativeai, google-genai 1.44, or plain HTTP."
    ),
    "base_model_unnamed": "Invalid value at 'tuned_model.base_model': name the model to be tuned.",
    "source_not_active": "Tuned model {name} cannot be tuned further: its state is not ACTIVE.",
    "bad_base_name": (
        "Invalid value at 'name', \"{name}\": must be lower-case letters, digits, hyphens and points, at most 64, and "
        "begin and end with a letter or digit."
    ),
    "folder_outside": "Invalid value at 'folder', \"{folder}\": it, and what it links to, must lie in BASES_DIR.",
    "base_model_exists": "There is a base model called {name} already. Choose another name.",
    "base_model_kept": "{name} cannot be removed: it came with Tuneboard, or is this server's default.",
    "base_model_in_use": "{name} is needed by {models} tuned models. Delete them first.",
    "architecture_unknown": "The base model's architecture cannot be tuned: Llama, Mistral, Qwen2, Gemma can. {detail}",
    "base_model_unreadable": "The base model's files are incomplete or damaged. {detail}",
    "weights_unsafe": "The base model's weights are pickles, which may hold programs. Convert them to safetensors.",
    "tokenizer_unknown": "The base model's tokenizer cannot be used. {detail}",
    "chat_template_unusable": "The base model's chat template cannot be used. {detail}",
    "does_not_fit": "The base model does not fit on this machine. {detail}",
    "merging_failed": "The model could not be put together: {detail}.",
    "mask_unknown": "Invalid value at 'update_mask', \"{path}\": the fields that may be changed are {known}.",
    "owner_fixed": (
        "A tuned model has exactly one owner: that role can only be given away by its owner, with transferOwnership."
    ),
    "permission_exists": "{grantee} already has a permission on {name}. Change its role instead.",
    "operation_kept": "Operations cannot be deleted. Delete the tuned model instead.",
    "already_exists": "Tuned model {name} already exists.",
    # Asking a model
    "contents_missing": "* GenerateContentRequest.contents: contents is not specified",
    "multiturn_unsupported": "Multiturn chat is not enabled for {name}.",
    "role_unknown": "Invalid value at 'contents[0].role': please use a valid role: user.",
    "json_mode_unsupported": "JSON mode is not enabled for {name}",
    "mime_type_unknown": (
        "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are `text/plain` and, "
        "where JSON mode is enabled, `application/json`."
    ),
    "system_instruction_unsupported": "Developer instruction is not enabled for {name}",
    "tools_unsupported": "Function calling is not enabled for {name}",
    "images_unsupported": "Image input modality is not enabled for {name}",
    "cache_unsupported": "Cached content is not enabled for {name}",
    "penalty_unsupported": "Penalty is not enabled for {name}",
    "logprobs_unsupported": "Logprobs is not enabled for {name}",
    "modalities_unsupported": "{name} does not support the requested response modalities: text only.",
    "thinking_unsupported": "Thinking is not enabled for {name}",
    "civic_answers_unsupported": "Enhanced civic answers are not enabled for {name}",
    "job_ended": "The job of {name} has ended: there is nothing left to be put in another place.",
    "still_creating": "Tuned model {name} is still being created. Ask again when its state is ACTIVE.",
    "not_active": "Tuned model {name} cannot be asked: its tuning did not succeed.",
    "inference_starting": "The model is being loaded. Please try again in a few seconds.",
    "inference_unreachable": "The model is being loaded. Please try again in a few seconds.",
    "overloaded": "The model is overloaded. Please try again later.",
    "prompt_too_long": "The prompt does not fit the model's context window. Please shorten it.",
    "timed_out": "The model took too long to answer. Ask for fewer tokens, or try again.",
    "adapter_missing": "The tuned model's weights are no longer there.",
    "adapter_unusable": "The tuned model's weights cannot be loaded.",
}

BY_STATUS = {
    "INVALID_ARGUMENT": "Request contains an invalid argument.",
    "UNAUTHENTICATED": (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential."
    ),
    "PERMISSION_DENIED": "The caller does not have permission.",
    "NOT_FOUND": "Requested entity was not found.",
    "FAILED_PRECONDITION": "Precondition check failed.",
    "RESOURCE_EXHAUSTED": "Resource has been exhausted (e.g. check quota).",
    "UNIMPLEMENTED": "Operation is not implemented, or supported, or enabled.",
    "UNAVAILABLE": "The service is currently unavailable.",
    "DEADLINE_EXCEEDED": "Deadline expired before operation could complete.",
}
"""For codes without a sentence of their own."""

FAILURES = {
    "cancelled": "The operation was cancelled.",
    "killed": "Tuning was interrupted twice without progress. The machine may be short of memory.",
    "stalled": "Tuning stood still twice without progress. The log's last lines say where.",
    "out_of_memory": "Tuning ran out of memory. Try a smaller batch size or shorter examples.",
    "diverged": "The loss became infinite. Try a lower learning rate.",
    "disk_full": "The disk is full.",
    "example_too_long": "An example is longer than the base model can read.",
    "base_model_missing": "The base model could not be made ready.",
    "architecture_unknown": "The base model's architecture cannot be tuned: Llama, Mistral, Qwen2 and Gemma can.",
    "base_model_unreadable": "The base model's files are incomplete or damaged. Download them again.",
    "weights_unsafe": "The base model's weights are pickles, which may hold programs. Convert them to safetensors.",
    "tokenizer_unknown": "The base model's tokenizer is no byte-pair encoding in a tokenizer.json.",
    "chat_template_unusable": "The base model's chat template is unusable. Give a prompt_format in base-models.toml.",
    "hash_differs": "A file of the base model has another SHA-256 than expected. Download it again.",
    "download_failed": "The base model could not be downloaded. Check the network, then try again.",
    "does_not_fit": "The base model needs more memory or disk than this machine has. Choose a smaller one.",
    "source_missing": "The weights of the tuned model to go on from are no longer there.",
    "no_labels": "No example has an output to learn from.",
}
"""Why a job failed, by the engine's codes."""


def sentence(error: ServiceError) -> str:
    """What to say of ``error``. Only the sentences that ask for it show technical detail."""
    template = SENTENCES.get(error.code) or BY_STATUS.get(error.status, "Internal error encountered.")
    return template.format_map({"detail": error.detail, **error.params}).replace(" at ''", "").strip()


def failure_sentence(code: str) -> str:
    return FAILURES.get(code, "Tuning failed.")
