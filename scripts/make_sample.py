"""Write the larger sample dataset: messages to a shop's support, and the intent behind each.

    python scripts/make_sample.py

The same file comes out every time. Messages are put together from sentences written for this purpose, so that
nobody's words are in them; no two are the same, and every intent has as many.
"""

import json
import random
from pathlib import Path

FILE = Path(__file__).parent.parent / "dashboard/datasets/samples/support-intents.jsonl"
SEED = 2026
MESSAGES_AN_INTENT = 50

SENTENCES = {
    "delivery": (
        "my {item} was due {day} and still has not arrived.",
        "where is order {order}? The tracking page has not moved since {since}.",
        "the courier says order {order} was handed over, but nobody here got it.",
        "how long does it take until my {item} gets here?",
        "can you send my {item} to my office instead of my home?",
        "the parcel with my {item} went to the wrong address.",
        "is there any way to speed up order {order}? I need it by {coming}.",
    ),
    "refund": (
        "I sent the {item} back {day} and the money is not in my account yet.",
        "I would like my money back for the {item}.",
        "when will I be paid back for order {order}?",
        "I returned order {order}, but you only paid back half of it.",
        "the {item} got cheaper {day}. Can I have the difference back?",
        "you promised a refund for my {item} and nothing came.",
    ),
    "billing": (
        "I was charged twice for order {order}.",
        "the amount on my card is higher than the price of the {item}.",
        "can I get an invoice for order {order} with our company's name?",
        "my card was declined when I tried to pay for the {item}.",
        "there is a charge from {since} on my card that I do not recognise.",
        "can I pay for the {item} in three parts?",
        "the voucher I entered for order {order} was not taken off.",
    ),
    "login": (
        "I have not been able to sign in since {since}; it says my password is wrong.",
        "the link to reset my password never arrives.",
        "my account is locked and I need to see order {order}.",
        "I have a new e-mail address. How do I change it in my account?",
        "the code you text me does not work when I sign in to look up my {item}.",
        "I think somebody else used my account {day}.",
    ),
    "cancellation": (
        "please cancel order {order}, I ordered the wrong size.",
        "I do not need the {item} any more. Can I still stop the order?",
        "I ordered the {item} twice by mistake; please drop one of them.",
        "how do I end my membership before it renews {coming}?",
        "stop order {order}, please. I found the {item} closer to home.",
        "I changed my mind about the {item} I ordered {day}.",
    ),
    "defect": (
        "the {item} stopped working {day}.",
        "my {item} arrived with a crack in it.",
        "the {item} makes a strange noise when I switch it on.",
        "a part is missing from the {item} in order {order}.",
        "the {item} does not charge any more.",
        "I unpacked the {item} and it is scratched all over.",
        "the {item} from order {order} gets far too hot.",
    ),
    "question": (
        "does the {item} come in blue?",
        "will the {item} be in stock again before {coming}?",
        "is the {item} suitable for children?",
        "what is the difference between the {item} and the older one?",
        "how long is the guarantee on the {item}?",
        "do you ship the {item} to Poland?",
        "does the {item} fit into hand luggage?",
    ),
    "praise": (
        "the {item} is even better than I hoped.",
        "order {order} came a day early and beautifully packed.",
        "your colleague on the phone was so patient with me {day}.",
        "I just wanted to say how much we love the {item}.",
        "best {item} I have ever had, I have told all my friends.",
        "thank you for sorting out order {order} so quickly.",
    ),
}
WORDS = {
    "item": ("kettle", "toaster", "rucksack", "desk lamp", "coffee grinder", "bike light", "blender", "e-reader"),
    "day": ("on Monday", "last Tuesday", "yesterday", "on 3 May", "two weeks ago", "on Friday"),
    "since": ("Monday", "last Tuesday", "yesterday", "3 May", "the weekend"),
    "coming": ("Monday", "the weekend", "Christmas", "3 June", "next week"),
}
OPENINGS = ("", "", "Hi, ", "Hello, ", "Good morning, ", "Dear team, ")
CLOSINGS = ("", "", " Thanks.", " Kind regards, Ada", " Greetings from Leipzig.")


def message(rng: random.Random, sentence: str) -> str:
    """``sentence`` with its blanks filled in, as somebody might send it."""
    blanks = {name: rng.choice(words) for name, words in WORDS.items()}
    filled = sentence.format(order=rng.randint(10_000, 99_999), **blanks)
    text = rng.choice(OPENINGS) + filled
    return text[0].upper() + text[1:] + rng.choice(CLOSINGS)


def examples() -> list[dict[str, str]]:
    rng = random.Random(SEED)  # noqa: S311  not a secret
    made: dict[str, str] = {}
    for intent, sentences in SENTENCES.items():
        wanted = len(made) + MESSAGES_AN_INTENT
        while len(made) < wanted:
            made.setdefault(message(rng, rng.choice(sentences)), intent)
    rows = [{"text_input": text, "output": intent} for text, intent in made.items()]
    rng.shuffle(rows)
    return rows


def main() -> None:
    FILE.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in examples()), encoding="utf-8")


if __name__ == "__main__":
    main()
