"""What a text encoder, or plain Ultralytics, does not read of a prompt."""

from collections.abc import Iterator

from stages.prompts.rewording import MAX_TOKENS, tokens
from stages.prompts.texts.prompt_file import Prompts

LIMITED = "mobileclip2"  # the encoder that reads MAX_TOKENS tokens; wordllama averages any number of words


def cut_lines(prompts: Prompts, *, encoder: str | None) -> Iterator[str]:
    """Yield a line for each text of which something is not read, by `encoder` or by plain Ultralytics."""
    for name, texts in prompts.items():
        for text in texts:
            if encoder in (LIMITED, None) and tokens(text) > MAX_TOKENS:
                yield f"{name}: '{text[:40]}…' is cut after '{kept_words(text).split()[-1]}', its {MAX_TOKENS} tokens"
            if "/" in text:
                before = text.split("/", 1)[0].strip()
                yield (
                    f"{name}: plain Ultralytics cuts this text after '{before}', where it stands as a class name; "
                    "it is read whole here"
                )


def kept_words(text: str) -> str:
    """Return the words of `text` that fit into the limit, by the rough count of tokens; at least the first."""
    words = text.split()
    while len(words) > 1 and tokens(" ".join(words)) > MAX_TOKENS:
        words.pop()
    return " ".join(words)
