"""Answers read by Google's own message types, unknown fields forbidden: a mistake that our client shares shows here."""

import warnings
from typing import TypeVar

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # google.api_core on Python 3.11
    from google.ai import generativelanguage_v1beta as v1beta
    from google.ai import generativelanguage_v1beta3 as v1beta3
from google.longrunning import operations_pb2
from google.longrunning.operations_pb2 import Operation
from google.protobuf.json_format import Parse
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

TunedModel = v1beta.TunedModel.pb()
TunedModelPage = v1beta.ListTunedModelsResponse.pb()
Model = v1beta.Model.pb()
ModelPage = v1beta.ListModelsResponse.pb()
OperationPage = operations_pb2.ListOperationsResponse
Permission = v1beta.Permission.pb()
PermissionPage = v1beta.ListPermissionsResponse.pb()
Answer = v1beta.GenerateContentResponse.pb()
TextAnswer = v1beta.GenerateTextResponse.pb()
TextAnswer3 = v1beta3.GenerateTextResponse.pb()
TokenCount = v1beta.CountTokensResponse.pb()
TextTokenCount3 = v1beta3.CountTextTokensResponse.pb()
Metadata = v1beta.CreateTunedModelMetadata.pb()
Metadata3 = v1beta3.CreateTunedModelMetadata.pb()


def read(kind: type[M], text: str) -> M:
    return Parse(text, kind(), ignore_unknown_fields=False)


def operation(text: str) -> Operation:
    return read(Operation, text)


def unpack(packed: object, kind: type[M]) -> M:
    message = kind()
    assert packed.Unpack(message), f"{packed.type_url} is no {kind.__name__}"
    return message
