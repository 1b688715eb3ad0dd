#!/usr/bin/env python3
"""Goldens of image decoding, resizing and cropping: Tests/Goldens/images.

Small PNG and JPEG files of every kind, and in `expected.safetensors` (uint8, [height, width, 3]) what Pillow makes of
them with `convert("RGB")`: `decode.<file>`. The exceptions are 16-bit files, where Pillow cuts the low byte off and
the expected value is the rounded one, and `upright.<file>`, which is Pillow's `exif_transpose`.
`resize.<filter>.<width>x<height>` are resizes of source.png, `crop.<filter>` one of a part of it,
`eval.<mode>.<fraction>.<width>x<height>` timm's evaluation transforms of it, and `normalized` (float32) the tensor of
one of these.
"""

import ctypes
import ctypes.util
import io
import json
import struct
import zlib

import numpy as np
import PIL
import safetensors.numpy
import timm
import torch
import torchvision
from PIL import Image, ImageOps, PngImagePlugin, features
from timm.data.transforms_factory import transforms_imagenet_eval

from common import GOLDENS

SEED = 0
FOLDER = GOLDENS / "images"


def picture(width: int, height: int, channels: int = 3, seed: int = SEED) -> np.ndarray:
    """Gradients, hard edges and noise, uint8."""
    random = np.random.default_rng([seed, width, height, channels])
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([127 + 120 * np.sin((c + 1) * x / 9 + y / (5 + 3 * c)) for c in range(channels)], axis=-1)
    image[(x // 8 + y // 6) % 3 == 0] *= 0.3
    image += 12 * random.standard_normal(image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def png16(samples: np.ndarray, color_type: int) -> bytes:
    """A 16-bit PNG, which Pillow cannot write in colour."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
            + chunk(b"IEND", b""))


def ycck(samples: np.ndarray) -> bytes:
    """A YCCK JPEG with Adobe's marker, as Photoshop writes them; only TurboJPEG's own interface makes one."""
    library = ctypes.CDLL(ctypes.util.find_library("turbojpeg") or "libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = library.tjInitCompress()
    buffer, size = ctypes.c_void_p(), ctypes.c_ulong()
    height, width = samples.shape[:2]
    data = np.ascontiguousarray(samples).tobytes()
    pixel_format_cmyk, subsampling_444 = 11, 0
    failed = library.tjCompress2(ctypes.c_void_p(handle), data, width, 0, height, pixel_format_cmyk,
                                 ctypes.byref(buffer), ctypes.byref(size), subsampling_444, 90, 0)
    assert not failed
    return ctypes.string_at(buffer, size.value)


def files() -> dict[str, bytes]:
    """Every file by name."""
    result = {}

    def save(name: str, image: Image.Image, **options) -> None:
        stream = io.BytesIO()
        image.save(stream, "PNG" if name.endswith(".png") else "JPEG", **options)
        result[name] = stream.getvalue()

    rgb = Image.fromarray(picture(37, 29))
    save("source.png", Image.fromarray(picture(61, 47)), optimize=True)
    save("rgb.png", rgb)
    save("grey.png", rgb.convert("L"))
    save("grey1.png", rgb.convert("L").point(lambda v: 255 * (v > 100)).convert("1"))
    for bits in (2, 4):
        grey = (np.asarray(rgb.convert("L")) >> (8 - bits)).astype(np.uint8)
        rows = b"".join(
            b"\0" + np.packbits(np.unpackbits(row[:, None], axis=1)[:, -bits:].reshape(-1)).tobytes() for row in grey)
        raw = png16(np.zeros((29, 37), np.uint16), 0)
        header = struct.pack(">IIBBBBB", 37, 29, bits, 0, 0, 0, 0)

        def chunk(kind: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        result[f"grey{bits}.png"] = (raw[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
                                     + chunk(b"IEND", b""))
    save("palette.png", rgb.quantize(17))
    save("palette-transparent.png", rgb.quantize(17), transparency=bytes(range(0, 255, 15)))
    save("rgb-transparent.png", rgb, transparency=tuple(np.asarray(rgb)[3, 4].tolist()))
    save("alpha.png", Image.fromarray(picture(37, 29, 4)))
    save("grey-alpha.png", Image.fromarray(picture(37, 29, 2), "LA"))
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", struct.pack(">I", 100000))
    chunks.add_text("comment", "linear light, says the file; nobody listens")
    save("gamma.png", rgb, pnginfo=chunks)
    random = np.random.default_rng(SEED)
    for name, channels, color_type in (("grey16", 1, 0), ("rgb16", 3, 2), ("alpha16", 4, 6)):
        wide = picture(19, 17, channels).astype(np.uint16) * 256 + random.integers(0, 256, (17, 19, channels))
        result[f"{name}.png"] = png16(wide.astype(np.uint16), color_type)

    save("444.jpg", rgb, quality=90, subsampling=0)
    save("422.jpg", rgb, quality=90, subsampling=1)
    save("420.jpg", rgb, quality=75, subsampling=2)
    save("progressive.jpg", rgb, quality=80, progressive=True)
    save("grey.jpg", rgb.convert("L"), quality=90)
    save("cmyk.jpg", Image.fromarray(picture(37, 29, 4), "CMYK"), quality=90)
    result["ycck.jpg"] = ycck(picture(37, 29, 4))
    small = Image.fromarray(picture(13, 7))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation{orientation}.jpg", small, exif=exif, quality=85)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("orientation6.png", small, exif=exif)
    return result


def wide_to_bytes(data: bytes, channels: int) -> np.ndarray:
    """The samples of a file that `png16` made, scaled to 8 bits and rounded."""
    width, height = struct.unpack(">II", data[16:24])
    length = struct.unpack(">I", data[33:37])[0]
    rows = np.frombuffer(zlib.decompress(data[41:41 + length]), np.uint8).reshape(height, -1)[:, 1:]
    wide = np.ascontiguousarray(rows).view(">u2").reshape(height, width, channels).astype(np.int64)
    scaled = ((wide * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(scaled, 3, axis=-1) if channels == 1 else scaled[..., :3]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = files()
    expected = {}
    for name, data in made.items():
        (FOLDER / name).write_bytes(data)
        image = Image.open(io.BytesIO(data))
        wide = {"grey16.png": 1, "rgb16.png": 3, "alpha16.png": 4}.get(name)
        expected[f"decode.{name}"] = wide_to_bytes(data, wide) if wide else np.asarray(image.convert("RGB"))
        if name.startswith("orientation"):
            expected[f"upright.{name}"] = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))

    source = Image.open(io.BytesIO(made["source.png"])).convert("RGB")
    filters = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}
    for name, method in filters.items():
        for size in ((32, 32), (20, 15), (80, 66), (61, 20), (90, 47), (5, 100), (1, 1), (61, 47)):
            expected[f"resize.{name}.{size[0]}x{size[1]}"] = np.asarray(source.resize(size, method))
        expected[f"crop.{name}"] = np.asarray(source.crop((7, 5, 7 + 40, 5 + 33)).resize((24, 28), method))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for mode, fraction, (width, height) in (("center", 0.9, (32, 32)), ("center", 0.875, (33, 33)),
                                            ("center", 1.0, (40, 40)), ("center", 1.25, (32, 32)),
                                            ("center", 0.9, (24, 36)), ("squash", 0.9, (32, 32))):
        options = dict(img_size=(height, width), crop_pct=fraction, crop_mode=mode, interpolation="bicubic")
        image = transforms_imagenet_eval(normalize=False, **options)(source)
        expected[f"eval.{mode}.{fraction}.{width}x{height}"] = np.asarray(image).transpose(1, 2, 0)
        if mode == "center" and fraction == 0.875:
            image = transforms_imagenet_eval(mean=mean, std=std, **options)(source)
            expected["normalized"] = image.numpy()

    details = {"script": "tools/goldens/images.py", "seed": SEED, "versions": {
        "pillow": PIL.__version__, "libjpeg-turbo": features.version("libjpeg_turbo"), "timm": timm.__version__,
        "torch": torch.__version__, "torchvision": torchvision.__version__, "numpy": np.__version__}}
    path = FOLDER / "expected.safetensors"
    safetensors.numpy.save_file({name: np.ascontiguousarray(value) for name, value in expected.items()},
                                path, metadata={"golden": json.dumps(details, sort_keys=True)})
    path.chmod(0o644)


if __name__ == "__main__":
    main()
