"""A model ready to answer: loaded once, shared by requests, its steps taken one at a time."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from pipeline.inference.caches import KVCache
from pipeline.inference.cuda_graphs import CudaGraphRunner
from pipeline.inference.decoder import Decoder
from pipeline.inference.generation import GenerationConfig, pick
from pipeline.inference.prefix_cache import CachedConversation, PrefixCache
from pipeline.inference.queue import WaitingQueue
from pipeline.inference.transformers_decoder import TransformersDecoder
from pipeline.prompt import Template, break_ids, end_ids, read_template

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Engine", "LoadedModels", "load_engine"]

PREFILL = 512  # tokens a step of reading: short enough that another reply's next token does not wait long


@dataclass
class Engine:
    """A model, its tokenizer and template, and what is kept between turns.

    The lock is held for one step of the model and never while text is on its way to a reader, so
    several replies come interleaved and a reader who goes away holds nobody up.
    """

    decoder: Any  # a Decoder or a TransformersDecoder, each with caches of its own kind
    tokenizer: Any
    template: Template
    context: int  # most tokens that the model can take
    prefix_cache: PrefixCache = field(default_factory=PrefixCache)
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.ends = frozenset(end_ids(self.template, self.tokenizer))
        self.breaks = frozenset(break_ids(self.tokenizer))
        # A special token is never part of what someone says: an opened turn ends the reply as well.
        self.stops = self.ends | frozenset(self.tokenizer.all_special_ids)
        self.cuda_graphs: CudaGraphRunner | None = None
        if isinstance(self.decoder, Decoder) and self.decoder.device.type == "cuda":
            self.cuda_graphs = CudaGraphRunner(self.decoder)

    def generate(
        self,
        prompt: Sequence[int],
        config: GenerationConfig,
        *,
        cache_key: str | None = None,
    ) -> Iterator[int]:
        """Token ids of one reply as they are chosen, the stop token included when it comes.

        cache_key: under which the conversation is kept between turns (None: it is not). Only what follows the longest
        common beginning of the last prompt and reply is read anew.
        """
        import torch

        def empty() -> CachedConversation:
            return CachedConversation([], self.decoder.empty(1, len(prompt) + config.max_new_tokens))

        cached = self.prefix_cache.begin(cache_key, empty) if cache_key else empty()
        known = cached.cache.crop(_common(cached.ids, prompt[:-1]))
        cached.ids[known:] = []
        generator = None if config.seed is None else torch.Generator(self.decoder.device).manual_seed(config.seed)
        ends, breaks = (torch.tensor(sorted(ids), device=self.decoder.device) for ids in (self.ends, self.breaks))
        new = list(prompt[known:])
        written: list[int] = []
        try:
            # The last token is not read, so it needs no position of its own.
            most = min(config.max_new_tokens, max(1, self.context - len(prompt) + 1))
            while len(written) < most and not cached.forgotten:
                logits = self._read(cached, new)
                seen = torch.tensor([written], device=self.decoder.device) if config.repetition_penalty > 1 else None
                with torch.inference_mode():
                    picked = pick(
                        logits, config, generator,
                        end_ids=ends, break_ids=breaks, step=len(written), written=seen,
                    )  # fmt: skip
                chosen = int(picked)
                written.append(chosen)
                yield chosen
                if chosen in self.stops:
                    return
                new = [chosen]
        finally:
            if cache_key:
                self.prefix_cache.put(cache_key, cached)

    def _read(self, cached: CachedConversation, new: Sequence[int]) -> "Tensor":
        """Scores [1, vocabulary] of what follows `new`, which enters the cache."""
        import torch

        if self.cuda_graphs is not None and isinstance(cached.cache, KVCache):
            with self.lock, torch.inference_mode():
                if self.cuda_graphs.takes(len(new)):
                    scores = self.cuda_graphs.scores(new, cached.cache)
                    cached.ids += new
                    return scores
                self.cuda_graphs.release(cached.cache)
        for start in range(0, len(new), PREFILL):
            part = list(new[start : start + PREFILL])
            with self.lock, torch.inference_mode():
                hidden = self.decoder.forward(torch.tensor([part], device=self.decoder.device), cached.cache)
                cached.ids += part
                if start + PREFILL >= len(new):
                    return self.decoder.logits(hidden[:, -1])  # type: ignore[no-any-return]
        raise ValueError("nothing to read: a prompt has at least one token")

    def forget(self, owner: str) -> None:
        """Drop every conversation whose key is `owner` or begins with it and a slash, and what is left of it."""
        self.prefix_cache.forget(owner)
        if self.cuda_graphs is not None:
            import torch

            with self.lock, torch.inference_mode():
                self.cuda_graphs.clear()

    def text(self, ids: Sequence[int]) -> str:
        """The text of a reply's ids, without special tokens; a character that is not whole yet is left out."""
        text = self.tokenizer.decode(
            [i for i in ids if i not in self.stops], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return re.sub("\ufffd+$", "", str(text))


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common beginning."""
    for index, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return index
    return min(len(a), len(b))


def load_engine(model: str, adapter: Path | None = None, template: Template | None = None) -> Engine:
    """Load a model, with an adapter, in the format that is fastest here. Raises ChatError.

    On a CPU, and on a GPU with room for 16-bit weights, the adapter is folded in; 4-bit weights keep it beside them.
    """
    import torch

    from pipeline.machine import this_machine
    from pipeline.models import load_model, load_tokenizer
    from pipeline.planning import TrainingConfig, choose_dtype, shape_of

    tokenizer = load_tokenizer(model)
    machine = this_machine()
    # Replies need little beside the weights: 4 bits only where 16 would take most of the GPU.
    tight = machine.device == "cuda" and 2 * shape_of(model).parameters > 0.7 * machine.memory * 2**30
    dtype = None
    if machine.device == "cuda":
        dtype = torch.bfloat16 if choose_dtype(TrainingConfig(), machine).value == "bf16" else torch.float16
    # On a CPU an adapter is folded in at full precision, and rounded with the weights that it changed.
    loaded = load_model(model, dtype=dtype, quantise=tight, adapter=adapter, merge=adapter is not None and not tight)
    if adapter is not None and tight:
        loaded = loaded.get_base_model()  # its layers carry the adapter
    if machine.device == "cpu" and machine.fast_bf16:
        loaded = loaded.to(torch.bfloat16)
    loaded.requires_grad_(False)
    limit = getattr(loaded.config.get_text_config(), "max_position_embeddings", 2048)
    decoder = Decoder(loaded) if Decoder.fits(loaded) else TransformersDecoder(loaded)
    return Engine(decoder, tokenizer, template or read_template(tokenizer), limit)


@dataclass
class LoadedModels:
    """Engines that are in memory, the least recently used given up first; made by the app, not by this module."""

    most: int = 3
    queue: WaitingQueue = field(default_factory=WaitingQueue)  # of the replies that are asked of them
    # Of each model and adapter one engine a template; they share weights and conversations.
    _engines: "OrderedDict[tuple[str, str], list[Engine]]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, model: str, adapter: Path | None = None, template: Template | None = None) -> Engine:
        """The engine of a model and adapter that speaks in this template, loaded where it is not, one at a time."""
        key = (model, str(adapter or ""))
        with self._lock:
            if key not in self._engines:
                self._engines[key] = [load_engine(model, adapter, template)]
                while len(self._engines) > self.most:
                    self._engines.popitem(last=False)
            self._engines.move_to_end(key)
            engines = self._engines[key]
            wanted = template or read_template(engines[0].tokenizer)
            found = next((engine for engine in engines if engine.template == wanted), None)
            if found is None:
                found = replace(engines[0], template=wanted)
                found.cuda_graphs = engines[0].cuda_graphs
                engines.append(found)
            return found

    def forget(self, folder: Path) -> None:
        """Give up every engine whose adapter lies in this folder, and every conversation kept under the folder's name.

        Its owner deleted it: a reply that is still being made ends, and nothing of it is kept.
        """
        with self._lock:
            for key, engines in list(self._engines.items()):
                engines[0].forget(folder.name)
                if key[1] and Path(key[1]).is_relative_to(folder):
                    del self._engines[key]
