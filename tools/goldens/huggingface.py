#!/usr/bin/env python3
"""Goldens of Hugging Face image classifiers: Tests/Goldens/huggingface/<form>/.

Each folder is what `save_pretrained` writes for a tiny model with random weights and its image processor
(`config.json`, `model.safetensors`, `preprocessor_config.json`), and `golden.safetensors`, computed in float64:

    images         [2, 3, height, width]  normalised input
    embedded       [2, N, C]              tokens that enter the first block
    block.<i>      [2, N, C]              tokens that leave block i
    features       [2, N, C]              last_hidden_state, after the final norm
    class_token    [2, C]                 features[:, 0]
    logits         [2, K]                 of the Hugging Face classifier

ViT's classifier reads the class token, as timm's head does. DINOv2's reads the class token beside the mean of the patch
tokens (`classifier.weight` is [K, 2 C], registers are left out of the mean), which no timm head does: a reader that
drops that head compares `features`.
"""

import argparse
import shutil

import torch
import transformers
from transformers import (
    BitImageProcessor,
    Dinov2Config,
    Dinov2ForImageClassification,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from common import GOLDENS, LABEL_NAMES, random_images, randomize, write

COMMON = dict(
    hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
    id2label=dict(enumerate(LABEL_NAMES)), label2id={name: index for index, name in enumerate(LABEL_NAMES)})
VIT = dict(image_size=16, patch_size=4, intermediate_size=72)
DINOV2 = dict(image_size=21, patch_size=7, mlp_ratio=3)


def vit_processor(size: int):
    return ViTImageProcessor(size={"height": size, "width": size}, image_mean=[0.5] * 3, image_std=[0.5] * 3)


def dinov2_processor(size: int):
    return BitImageProcessor(
        size={"shortest_edge": size + 4}, crop_size={"height": size, "width": size},
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])


# form: (model class, configuration, image processor)
FORMS = {
    "vit": (ViTForImageClassification, ViTConfig(**COMMON, **VIT), vit_processor),
    # An eps that no default has, so that a reader which ignores the configuration's is seen at once.
    "vit-no-qkv-bias": (
        ViTForImageClassification,
        ViTConfig(**COMMON, **VIT, qkv_bias=False, layer_norm_eps=1e-2), vit_processor),
    "dinov2": (Dinov2ForImageClassification, Dinov2Config(**COMMON, **DINOV2), dinov2_processor),
    "dinov2-registers": (
        Dinov2WithRegistersForImageClassification,
        Dinov2WithRegistersConfig(**COMMON, **DINOV2, num_register_tokens=4), dinov2_processor),
}


@torch.no_grad()
def make(form: str, seed: int) -> None:
    model_class, config, processor = FORMS[form]
    folder = GOLDENS / "huggingface" / form
    shutil.rmtree(folder, ignore_errors=True)
    model = model_class(config).eval()
    randomize(model, seed)
    model.save_pretrained(folder)
    processor(config.image_size).save_pretrained(folder)

    # From the folder, so that the golden proves what was written.
    model = model_class.from_pretrained(folder).eval().double()
    images = random_images(2, (config.image_size, config.image_size), seed)
    base = model.base_model
    outputs = base(images.double(), output_hidden_states=True)
    blocks = {f"block.{index}": state for index, state in enumerate(outputs.hidden_states[1:])}
    write(
        folder / "golden.safetensors",
        {"images": images, "embedded": outputs.hidden_states[0], **blocks, "features": outputs.last_hidden_state,
         "class_token": outputs.last_hidden_state[:, 0], "logits": model(images.double()).logits},
        seed, form=form, model_class=model_class.__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for form in FORMS:
        make(form, arguments.seed)


if __name__ == "__main__":
    main()
