"""Chat: time to the first token on a second turn, and tokens a second, beside transformers and llama.cpp.

python benchmarks/chat.py                            # the starter model with a fresh adapter, on this computer
python benchmarks/chat.py --gguf starter-Q4_1.gguf   # with llama.cpp (pip install xllamacpp) on the base weights
python benchmarks/chat.py --model FOLDER --quantise  # a GPU, 4-bit weights
"""

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from pipeline.chat import Twin
from pipeline.inference import GenerationConfig
from pipeline.inference.decoder import Decoder
from pipeline.inference.engine import Engine
from pipeline.models import load_model, load_tokenizer, name_or_path
from pipeline.prompt import Message, encode_prompt, read_template
from pipeline.sample import sample_text

SAMPLING = {"temperature": 0.9, "top_p": 0.95}

# A peer answers a prompt: yields once for every token, whatever it holds.
Answer = Callable[[list[Message]], Iterator[object]]


def conversation(tokenizer: object, tokens: int) -> tuple[list[Message], list[Message]]:
    """A real conversation of about `tokens` tokens ending with the user, and what follows it: a reply, a message."""
    lines = [line.split(": ", 1)[1] for line in sample_text().splitlines() if "] Noah: " in line or "] Ryan: " in line]
    history: list[Message] = []
    template = read_template(tokenizer)
    for i, line in enumerate(lines):
        history.append(Message(role="assistant" if i % 2 else "user", content=line))
        if i % 2 == 0 and len(encode_prompt(template, tokenizer, history)) >= tokens:
            reply, message = lines[i + 1], lines[i + 2]
            return history, [Message(role="assistant", content=reply), Message(role="user", content=message)]
    raise ValueError("the sample is shorter than that")


def fresh_adapter(model: str, folder: Path) -> Path:
    """An adapter as training leaves it (r=16, all linear layers), with random weights."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(load_model(model), config).save_pretrained(folder)
    return folder


def with_transformers(model: str, adapter: Path, tokens: int, *, quantise: bool) -> Answer:
    """As documented: the base model, the adapter on it, generate() with a streamer; every turn is read whole."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig, TextIteratorStreamer

    device = 0 if torch.cuda.is_available() else "cpu"
    settings: dict[str, object] = {"device_map": {"": device}}
    if quantise:
        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.float16,
        )  # fmt: skip
    tokenizer = load_tokenizer(model)
    loaded = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(name_or_path(model), **settings), str(adapter)
    ).eval()

    def answer(messages: list[Message]) -> Iterator[object]:
        inputs = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(loaded.device)
        # skip_prompt, and a token is only shown with the next word: count tokens, not pieces of text.
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True)
        arrived: list[float] = []
        put = streamer.put
        streamer.put = lambda value: (arrived.append(time.perf_counter()), put(value))[1]
        settings = {
            **inputs, "streamer": streamer, "max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": True,
            **SAMPLING,
        }  # fmt: skip
        thread = threading.Thread(target=loaded.generate, kwargs=settings)
        thread.start()
        for _ in streamer:
            pass
        thread.join()
        yield from arrived[1:]  # the first is the prompt

    return answer


def with_ours(model: str, adapter: Path, tokens: int, *, quantise: bool) -> tuple[Answer, Engine]:
    """The app's own engine: one visitor, whose cache is kept between turns."""
    tokenizer = load_tokenizer(model)
    loaded = load_model(model, adapter=adapter, merge=not quantise, quantise=quantise)
    loaded = loaded.get_base_model() if quantise else loaded
    if not torch.cuda.is_available():
        loaded = loaded.to(torch.bfloat16)
    engine = Engine(Decoder(loaded.requires_grad_(False)), tokenizer, read_template(tokenizer), 8192)
    config = GenerationConfig(**SAMPLING, max_new_tokens=tokens)
    engine.stops = engine.ends = frozenset()  # every peer writes as many tokens
    twin = Twin(engine, config)

    def answer(messages: list[Message]) -> Iterator[object]:
        prompt = encode_prompt(engine.template, engine.tokenizer, messages)
        for _ in twin.engine.generate(prompt, config, cache_key="one"):
            yield time.perf_counter()

    return answer, engine


def with_llama_cpp(gguf: Path, tokens: int) -> Answer:
    """llama.cpp's own server loop on the base weights in 4 bits, its prompt cache on."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx, params.n_parallel, params.warmup = 4096, 1, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = torch.get_num_threads()
    server = xllamacpp.Server(params)

    def answer(messages: list[Message]) -> Iterator[object]:
        arrived: list[float] = []

        def each(piece: object) -> bool:
            arrived.append(time.perf_counter())
            return False

        request = {
            "messages": messages, "max_tokens": tokens, "stream": True, "ignore_eos": True, "cache_prompt": True,
            **SAMPLING,
        }  # fmt: skip
        server.handle_chat_completions(json.dumps(request), each)
        yield from arrived

    return answer


def second_turn(answer: Answer, first: list[Message], then: list[Message]) -> tuple[float, float]:
    """(seconds to the first token, tokens a second after it) on the turn that follows a turn."""
    for _ in answer(first):
        pass
    start = time.perf_counter()
    times = [float(t) for t in answer([*first, *then])]
    return times[0] - start, (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    """Measure every peer in turn, `rounds` times, and print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--quantise", action="store_true")
    parser.add_argument("--history", type=int, default=1000, help="tokens of the conversation before")
    parser.add_argument("--tokens", type=int, default=48, help="tokens of each reply")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--gguf", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    first, then = conversation(load_tokenizer(chosen.model), chosen.history)
    with tempfile.TemporaryDirectory() as scratch:
        adapter = chosen.adapter or fresh_adapter(chosen.model, Path(scratch))
        peers: dict[str, Answer] = {
            "transformers generate, adapter as loaded": with_transformers(
                chosen.model, adapter, chosen.tokens, quantise=chosen.quantise
            ),
            "ours": with_ours(chosen.model, adapter, chosen.tokens, quantise=chosen.quantise)[0],
        }
    if chosen.gguf:
        peers["llama.cpp, Q4_1, base weights"] = with_llama_cpp(chosen.gguf, chosen.tokens)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
    for _ in range(chosen.rounds):
        for name, answer in peers.items():
            found[name].append(second_turn(answer, first, then))
            gc.collect()
    print("| second turn | first token, ms | tokens a second |\n| --- | --- | --- |")
    for name, results in found.items():
        wait, rate = (statistics.median(values) for values in zip(*results, strict=True))
        print(f"| {name} | {1000 * wait:.0f} | {rate:.1f} |")


if __name__ == "__main__":
    main()
