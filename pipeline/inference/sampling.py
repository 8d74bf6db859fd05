"""Replies sampled at many places of conversations at once.

They go on from what has been read, all in one batch, which those that have ended leave; so most of the work is done
in few and large steps.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.inference.cuda_graphs import BatchStep
from pipeline.inference.engine import Engine
from pipeline.inference.generation import GenerationConfig, pick
from pipeline.inference.reading import Place, PrefilledPlaces, Prompts
from pipeline.inference.shared_prefix import SharedPrefixCache
from pipeline.inference.transformers_decoder import TransformersDecoder
from pipeline.progress import SILENT, Progress

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["sample"]

BATCH = 256  # replies that grow together: beyond it a step takes as much longer as it does more
OWN_BYTES = 1 << 30  # of keys and values of what replies add
# Replies that are over leave when they are an eighth of a batch. On a GPU each leaving means to capture the step anew,
# so there they are half of it, and a small batch stays as it is.
LEAVE, LEAVE_CAPTURED, FEW = 8, 2, 16

Replies = dict[Place, list[int]]
Job = tuple[int, int]  # (config, place) by their numbers


def sample(
    prompts: Prompts,
    configs: Sequence[GenerationConfig],
    places: Collection[Place] | None = None,
    progress: Progress = SILENT,
) -> list[Replies]:
    """For each config one reply (stop token included) at each place; the same config several times gives as many.

    configs: with one length that none goes beyond; the first one's seed is that of all. places: else all of `prompts`.
    """
    import torch

    engine = prompts.engine
    if len({config.max_new_tokens for config in configs}) != 1:
        raise ValueError("replies that are sampled together have one length that none goes beyond")
    wanted = set(prompts.places if places is None else places)
    replies: list[Replies] = [{} for _ in configs]
    generator = torch.Generator(engine.decoder.device).manual_seed(configs[0].seed or 0)
    total = len(wanted) * len(configs)
    if isinstance(engine.decoder, TransformersDecoder):
        for number, config in enumerate(configs):
            for place in sorted(wanted):
                replies[number][place] = _generate_one(prompts, place, config, number)
                progress(sum(map(len, replies)), total)
        return replies
    for part in prompts.parts():
        jobs = [(number, i) for number in range(len(configs)) for i, place in enumerate(part.places) if place in wanted]
        for batch in _batches(part, jobs, configs[0].max_new_tokens):
            ids = _grow(engine, part, batch, configs, generator, _rest(progress, sum(map(len, replies)), total))
            for (number, i), reply in zip(batch, ids, strict=True):
                replies[number][part.places[i]] = reply
    return replies


def _generate_one(prompts: Prompts, place: Place, config: GenerationConfig, number: int) -> list[int]:
    """One reply on its own, where conversations share nothing."""
    seed = hash(((config.seed or 0) + number, *place)) % 2**31
    prompt = prompts.conversations[place[0]].ids[: place[1]]
    return list(prompts.engine.generate(prompt, config.model_copy(update={"seed": seed})))


def _batches(part: PrefilledPlaces, jobs: Sequence[Job], room: int) -> Iterator[Sequence[Job]]:
    """The jobs in batches of like size, each as large as its own keys and values may be."""
    if not jobs:
        return
    most = min(BATCH, max(1, OWN_BYTES // (SharedPrefixCache.token_bytes(part.cache) * room)))
    count = -(-len(jobs) // most)
    for number in range(count):
        yield jobs[number * len(jobs) // count : (number + 1) * len(jobs) // count]


def _rest(progress: Progress, done: int, total: int) -> Callable[[int], None]:
    """Tell how many of a batch are over, `done` having been over before it."""
    return lambda over: progress(done + over, total)


def _grow(
    engine: Engine,
    part: PrefilledPlaces,
    jobs: Sequence[Job],
    configs: Sequence[GenerationConfig],
    generator: "Generator",
    told: Callable[[int], None],
) -> list[list[int]]:
    """Ids of a reply for each job: tokens are added to all until each has stopped or is as long as it may be."""
    import torch

    most = configs[0].max_new_tokens
    cache = SharedPrefixCache(
        part.cache, [part.rows[i] for _, i in jobs], [part.places[i][1] for _, i in jobs], most,
        fixed=engine.decoder.device.type == "cuda",
    )  # fmt: skip
    logits = torch.stack([part.logits[i] for _, i in jobs])
    replies: list[list[int]] = [[] for _ in jobs]
    live = list(range(len(jobs)))
    over = torch.zeros(len(live), dtype=torch.bool, device=logits.device)
    stops = torch.tensor(sorted(engine.stops), device=logits.device)
    step = _step(engine, cache)
    with torch.inference_mode():
        for number in range(most):
            chosen = _pick(engine, logits, [configs[jobs[i][0]] for i in live], generator, [replies[i] for i in live])
            for i, token, is_over in zip(live, chosen.tolist(), over.tolist(), strict=True):
                if not is_over:
                    replies[i].append(token)
            over |= torch.isin(chosen, stops)
            ended = int(over.sum())
            told(len(jobs) - len(live) + ended)
            if ended == len(live) or number + 1 == most:
                break
            if _may_leave(ended, len(live), captured=cache.fixed):
                left = (~over).nonzero()[:, 0]
                live = [live[i] for i in left.tolist()]
                chosen, over = chosen[left], over[left]
                cache.keep(left)
                step = _step(engine, cache)
            with engine.lock:
                logits = step(chosen)
    told(len(jobs))
    return replies


def _may_leave(ended: int, count: int, *, captured: bool) -> bool:
    """Whether to copy what stays, so that those that are over leave: worth it for several at once."""
    return count > FEW and ended > count // LEAVE_CAPTURED if captured else ended > count // LEAVE


def _step(engine: Engine, cache: SharedPrefixCache) -> "Callable[[Tensor], Tensor]":
    """A function from each reply's last token to the scores of its next, [replies, vocabulary]."""
    decoder = engine.decoder
    if cache.fixed:
        with engine.lock:
            return BatchStep(decoder, cache)
    return lambda ids: decoder.logits(decoder.forward(ids[:, None], cache)[:, -1])


def _pick(
    engine: Engine,
    logits: "Tensor",
    configs: Sequence[GenerationConfig],
    generator: "Generator",
    written: Sequence[Sequence[int]],
) -> "Tensor":
    """The next token of each reply, int64 [replies], as its config has it. written: what each has so far."""
    import torch

    ends, breaks = (torch.tensor(sorted(ids), device=logits.device) for ids in (engine.ends, engine.breaks))
    length = max(map(len, written))
    chosen, start = [], 0
    for config, same in groupby(configs):
        end = start + len(list(same))
        seen = _padded(written[start:end], length).to(logits.device) if config.repetition_penalty > 1 else None
        chosen.append(
            pick(logits[start:end], config, generator, end_ids=ends, break_ids=breaks, step=length, written=seen)
        )
        start = end
    return torch.cat(chosen)


def _padded(replies: Sequence[Sequence[int]], length: int) -> "Tensor":
    """Ids of replies as rows of one length; -1 follows those that are over."""
    import torch

    return torch.tensor([[*reply, *[-1] * (length - len(reply))] for reply in replies])
