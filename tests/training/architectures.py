"""Models of many architectures, two small layers each with random weights: what a user may name instead of ours."""

import torch
import transformers

SIZES = {
    "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 2048, "initializer_range": 0.3, "head_dim": 8,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2,
}  # fmt: skip
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
GPT2 = {"vocab_size": 300, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.3}
SOFT = {"query_pre_attn_scalar": 8}
FEW = {name: size for name, size in SIZES.items() if name not in ("head_dim", "num_key_value_heads")}

# What differs from SIZES, or (a list) all there is.
CLASSES = {
    "Arcee": {}, "Cohere": {}, "Cohere2": {}, "Ernie4_5": {}, "Exaone4": {}, "Gemma": {}, "Gemma2": SOFT,
    "Gemma3": {**SOFT, "num_hidden_layers": 6}, "Glm": {}, "Glm4": {}, "GPT2": [GPT2], "GPTBigCode": [GPT2],
    "GPTNeoX": [FEW], "Granite": {}, "Helium": {}, "Llama": {}, "Ministral3": {}, "Mistral": {}, "Mixtral": EXPERTS,
    "Olmo": {}, "Olmo2": {}, "Olmo3": {}, "Phi": {}, "Phi3": {}, "Qwen2": {}, "Qwen3": {}, "SeedOss": {},
    "Qwen2Moe": {**EXPERTS, "shared_expert_intermediate_size": 16}, "Qwen3Moe": EXPERTS, "SmolLM3": {},
    "Starcoder2": {}, "Bloom": [{"vocab_size": 300, "hidden_size": 32, "n_layer": 2, "n_head": 4}],
    "GptOss": {**EXPERTS, "sliding_window": 64}, "Lfm2": {"layer_types": ["conv", "full_attention"]},
    "OPT": [{**FEW, "ffn_dim": 48, "word_embed_proj_dim": 32, "init_std": 0.3}],
    "Mamba": [{"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2}],
    "Falcon": [{"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}],
}  # fmt: skip


def make(name, **changes):
    """The model of this class, in evaluation mode."""
    sizes = CLASSES[name]
    settings = {**(sizes[0] if isinstance(sizes, list) else {**SIZES, **sizes}), **changes}
    config = getattr(transformers, f"{name}{'Text' if name == 'Gemma3' else ''}Config")(**settings)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    made = getattr(transformers, "GPT2LMHeadModel" if name == "GPT2" else f"{name}ForCausalLM")(config)
    return made.eval().requires_grad_(False)
