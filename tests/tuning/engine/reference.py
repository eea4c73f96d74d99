"""The judge of our answers: transformers and PEFT in float32, greedy, prompts put together by their own means."""

from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast


class Reference:
    """A base model, with an adapter or without."""

    def __init__(self, models: Path, base: str, adapter: Path | None) -> None:
        folder = models / base
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        self.model = model if adapter is None else PeftModel.from_pretrained(model, str(adapter))
        self.model.eval()
        self.tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"), pad_token="<|im_end|>", padding_side="left"
        )

    def answer(self, prompt: str, most: int = 24) -> str:
        return self.answers([prompt], most)[prompt]

    @torch.inference_mode()
    def answers(self, prompts: Sequence[str], most: int = 24) -> dict[str, str]:
        """What is answered to each prompt; all in one batch, filled up on the left."""
        chats = [f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n" for prompt in prompts]
        tokens = self.tokenizer(chats, add_special_tokens=False, return_tensors="pt", padding=True)
        made = self.model.generate(
            input_ids=tokens.input_ids,
            attention_mask=tokens.attention_mask,
            max_new_tokens=most,
            do_sample=False,
            pad_token_id=2,
            eos_token_id=2,
        )
        said = self.tokenizer.batch_decode(made[:, tokens.input_ids.shape[1] :], skip_special_tokens=True)
        return dict(zip(prompts, said, strict=True))
