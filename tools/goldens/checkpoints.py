#!/usr/bin/env python3
"""Goldens of the checkpoint formats: Tests/Goldens/checkpoints/.

    huggingface/<form>/   a folder as transformers' `save_pretrained` writes it, tiny, with random weights, and in
                          `expected.safetensors` the same tensors under timm's names. Before they are written, a timm
                          model loads them strictly and its tokens are compared with transformers' in float64.
    reference.safetensors tensors of every type that is read, a scalar and an empty one, as the reference writer writes
    arrays.npz, compressed.npz, fortran.npy, version2.npy
                          NumPy's arrays: stored, deflated, column-major, and with the header of version 2
"""

import argparse
import json
import shutil
import zlib
from functools import partial

import numpy as np
import safetensors
import safetensors.torch
import torch
import transformers
from numpy.lib import format as npy_format
from transformers import (
    BitImageProcessor,
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    DeiTImageProcessor,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
    ViTMAEConfig,
    ViTMAEForPreTraining,
    ViTModel,
)

from common import GOLDENS, LABEL_NAMES, random_images, randomize, write

FOLDER = GOLDENS / "checkpoints"

COMMON = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=8, patch_size=4)
LABELS = dict(id2label=dict(enumerate(LABEL_NAMES)), label2id={name: i for i, name in enumerate(LABEL_NAMES)})
MLP = dict(intermediate_size=48)
DECODER = dict(
    decoder_hidden_size=8, decoder_num_hidden_layers=1, decoder_num_attention_heads=1, decoder_intermediate_size=8)
SQUARE = {"height": 8, "width": 8}

# form: (model class, configuration, image processor or nothing, arguments of save_pretrained)
FORMS = {
    "vit": (
        ViTModel, ViTConfig(**COMMON, **MLP, layer_norm_eps=3e-5), ViTImageProcessor(size=SQUARE, resample=3), {}),
    "vit-sharded": (ViTForImageClassification, ViTConfig(**COMMON, **MLP, **LABELS), None, {"max_shard_size": 8000}),
    "mae": (ViTMAEForPreTraining, ViTMAEConfig(**COMMON, **MLP, **DECODER, mask_ratio=0.0), None, {}),
    "deit": (
        DeiTForImageClassification, DeiTConfig(**COMMON, **MLP, **LABELS),
        DeiTImageProcessor(size={"height": 10, "width": 10}, crop_size=SQUARE), {}),
    "deit-distilled": (DeiTForImageClassificationWithTeacher, DeiTConfig(**COMMON, **MLP, **LABELS), None, {}),
    "dinov2": (
        Dinov2Model, Dinov2Config(**COMMON, mlp_ratio=3),
        BitImageProcessor(size={"shortest_edge": 10}, crop_size=SQUARE), {}),
    "dinov2-swiglu": (Dinov2Model, Dinov2Config(**COMMON, mlp_ratio=3, use_swiglu_ffn=True), None, {}),
    "dinov2-registers": (
        Dinov2WithRegistersModel, Dinov2WithRegistersConfig(**COMMON, mlp_ratio=3, num_register_tokens=3), None, {}),
}
PREFIXES = ("vit.", "deit.", "dinov2.", "dinov2_with_registers.")
HEADS = {"classifier": "head", "cls_classifier": "head", "distillation_classifier": "head_dist"}
BLOCK = {
    "norm1": ["norm1", "layernorm_before"],
    "norm2": ["norm2", "layernorm_after"],
    "attn.proj": ["attention.output.dense"],
    "mlp.fc1": ["mlp.fc1", "mlp.weights_in", "intermediate.dense"],
    "mlp.fc2": ["mlp.fc2", "mlp.weights_out", "output.dense"],
}


def timm_names(config, saved: dict) -> dict:
    """transformers' tensors, as its `save_pretrained` names them, under timm's names."""
    state = {}
    for name, value in saved.items():
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), "")
        state[name.removeprefix(prefix)] = value
    result = {
        "cls_token": state["embeddings.cls_token"],
        "pos_embed": state["embeddings.position_embeddings"],
    }
    if "embeddings.distillation_token" in state:
        result["dist_token"] = state["embeddings.distillation_token"]
    if "embeddings.register_tokens" in state:
        result["reg_token"] = state["embeddings.register_tokens"]
        result["cls_token"] = result["cls_token"] + result["pos_embed"][:, :1]
        result["pos_embed"] = result["pos_embed"][:, 1:]
    for kind in ("weight", "bias"):
        result[f"patch_embed.proj.{kind}"] = state[f"embeddings.patch_embeddings.projection.{kind}"]
        result[f"norm.{kind}"] = state[f"layernorm.{kind}"]
        for theirs, ours in HEADS.items():
            if f"{theirs}.{kind}" in state:
                result[f"{ours}.{kind}"] = state[f"{theirs}.{kind}"]
        for i in range(config.num_hidden_layers):
            source, target = f"encoder.layer.{i}.", f"blocks.{i}."
            parts = [state[f"{source}attention.attention.{part}.{kind}"] for part in ("query", "key", "value")]
            result[f"{target}attn.qkv.{kind}"] = torch.cat(parts)
            for ours, names in BLOCK.items():
                (found,) = [name for name in names if f"{source}{name}.{kind}" in state]
                result[f"{target}{ours}.{kind}"] = state[f"{source}{found}.{kind}"]
    for i in range(config.num_hidden_layers if "dinov2" in config.model_type else 0):
        for scale in ("1", "2"):
            result[f"blocks.{i}.ls{scale}.gamma"] = state[f"encoder.layer.{i}.layer_scale{scale}.lambda1"]
    return result


def timm_model(config, tensors: dict) -> torch.nn.Module:
    """The timm model that these tensors belong to, loaded strictly."""
    from timm.layers import LayerNorm, SwiGLUPacked
    from timm.models.deit import VisionTransformerDistilled
    from timm.models.vision_transformer import VisionTransformer

    arguments = dict(
        img_size=config.image_size, patch_size=config.patch_size, embed_dim=config.hidden_size,
        depth=config.num_hidden_layers, num_heads=config.num_attention_heads, qkv_bias=config.qkv_bias,
        mlp_ratio=tensors["blocks.0.mlp.fc1.weight"].shape[0] / config.hidden_size,
        norm_layer=partial(LayerNorm, eps=config.layer_norm_eps),
        num_classes=tensors["head.weight"].shape[0] if "head.weight" in tensors else 0)
    if "blocks.0.ls1.gamma" in tensors:
        arguments["init_values"] = 1.0
    if "reg_token" in tensors:
        arguments.update(reg_tokens=tensors["reg_token"].shape[1], no_embed_class=True)
    if getattr(config, "use_swiglu_ffn", False):
        arguments.update(mlp_layer=SwiGLUPacked, act_layer=torch.nn.SiLU)
    model = (VisionTransformerDistilled if "dist_token" in tensors else VisionTransformer)(**arguments)
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    # The class without a teacher has one head; timm's distilled model always has two.
    assert not unexpected and all(name.startswith("head_dist.") for name in missing), (missing, unexpected)
    return model


@torch.no_grad()
def make(form: str, seed: int) -> None:
    model_class, config, processor, options = FORMS[form]
    folder = FOLDER / "huggingface" / form
    shutil.rmtree(folder, ignore_errors=True)
    model = model_class(config).eval()
    randomize(model, seed)
    model.save_pretrained(folder, **options)
    if processor:
        processor.save_pretrained(folder)
    state = {}
    for file in sorted(folder.glob("*.safetensors")):
        file.chmod(0o644)
        state |= safetensors.torch.load_file(file)
    tensors = timm_names(config, state)

    images = random_images(2, (8, 8), seed).double()
    base = getattr(model, model.base_model_prefix, model)  # the model itself where it has no head
    # The order in which the autoencoder keeps patches, all of which it keeps here.
    extra = {"noise": torch.arange(4.0).repeat(2, 1)} if form == "mae" else {}
    theirs = base.double()(images, **extra).last_hidden_state
    ours = timm_model(config, tensors).eval().double().forward_features(images)
    difference = (theirs - ours).abs().max().item()
    assert difference < 1e-6, f"{form}: tokens differ by {difference}"
    write(folder / "expected.safetensors", tensors, seed, form=form)


def make_formats(seed: int) -> None:
    random = np.random.default_rng(seed)
    numbers = torch.from_numpy(random.standard_normal((3, 5)))
    types = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()
    tensors = {f"z.{name}": (numbers * 20).abs().to(getattr(torch, name)) for name in types}
    tensors |= {
        "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4), 'quo"te/ü': torch.arange(3, dtype=torch.int8)}
    checksum = 0
    for name in sorted(tensors):
        checksum = zlib.crc32(bytes(tensors[name].reshape(-1).view(torch.uint8).numpy()), checksum)
    details = {
        "script": "tools/goldens/checkpoints.py", "seed": seed, "checksum": f"crc32:{checksum:08x}",
        "safetensors": safetensors.__version__, "torch": torch.__version__}
    metadata = {"golden": json.dumps(details, sort_keys=True)}
    safetensors.torch.save_file(tensors, FOLDER / "reference.safetensors", metadata=metadata)
    (FOLDER / "reference.safetensors").chmod(0o644)

    arrays = {
        "matrix": np.arange(12, dtype=np.float32).reshape(3, 4),
        "scalar": np.float64(2.5),
        "bytes": (np.arange(300) % 256).astype(np.uint8),
        "half": np.array([0.5, -2], np.float16),
        "long": np.array([[-1], [2**40]], np.int64),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float32),
    }
    np.savez(FOLDER / "arrays.npz", **arrays)
    np.savez_compressed(FOLDER / "compressed.npz", **arrays)
    np.save(FOLDER / "fortran.npy", np.asfortranarray(np.arange(24, dtype=np.int32).reshape(2, 3, 4)))
    with open(FOLDER / "version2.npy", "wb") as file:
        npy_format.write_array(file, np.arange(4, dtype=np.float32), version=(2, 0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("forms", nargs="*", default=list(FORMS), help=f"of {', '.join(FORMS)}")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for form in arguments.forms:
        make(form, arguments.seed)
    make_formats(arguments.seed)
