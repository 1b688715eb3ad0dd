#!/usr/bin/env python3
"""Goldens of feature similarity and of features: Tests/Goldens/similarity/.

measures.safetensors: numpy in float64, by the definitions with n x n matrices and centring matrices written out
    reference, other, wider   features [45, 3, 24], [45, 3, 24], [45, 2, 40]: images, layers, channels; every channel has
                              a mean that is large beside what varies
    cosine                    [3]: mean over images, layer by layer, of reference and other
    biased.<m>, unbiased.<m>, minibatch.<m>
                              [3, layers of m] for m in other, wider: linear CKA of every pair of layers; minibatch:
                              the unbiased HSIC of batches of 8 images in their order, each weighted by its images, the
                              last one of 5
    sample [20] (int32) with biased.sample, unbiased.sample [2]: CKA of the last layers of reference with other and with
                              wider over these images alone

images/<class>/<n>.png, features.safetensors: timm's model in vit/vit on four drawn images of 16 x 16 pixels, float64
    block.<i>                 [4, 17, 24]: tokens after block i, images in the order a/0, a/1, b/0, b/1
    norm                      [4, 17, 24]: after the last norm
    logits                    [4, 5]
"""

import argparse

import numpy as np
import timm
import torch
from PIL import Image

from common import GOLDENS, generator, write


def gram(x: np.ndarray) -> np.ndarray:
    return x @ x.T


def biased_hsic(k: np.ndarray, l: np.ndarray) -> float:
    n = len(k)
    h = np.eye(n) - np.ones((n, n)) / n
    return np.trace(k @ h @ l @ h) / (n - 1) ** 2


def unbiased_hsic(k: np.ndarray, l: np.ndarray) -> float:
    n = len(k)
    k = k - np.diag(np.diag(k))
    l = l - np.diag(np.diag(l))
    one = np.ones(n)
    total = np.trace(k @ l)
    total += (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    total -= 2 / (n - 2) * (one @ k @ l @ one)
    return total / (n * (n - 3))


def cka(hsic, x: np.ndarray, y: np.ndarray) -> float:
    k, l = gram(x), gram(y)
    return hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))


def minibatch_hsic(size: int):
    """The average over batches; takes the features, for a batch has a Gram matrix of its own."""

    def estimate(x: np.ndarray, y: np.ndarray) -> float:
        total = 0.0
        for first in range(0, len(x), size):
            a, b = x[first : first + size], y[first : first + size]
            total += len(a) * unbiased_hsic(gram(a), gram(b))
        return total / len(x)

    return estimate


def minibatch_cka(x: np.ndarray, y: np.ndarray, size: int) -> float:
    hsic = minibatch_hsic(size)
    return hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))


def features(seed: int) -> dict:
    """Layers that share more and more of one hidden signal, and noise."""
    count = 45
    signal = generator(seed, "signal").standard_normal((count, 12))

    def layers(name: str, depth: int, width: int) -> np.ndarray:
        result = np.empty((count, depth, width))
        for layer in range(depth):
            stream = generator(seed, f"{name} {layer}")
            mixed = signal @ stream.standard_normal((12, width)) / np.sqrt(12)
            noise = stream.standard_normal((count, width))
            result[:, layer] = (layer + 1) / depth * mixed + 0.5 * noise + 20 * stream.standard_normal(width)
        return result.astype(np.float32)

    return {"reference": layers("reference", 3, 24), "other": layers("other", 3, 24), "wider": layers("wider", 2, 40)}


def measures(seed: int) -> None:
    tensors = features(seed)
    exact = {name: values.astype(np.float64) for name, values in tensors.items()}
    reference = exact["reference"]
    a, b = reference, exact["other"]
    cosines = (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    tensors["cosine"] = cosines.mean(0)

    def table(name: str, measure) -> np.ndarray:
        other = exact[name]
        return np.array(
            [[measure(reference[:, i], other[:, j]) for j in range(other.shape[1])] for i in range(reference.shape[1])]
        )

    sample = np.sort(generator(seed, "sample").permutation(len(reference))[:20])
    tensors["sample"] = sample.astype(np.int32)
    for name in ["other", "wider"]:
        tensors[f"biased.{name}"] = table(name, lambda x, y: cka(biased_hsic, x, y))
        tensors[f"unbiased.{name}"] = table(name, lambda x, y: cka(unbiased_hsic, x, y))
        tensors[f"minibatch.{name}"] = table(name, lambda x, y: minibatch_cka(x, y, 8))
    for name, hsic in [("biased", biased_hsic), ("unbiased", unbiased_hsic)]:
        tensors[f"{name}.sample"] = np.array(
            [cka(hsic, reference[sample, -1], exact[other][sample, -1]) for other in ["other", "wider"]]
        )
    write(GOLDENS / "similarity" / "measures.safetensors", tensors, seed)


@torch.no_grad()
def model_features(seed: int) -> None:
    folder = GOLDENS / "similarity" / "images"
    pixels = []
    for name in ["a/0", "a/1", "b/0", "b/1"]:
        image = generator(seed, name).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        pixels.append(torch.from_numpy(image).permute(2, 0, 1).double() / 255)
    model = timm.create_model(f"local-dir:{GOLDENS / 'vit' / 'vit'}", pretrained=True).double().eval()
    tensors = {}
    for index, block in enumerate(model.blocks):
        block.register_forward_hook(lambda _, __, y, name=f"block.{index}": tensors.update({name: y.clone()}))
    model.norm.register_forward_hook(lambda _, __, y: tensors.update(norm=y.clone()))
    tensors["logits"] = model((torch.stack(pixels) - 0.5) / 0.5)
    write(GOLDENS / "similarity" / "features.safetensors", tensors, seed, model="vit/vit", mean=0.5, std=0.5)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=0)
    seed = arguments.parse_args().seed
    measures(seed)
    model_features(seed)
