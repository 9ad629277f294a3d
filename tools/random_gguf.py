r"""
GGUFs with random weights: tiny ones for tests, and ones in the shape of real models for measurements.

Speed does not depend on what the weights say, so a model of the right shape measures it
without a download. The tiny ones are made from nothing: each has a tokenizer of its own of
a few hundred tokens, in which a character of three bytes falls into three tokens. The shaped
ones take the vocabulary of Qwen2 out of llama-cpp-python's source archive.

::

    python tools/random_gguf.py tiny-bpe --out tiny.gguf
    python tools/random_gguf.py 0.5B --out models/random-0.5b-q4_k_m.gguf
"""

from __future__ import annotations

import argparse
import ctypes
import math
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np

LLAMA_CPP = "0.3.36"
VOCABULARY = "ggml-vocab-qwen2.gguf"
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'assistant' %}{{ message.content }}"
    "{{ eos_token }}{% else %}[INST] {{ message.content | trim }} [/INST]{% endif %}{% endfor %}"
)
_WORDS = re.findall(
    r"\w+",
    "the of a and to in is not no met partial absent flawed not_applicable verdict lines rationale line design "
    "topic key order retry table index test log user token data event service value name with for by on at as it",
)


@dataclass(frozen=True)
class Shape:
    """
    The shape of a model.

    Args:
        architecture: ``llama``, ``qwen2``, ``gemma3``, ``lfm2`` or ``mamba``.
        layers:       Blocks.
        width:        Of the embedding.
        inner:        Of the feed-forward part.
        heads:        Attention heads.
        kv_heads:     Heads of keys and values.
        tied:         Whether the output shares the embedding's weights.
        window:       Tokens.
        sliding:      Tokens of the window that every second block of attention sees, from the
                      first on; 0 where all see everything.

    """

    architecture: str
    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    tied: bool = True
    window: int = 32768
    sliding: int = 0


# Published shapes of Qwen2.5: https://huggingface.co/Qwen, config.json of each size.
SHAPES = {
    "0.5B": Shape("qwen2", 24, 896, 4864, 14, 2),
    "1.5B": Shape("qwen2", 28, 1536, 8960, 12, 2),
    "3B": Shape("qwen2", 36, 2048, 11008, 16, 2),
    "7B": Shape("qwen2", 28, 3584, 18944, 28, 4, tied=False),
}
TINY = Shape("llama", 2, 128, 256, 2, 1, window=16384)
TINY_SHAPES = {
    "tiny-bpe": replace(TINY, architecture="qwen2"),
    "tiny-spm": TINY,
    # Loads, and can be constrained by no grammar.
    "tiny-wpm": TINY,
    "tiny-untemplated": TINY,
    # A window far shorter than the prompts of the tests.
    "tiny-sliding": replace(TINY, architecture="gemma3", layers=4, sliding=32),
    "tiny-mamba": replace(TINY, architecture="mamba"),
    # Blocks that keep a state and blocks of attention in turn.
    "tiny-hybrid": replace(TINY, architecture="lfm2", layers=4),
}
# Those that a grammar and a chat template can be laid on.
GENERATIVE = ("tiny-bpe", "tiny-spm", "tiny-sliding", "tiny-mamba", "tiny-hybrid")
_BYTE_LEVEL = ("tiny-bpe", "tiny-mamba", "tiny-hybrid")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=[*TINY_SHAPES, *SHAPES])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vocabulary", type=Path, help=f"{VOCABULARY}, instead of the one in the source archive")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.shape in TINY_SHAPES:
        write_tiny(options.out, options.shape, options.seed)
    else:
        with tempfile.TemporaryDirectory(dir=options.out.parent) as folder:
            vocabulary = options.vocabulary or fetched_vocabulary(Path(folder))
            plain = Path(folder) / "plain.gguf"
            write_shaped(plain, SHAPES[options.shape], vocabulary, options.seed)
            quantize(plain, options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


def write_tiny(path: Path, name: str, seed: int = 1) -> None:
    """
    Write a model of milliseconds a token.

    Args:
        path: Where to.
        name: One of :data:`TINY_SHAPES`.
        seed: Of the weights.

    """
    shape = TINY_SHAPES[name]
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_name(f"random {name}")
    writer.add_license("apache-2.0")
    size = _tokenizer(writer, name)
    _metadata(writer, shape, size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    random = np.random.default_rng(seed)
    packed = gguf.GGMLQuantizationType.Q8_0
    whole = ("conv1d.weight", "shortconv.conv.weight", "ssm_a")
    for tensor, dimensions in tensors(shape, size):
        data = _weights(tensor, dimensions, random, spread=0.2)
        if data.ndim == 1 or tensor.endswith(whole) or dimensions[-1] % 32:
            writer.add_tensor(tensor, data)
        else:
            writer.add_tensor(tensor, gguf.quants.quantize(data, packed), raw_dtype=packed)
    _finish(writer)


def write_shaped(path: Path, shape: Shape, vocabulary: Path, seed: int = 1) -> None:
    """
    Write a model of a real shape in F16, tensor by tensor: no more than one is in memory, or in a second file.

    Args:
        path:       Where to.
        shape:      Its shape.
        vocabulary: A GGUF with the tokenizer alone.
        seed:       Of the weights.

    """
    reader = gguf.GGUFReader(vocabulary)
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_name(f"random weights, {shape.layers} layers of {shape.width}")
    size = _copied_tokenizer(writer, reader)
    writer.add_chat_template(CHATML)
    _metadata(writer, shape, size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for tensor, dimensions in tensors(shape, size):
        kind = _kept_in(dimensions)
        writer.add_tensor_info(tensor, dimensions, kind, math.prod(dimensions) * kind.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(seed)
    for tensor, dimensions in tensors(shape, size):
        data = _weights(tensor, dimensions, random, spread=0.02)
        writer.write_tensor_data(data.astype(_kept_in(dimensions), copy=False))
    writer.close()


def _kept_in(dimensions: tuple[int, ...]) -> np.dtype[Any]:
    return np.dtype(np.float32 if len(dimensions) == 1 else np.float16)


def quantize(source: Path, target: Path) -> None:
    """Write a model once more as Q4_K_M."""
    import llama_cpp

    silent = llama_cpp.llama_log_callback(lambda *_: None)
    before, data = llama_cpp.llama_log_callback(), ctypes.c_void_p()
    llama_cpp.llama_log_get(ctypes.byref(before), ctypes.byref(data))
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    # llama.cpp goes on calling the one that it was given, which ends with this function.
    llama_cpp.llama_log_set(before, data)
    if code:
        sys.exit(f"llama.cpp could not quantize {source} (code {code}).")


def fetched_vocabulary(folder: Path) -> Path:
    """Take the vocabulary out of llama-cpp-python's source archive, which pip fetches from its index or cache."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-python"]
    subprocess.run([*command, "--dest", str(folder), f"llama-cpp-python=={LLAMA_CPP}"], check=True)
    with tarfile.open(next(folder.glob("llama_cpp_python-*.tar.gz"))) as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith(f"/{VOCABULARY}"))
        member.name = VOCABULARY
        archive.extract(member, folder, filter="data")
    return folder / VOCABULARY


def tensors(shape: Shape, vocabulary: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the tensors of a shape with their dimensions, outputs first, as numpy counts them."""
    width = shape.width
    yield "token_embd.weight", (vocabulary, width)
    # lfm2 has its norm of the output where others have one of the embedding.
    yield ("token_embd_norm.weight" if shape.architecture == "lfm2" else "output_norm.weight"), (width,)
    if not shape.tied:
        yield "output.weight", (vocabulary, width)
    for layer in range(shape.layers):
        for name, dimensions in _block(shape, layer).items():
            yield f"blk.{layer}.{name}", dimensions


def _block(shape: Shape, layer: int) -> Mapping[str, tuple[int, ...]]:
    if shape.architecture == "mamba":
        return _mamba_block(shape.width)
    mixing = _attention(shape) if _kv_heads(shape)[layer] else _convolution(shape.width)
    return mixing | _feed_forward(shape) | _biases(shape)


def _kv_heads(shape: Shape) -> list[int]:
    """Return the heads of keys and values of each block; a block without any keeps a state."""
    hybrid = shape.architecture == "lfm2"
    return [0 if hybrid and layer % 2 == 0 else shape.kv_heads for layer in range(shape.layers)]


def _attention(shape: Shape) -> dict[str, tuple[int, ...]]:
    width, head = shape.width, shape.width // shape.heads
    narrow = head * shape.kv_heads
    block: dict[str, tuple[int, ...]] = {
        "attn_norm.weight": (width,),
        "attn_q.weight": (width, width),
        "attn_k.weight": (narrow, width),
        "attn_v.weight": (narrow, width),
        "attn_output.weight": (width, width),
    }
    if shape.architecture in ("gemma3", "lfm2"):
        block |= {"attn_q_norm.weight": (head,), "attn_k_norm.weight": (head,)}
    return block


def _biases(shape: Shape) -> dict[str, tuple[int, ...]]:
    if shape.architecture != "qwen2":
        return {}
    narrow = shape.width // shape.heads * shape.kv_heads
    return {"attn_q.bias": (shape.width,), "attn_k.bias": (narrow,), "attn_v.bias": (narrow,)}


def _feed_forward(shape: Shape) -> dict[str, tuple[int, ...]]:
    width, inner = shape.width, shape.inner
    block: dict[str, tuple[int, ...]] = {
        "ffn_norm.weight": (width,),
        "ffn_gate.weight": (inner, width),
        "ffn_up.weight": (inner, width),
        "ffn_down.weight": (width, inner),
    }
    if shape.architecture == "gemma3":
        block |= {"post_attention_norm.weight": (width,), "post_ffw_norm.weight": (width,)}
    return block


_CONVOLUTION = 3


def _convolution(width: int) -> dict[str, tuple[int, ...]]:
    return {
        "attn_norm.weight": (width,),
        "shortconv.conv.weight": (width, _CONVOLUTION),
        "shortconv.in_proj.weight": (3 * width, width),
        "shortconv.out_proj.weight": (width, width),
    }


_MAMBA = {"conv": 4, "state": 16, "rank": 8}


def _mamba_block(width: int) -> Mapping[str, tuple[int, ...]]:
    inner, state, rank = 2 * width, _MAMBA["state"], _MAMBA["rank"]
    return {
        "attn_norm.weight": (width,),
        "ssm_in.weight": (2 * inner, width),
        "ssm_conv1d.weight": (inner, _MAMBA["conv"]),
        "ssm_conv1d.bias": (inner,),
        "ssm_x.weight": (rank + 2 * state, inner),
        "ssm_dt.weight": (inner, rank),
        "ssm_dt.bias": (inner,),
        "ssm_a": (inner, state),
        "ssm_d": (inner,),
        "ssm_out.weight": (width, inner),
    }


def _weights(name: str, dimensions: tuple[int, ...], random: np.random.Generator, spread: float) -> Any:
    if name.endswith("norm.weight"):
        return np.ones(dimensions, dtype=np.float32)
    if name.endswith("ssm_a"):
        # Negative, so that the state decays.
        return -np.abs(random.standard_normal(dimensions, dtype=np.float32)) - 0.1
    data = random.standard_normal(dimensions, dtype=np.float32)
    # In place: the embedding of a large model takes gigabytes.
    data *= np.float32(spread)
    return data


def _metadata(writer: Any, shape: Shape, vocabulary: int) -> None:
    writer.add_context_length(shape.window)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(vocabulary)
    if shape.architecture == "mamba":
        writer.add_feed_forward_length(0)
        writer.add_head_count(0)
        writer.add_ssm_conv_kernel(_MAMBA["conv"])
        writer.add_ssm_inner_size(2 * shape.width)
        writer.add_ssm_state_size(_MAMBA["state"])
        writer.add_ssm_time_step_rank(_MAMBA["rank"])
        return
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(_kv_heads(shape) if shape.architecture == "lfm2" else shape.kv_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(1_000_000.0)
    if shape.sliding:
        writer.add_sliding_window(shape.sliding)
        writer.add_sliding_window_pattern([layer % 2 == 0 for layer in range(shape.layers)])
    if shape.architecture == "lfm2":
        writer.add_shortconv_l_cache(_CONVOLUTION)


def _tokenizer(writer: Any, name: str) -> int:
    """Write tokenizer and template of a tiny model; return the size of the vocabulary."""
    if name != "tiny-untemplated":
        writer.add_chat_template(CHATML if name in _BYTE_LEVEL else INST)
    if name in _BYTE_LEVEL:
        return _byte_level(writer)
    return _word_piece(writer) if name == "tiny-wpm" else _sentence_piece(writer)


def _byte_level(writer: Any) -> int:
    """Write a byte-level BPE: all bytes, the merges of some words, three special tokens; return its size."""
    letters = _letters()
    tokens = [letters[byte] for byte in range(256)]
    merges: list[str] = []
    for word in _WORDS:
        for text in (word, f" {word}"):
            pieces = [letters[byte] for byte in text.encode()]
            while len(pieces) > 1:
                pair = f"{pieces[0]} {pieces[1]}"
                pieces[:2] = [pieces[0] + pieces[1]]
                if pair not in merges:
                    merges.append(pair)
                if pieces[0] not in tokens:
                    tokens.append(pieces[0])
    # JSON's usual joints, so that a value may begin within a token.
    for pair in ('" :', '": "', '" ,', '", "', '{ "'):
        left, right = pair.split(" ")
        merges.append(pair)
        if left + right not in tokens:
            tokens.append(left + right)
    kinds = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * 3
    tokens += ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_bos_token_id(len(tokens) - 3)
    writer.add_add_bos_token(False)
    return len(tokens)


def _letters() -> dict[int, str]:
    """Return the printable letter by which byte-level BPE writes each byte (GPT-2's table)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + place) for place, byte in enumerate(others)}


def _sentence_piece(writer: Any) -> int:
    """Write a SentencePiece vocabulary with byte tokens; return its size."""
    tokens = ["<unk>", "<s>", "</s>"]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    tokens += [f"<0x{byte:02X}>" for byte in range(256)]
    kinds += [gguf.TokenType.BYTE] * 256
    pieces = dict.fromkeys(chr(code) for code in range(33, 127)) | {"\u2581": None}
    for word in _WORDS:
        for text in (word, f"\u2581{word}"):
            for stop in range(2, len(text) + 1):
                pieces[text[:stop]] = None
    pieces.pop("", None)
    tokens += list(pieces)
    kinds += [gguf.TokenType.NORMAL] * len(pieces)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * 259 + [-float(place) for place in range(len(pieces))])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    return len(tokens)


def _word_piece(writer: Any) -> int:
    """Write a WordPiece vocabulary as llama.cpp keeps them: a mark before what begins a word; return its size."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    kinds = [gguf.TokenType.CONTROL] * len(tokens)
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = dict.fromkeys([*letters, *(f"\u2581{text}" for text in (*letters, *_WORDS)), *_WORDS])
    tokens += list(pieces)
    kinds += [gguf.TokenType.NORMAL] * len(pieces)
    writer.add_tokenizer_model("bert")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_eos_token_id(3)
    writer.add_mask_token_id(4)
    return len(tokens)


def _copied_tokenizer(writer: Any, reader: Any) -> int:
    size = 0
    for name, entry in reader.fields.items():
        if not name.startswith("tokenizer.") or name == "tokenizer.chat_template":
            continue
        value = entry.contents()
        if name == "tokenizer.ggml.tokens":
            size = len(value)
        kind = entry.types[0]
        if kind == gguf.GGUFValueType.ARRAY:
            writer.add_key_value(name, value, kind, sub_type=entry.types[-1])
        else:
            writer.add_key_value(name, value, kind)
    return size


def _finish(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
