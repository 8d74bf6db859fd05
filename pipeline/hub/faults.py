"""What can go wrong at the Hub, each in a sentence."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pipeline.errors import ChatError

__all__ = ["ask_hub"]

Answer = TypeVar("Answer")

NETWORK = ("httpx", "httpcore", "requests")
KEPT = "nothing was published and your files are kept here"

SENTENCES = {
    400: "The Hub did not accept {what}: {KEPT}; try another name or push again.",
    401: "The Hub does not know this token: sign in again, then push again.",
    402: "Your Hub account has no room for this: {KEPT}; free some space there or push to another account.",
    403: "This token may not write to {what}: give it write access in your Hub settings, or choose a name of your own.",
    404: "The Hub has no {what} that this token can see: check the name, then push again.",
    409: "Somebody changed {what} at the same moment: {KEPT}; push again.",
    412: "Somebody changed {what} at the same moment: {KEPT}; push again.",
    413: "This is more than the Hub takes at once: {KEPT}; push fewer forms or fewer replies.",
    0: "The connection to the Hub broke: {KEPT}; push again, it goes on where it stopped.",
    429: "The Hub asks to slow down: {KEPT}; wait a few minutes and push again.",
    500: "The Hub has a fault of its own ({status}): {KEPT}; push again later, it goes on where it stopped.",
}


def ask_hub(what: str, call: Callable[[], Answer], sentences: Mapping[int, str] = SENTENCES) -> Answer:
    """What `call` returns; what the Hub's client raises in it becomes a ChatError about `what`.

    sentences: by HTTP status; 500 for any other, 0 for a connection that broke.
    """
    try:
        return call()
    except ChatError:
        raise
    except Exception as error:
        sentence = explain(error, what, sentences)
        if not sentence:
            raise
    raise ChatError(sentence)  # out here, so that no traceback carries the request with its token


def explain(error: BaseException, what: str, sentences: Mapping[int, str] = SENTENCES) -> str:
    """The sentence for an error or what caused it, empty for one that is not the Hub's."""
    for cause in causes(error):
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status is not None:
            return sentences.get(status, sentences[500]).format(what=what, status=status, KEPT=KEPT)
        module = type(cause).__module__
        cut = type(cause) is OSError and "Consistency check" in str(cause)  # the client's word for a cut-off download
        if cut or isinstance(cause, ConnectionError | TimeoutError) or module.startswith(NETWORK):
            return sentences[0].format(KEPT=KEPT)
    return ""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
