import SSFTensors

/// Weights in formats that are not read here, and the command that converts each.
enum ForeignFormat {
    /// The error for a file, from its name's ending; `nil` where the name does not speak against it.
    static func refusal(of path: String) -> UserError? {
        let name = split(path).name.lowercased()
        let (folder, _) = split(path)
        let target = join(folder, "model.safetensors")
        if [".bin", ".pth", ".pt", ".ckpt", ".tar"].contains(where: name.hasSuffix) {
            return UserError(
                "\(path): a pickled PyTorch file is not read here, because reading one can run code",
                expected: "a .safetensors file",
                remedy: "convert it:\n" + pickleCommand(path, to: target))
        }
        if name.hasSuffix(".npz") {
            return UserError(
                "\(path): a .npz checkpoint is not read here", expected: "a .safetensors file",
                remedy: "convert it, with the architecture's name put in:\n" + npzCommand(path, to: target))
        }
        if [".h5", ".msgpack", ".onnx", ".tflite", ".ot", ".gguf"].contains(where: name.hasSuffix) {
            return UserError(
                "\(path): weights of this format are not read here", expected: "a .safetensors file",
                remedy: "take the model's safetensors file instead")
        }
        return nil
    }

    /// Unwraps the nestings that training programs put around a state dict.
    private static func pickleCommand(_ path: String, to target: String) -> String {
        """
        pip install torch safetensors
        python3 - <<'END'
        import torch, safetensors.torch
        state = torch.load(\(pythonQuoted(path)), map_location="cpu", weights_only=True)
        for key in ("state_dict_ema", "state_dict", "model", "teacher"):
            state = state[key] if isinstance(state.get(key), dict) else state
        state = {name: value.contiguous().clone() for name, value in state.items() if hasattr(value, "contiguous")}
        safetensors.torch.save_file(state, \(pythonQuoted(target)), metadata={"format": "pt"})
        END
        """
    }

    private static func npzCommand(_ path: String, to target: String) -> String {
        """
        pip install timm safetensors
        python3 - <<'END'
        import timm, safetensors.torch
        model = timm.create_model("vit_base_patch16_224", num_classes=21843, checkpoint_path=\(pythonQuoted(path)))
        safetensors.torch.save_file(model.state_dict(), \(pythonQuoted(target)), metadata={"format": "pt"})
        END
        """
    }

    private static func pythonQuoted(_ text: String) -> String { JSONValue.string(text).text }
}
