"""TRL's SFTTrainer on a job of ``benchmarks/tune.py``, which runs this in TRL's own environment.

    python benchmarks/trl/train.py JOB.json          prints one line of JSON: seconds, losses, peak memory

The job's examples come as tokens and labels, already in the order in which they are to be learnt, so that TRL trains
on exactly the batches that Tuneboard trains on. Everything else is TRL's own way, without what costs it time and
adds nothing to the model: no gradient checkpointing, no saving, no evaluation.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

STARTED = time.perf_counter()
os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"})

import torch  # noqa: E402 - after the environment is set
from datasets import Dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402

PRECISIONS = {"fp32": (torch.float32, False), "bf16": (torch.bfloat16, False), "autocast": (torch.float32, True)}
"""The type of the base model's weights, and whether autocast computes in bf16."""


class Watch(TrainerCallback):
    """Notes when training began, when its last step ended, and each step's loss."""

    def __init__(self):
        self.losses = []

    def on_train_begin(self, args, state, control, **kwargs):
        self.began = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        self.ended = time.perf_counter()

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))


def main(job):
    torch.set_num_threads(job["threads"])
    dtype, autocast = PRECISIONS[job["precision"]]
    base = Path(job["base"])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, local_files_only=True)
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=model,
            args=config(job, folder, autocast),
            train_dataset=Dataset.from_list(job["rows"]),
            processing_class=tokenizer(base),
            peft_config=LoraConfig(
                r=job["rank"], lora_alpha=job["alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
            ),
            callbacks=[watch],
        )
        trainer.train()
    on_gpu = torch.cuda.is_available()
    return {
        "seconds": watch.ended - watch.began,
        "wall": time.perf_counter() - STARTED,
        "losses": watch.losses,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "gpu_memory": torch.cuda.max_memory_allocated() if on_gpu else 0,
    }


def config(job, folder, autocast):
    return SFTConfig(
        output_dir=folder,
        per_device_train_batch_size=job["batch_size"],
        num_train_epochs=1,  # the rows are those of all epochs
        max_steps=job["steps"],
        learning_rate=job["learning_rate"],
        weight_decay=job["weight_decay"],
        max_grad_norm=job["gradient_norm"],
        lr_scheduler_type="constant",
        warmup_steps=0,
        seed=job["seed"],
        bf16=autocast,
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False,
        optim="adamw_torch_fused",
        max_length=None,
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def tokenizer(base):
    """Only its padding token is used."""
    end = "<|im_end|>"
    return PreTrainedTokenizerFast(tokenizer_file=str(base / "tokenizer.json"), eos_token=end, pad_token=end)


if __name__ == "__main__":
    result = main(json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps(result))
