"""A job of the real service, recorded in September 2023."""

from typing import Any

SNAPSHOTS = [
    {"step": 1, "meanLoss": 7.2774773, "computeTime": "2023-09-18T22:02:12.453056368Z"},
    {"step": 2, "meanLoss": 6.1902447, "computeTime": "2023-09-18T22:02:13.789508217Z"},
    {"step": 3, "meanLoss": 5.5545835, "computeTime": "2023-09-18T22:02:15.136220505Z"},
    {"step": 4, "epoch": 1, "meanLoss": 7.9237704, "computeTime": "2023-09-18T22:02:16.474358517Z"},
    {"step": 5, "epoch": 1, "meanLoss": 7.6770706, "computeTime": "2023-09-18T22:02:17.758261108Z"},
    {"step": 6, "epoch": 1, "meanLoss": 7.378622, "computeTime": "2023-09-18T22:02:19.114072224Z"},
    {"step": 7, "epoch": 1, "meanLoss": 4.485537, "computeTime": "2023-09-18T22:02:20.927434115Z"},
    {"step": 8, "epoch": 2, "meanLoss": 6.815181, "computeTime": "2023-09-18T22:02:22.267906011Z"},
    {"step": 9, "epoch": 2, "meanLoss": 6.411363, "computeTime": "2023-09-18T22:02:24.078114085Z"},
    {"step": 10, "epoch": 2, "meanLoss": 8.585093, "computeTime": "2023-09-18T22:02:25.441598938Z"},
    {"step": 11, "epoch": 2, "meanLoss": 4.901249, "computeTime": "2023-09-18T22:02:27.108985392Z"},
    {"step": 12, "epoch": 3, "meanLoss": 7.073003, "computeTime": "2023-09-18T22:02:28.441662034Z"},
]
RECORDED: dict[str, Any] = {
    "name": "tunedModels/my-display-name-81-9wpmc1m920vq",
    "baseModel": "models/text-bison-tuning-test",
    "displayName": "my display name 81",
    "state": "ACTIVE",
    "createTime": "2023-09-18T22:02:08.690991Z",
    "updateTime": "2023-09-18T22:02:28.806318Z",
    "tuningTask": {
        "startTime": "2023-09-18T22:02:09.161100369Z",
        "completeTime": "2023-09-18T22:02:28.806318Z",
        "snapshots": SNAPSHOTS,
        "hyperparameters": {"epochCount": 3, "batchSize": 4, "learningRate": 0.001},
    },
    "temperature": 0.7,
    "topP": 0.95,
    "topK": 40,
}
