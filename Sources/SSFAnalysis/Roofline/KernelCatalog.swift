import SSFKernels

/// The kernels that the report measures, at the shapes of a ViT-B/16 at 224 pixels and batch 16 where nothing else is
/// said: 3152 rows of 768 channels, 12 heads of width 64, 197 tokens.
public enum KernelCatalog {
    /// Every case that this build can measure.
    public static let all: [KernelCase] = {
        let rows = 16 * 197
        return [
            linear("qkv", m: rows, n: 2304, k: 768),
            linear("proj", m: rows, n: 768, k: 768),
            linear("fc1", m: rows, n: 3072, k: 768),
            linear("fc2", m: rows, n: 768, k: 3072),
            linear("one-image", m: 197, n: 768, k: 768),
            linear("tiny", m: 17 * 64, n: 768, k: 192),
            linear("head", m: 16, n: 1000, k: 768, isStreaming: true),
            weightGradient("dW", m: rows, n: 3072, k: 768),
            linear("qkv", m: rows, n: 2304, k: 768, precision: .bfloat16),
            linear("fc1", m: rows, n: 3072, k: 768, precision: .bfloat16),
            linear("fc2", m: rows, n: 768, k: 3072, precision: .bfloat16),
            linear("one-image", m: 197, n: 768, k: 768, precision: .bfloat16),
            layerNormForward(rows: rows, channels: 768),
            layerNormBackward(rows: rows, channels: 768),
            softmaxForward(rows: 192 * 197, columns: 197),
            softmaxBackward(rows: 192 * 197, columns: 197),
            geluForward(rows: rows, channels: 3072),
            geluBackward(rows: rows, channels: 3072),
            attentionForward(batch: 16, tokens: 197, heads: 12, headWidth: 64),
            attentionBackward(batch: 16, tokens: 197, heads: 12, headWidth: 64),
            adamW(count: 12 * 768 * 768),
            sgd(count: 12 * 768 * 768),
        ]
    }()

    /// The cases whose names a pattern matches: a part of the name, or the whole with `*` for any letters.
    public static func matching(_ pattern: String) -> [KernelCase] {
        let wanted = pattern.lowercased()
        return all.filter { matches($0.name, wanted) }
    }

    package static func matches(_ name: String, _ pattern: String) -> Bool {
        guard pattern.contains("*") else { return name.contains(pattern) }
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard name.hasPrefix(parts[0]) else { return false }
        var rest = name.dropFirst(parts[0].count)
        for (index, part) in parts.enumerated().dropFirst() {
            if index == parts.count - 1 { return rest.hasSuffix(part) }
            guard !part.isEmpty else { continue }
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return false
    }
}
