#!/usr/bin/env python3
"""Goldens of single layers by PyTorch, forward and backward: Tests/Goldens/layers/<layer>.safetensors.

All in float64. In each, `d<name>` is the gradient of sum(dy * y) for the given `dy`.

    layernorm         x dy [5, 37], weight bias [37]; y dx dweight dbias; eps 1e-6 (metadata)
    gelu              x dy [4, 33], x from -8 to 8 with 0 among them; y dx; exact, by erf
    softmax           x dy [6, 29]; y dx; rows of large and of equal values among them
    attention         qkv [2, 7, 3, 2, 12] (batch, token, q|k|v, head, width), dy [2, 7, 24]; y dqkv and
                      log_sum_exp [2, 2, 7] (batch, head, token) of the scaled scores; scale 12^-1/2
    crossentropy      logits [6, 5], labels [6]; for smoothing 0 and 0.1 (timm's LabelSmoothingCrossEntropy)
                      losses.<s> [6] and dlogits.<s> [6, 5], the gradient of the mean loss; and targets [6, 5] with
                      losses.soft and dlogits.soft (timm's SoftTargetCrossEntropy)
    adamw             parameters [37], gradients [5, 37]; parameters.<decay>.<step>, first.<step> and second.<step>
                      after steps 1..5 at rate 0.01, (0.9, 0.999, 1e-8), decay 0 and 0.05
    sgd               parameters [37], gradients [5, 37]; parameters.<form>.<decay>.<step> and buffer.<form>.<decay>.<step>
                      after steps 1..5 at rate 0.1, momentum 0.9, decay 0 and 0.05, form nesterov and classical
"""

import argparse

import numpy as np
import torch
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy
from torch.nn import functional

from common import GOLDENS, generator, write


def normal(name: str, *shape: int, seed: int) -> np.ndarray:
    return generator(seed, name).standard_normal(shape).astype(np.float32)


def differentiate(inputs: dict, dy: np.ndarray, function) -> dict:
    """The inputs, dy, y = function(inputs) and the gradient of every input."""
    leaves = {name: torch.from_numpy(value).double().requires_grad_() for name, value in inputs.items()}
    y = function(**leaves)
    y.backward(torch.from_numpy(dy).double())
    return {**inputs, "dy": dy, "y": y, **{f"d{name}": leaf.grad for name, leaf in leaves.items()}}


def layernorm(seed: int) -> tuple:
    inputs = {"x": 3 + 2 * normal("layernorm x", 5, 37, seed=seed),
              "weight": 1 + 0.3 * normal("layernorm weight", 37, seed=seed),
              "bias": 0.3 * normal("layernorm bias", 37, seed=seed)}
    dy = normal("layernorm dy", 5, 37, seed=seed)
    return differentiate(inputs, dy, lambda x, weight, bias: functional.layer_norm(x, (37,), weight, bias, 1e-6)), \
        {"eps": 1e-6}


def gelu(seed: int) -> tuple:
    x = np.linspace(-8, 8, 4 * 33, dtype=np.float32).reshape(4, 33)
    x.flat[::13] = normal("gelu x", len(x.flat[::13]), seed=seed)
    x[0, 1] = 0
    return differentiate({"x": x}, normal("gelu dy", 4, 33, seed=seed), lambda x: functional.gelu(x)), {}


def softmax(seed: int) -> tuple:
    x = 3 * normal("softmax x", 6, 29, seed=seed)
    x[1] = 0.5
    x[2] += 80
    x[3, 4] = 60
    return differentiate({"x": x}, normal("softmax dy", 6, 29, seed=seed), lambda x: x.softmax(-1)), {}


def attention(seed: int) -> tuple:
    batch, tokens, heads, width = 2, 7, 2, 12
    qkv = 1.5 * normal("attention qkv", batch, tokens, 3, heads, width, seed=seed)
    dy = normal("attention dy", batch, tokens, heads * width, seed=seed)

    def scores(qkv):
        q, k, _ = qkv.permute(2, 0, 3, 1, 4)
        return q @ k.transpose(-1, -2) * width**-0.5

    def run(qkv):
        mixed = scores(qkv).softmax(-1) @ qkv.permute(2, 0, 3, 1, 4)[2]
        return mixed.transpose(1, 2).reshape(batch, tokens, heads * width)

    found = differentiate({"qkv": qkv}, dy, run)
    found["log_sum_exp"] = scores(torch.from_numpy(qkv).double()).logsumexp(-1)
    return found, {"scale": width**-0.5}


def crossentropy(seed: int) -> tuple:
    logits = 2 * normal("crossentropy logits", 6, 5, seed=seed)
    labels = generator(seed, "crossentropy labels").integers(0, 5, 6)
    targets = generator(seed, "crossentropy targets").dirichlet(np.ones(5), 6).astype(np.float32)
    found = {"logits": logits, "labels": labels, "targets": targets}
    exact = torch.from_numpy(targets).double()
    classes = torch.from_numpy(labels)
    for name, loss, target in (
            ("0", torch.nn.CrossEntropyLoss(), classes),
            ("0.1", LabelSmoothingCrossEntropy(smoothing=0.1), classes),
            ("soft", SoftTargetCrossEntropy(), exact)):
        leaf = torch.from_numpy(logits).double().requires_grad_()
        loss(leaf, target).backward()
        rows = [loss(leaf[i : i + 1], target[i : i + 1]).item() for i in range(len(leaf))]
        found |= {f"losses.{name}": np.array(rows), f"dlogits.{name}": leaf.grad}
    return found, {}


def adamw(seed: int) -> tuple:
    start = normal("adamw parameters", 37, seed=seed)
    gradients = 0.1 * normal("adamw gradients", 5, 37, seed=seed)
    found = {"parameters": start, "gradients": gradients}
    for decay in (0.0, 0.05):
        parameter = torch.nn.Parameter(torch.from_numpy(start).double())
        optimizer = torch.optim.AdamW([parameter], lr=0.01, weight_decay=decay)
        for step, gradient in enumerate(gradients, start=1):
            parameter.grad = torch.from_numpy(gradient).double()
            optimizer.step()
            state = optimizer.state[parameter]
            found |= {f"parameters.{decay:g}.{step}": parameter.detach().clone(),
                      f"first.{step}": state["exp_avg"].clone(), f"second.{step}": state["exp_avg_sq"].clone()}
    return found, {"learning_rate": 0.01, "betas": [0.9, 0.999], "eps": 1e-8}


def sgd(seed: int) -> tuple:
    start = normal("sgd parameters", 37, seed=seed)
    gradients = normal("sgd gradients", 5, 37, seed=seed)
    found = {"parameters": start, "gradients": gradients}
    for form in ("nesterov", "classical"):
        for decay in (0.0, 0.05):
            parameter = torch.nn.Parameter(torch.from_numpy(start).double())
            optimizer = torch.optim.SGD(
                [parameter], lr=0.1, momentum=0.9, weight_decay=decay, nesterov=form == "nesterov")
            for step, gradient in enumerate(gradients, start=1):
                parameter.grad = torch.from_numpy(gradient).double()
                optimizer.step()
                found |= {f"parameters.{form}.{decay:g}.{step}": parameter.detach().clone(),
                          f"buffer.{form}.{decay:g}.{step}": optimizer.state[parameter]["momentum_buffer"].clone()}
    return found, {"learning_rate": 0.1, "momentum": 0.9}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    for layer in (layernorm, gelu, softmax, attention, crossentropy, adamw, sgd):
        tensors, details = layer(seed)
        write(GOLDENS / "layers" / f"{layer.__name__}.safetensors", tensors, seed, **details)


if __name__ == "__main__":
    main()
