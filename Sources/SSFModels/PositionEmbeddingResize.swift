import SSFTensors

/// How a grid of position embeddings becomes one of another size.
public enum PositionEmbeddingResize: String, Sendable, CaseIterable {
    /// Bicubic with antialias (a = -0.5), as timm since 0.8 (`resample_abs_pos_embed`).
    case timm
    /// Bicubic without antialias (a = -0.75, edges repeated), as timm 0.6.5 and the SSF reference.
    case reference

    /// Resizes `[rows, columns, channels]` values; sums in double precision.
    ///
    /// - Source: `torch.nn.functional.interpolate(mode="bicubic", align_corners=False)`, `antialias` by case.
    func resize(
        _ grid: [Float], rows: Int, columns: Int, channels: Int, toRows newRows: Int, toColumns newColumns: Int
    ) -> [Float] {
        let across = taps(from: columns, to: newColumns)
        let down = taps(from: rows, to: newRows)
        var wide = [Double](repeating: 0, count: rows * newColumns * channels)
        for y in 0..<rows {
            for x in 0..<newColumns {
                for (source, weight) in across[x] {
                    for c in 0..<channels {
                        wide[(y * newColumns + x) * channels + c] +=
                            weight * Double(grid[(y * columns + source) * channels + c])
                    }
                }
            }
        }
        var result = [Float](repeating: 0, count: newRows * newColumns * channels)
        for y in 0..<newRows {
            for x in 0..<newColumns {
                for c in 0..<channels {
                    var sum = 0.0
                    for (source, weight) in down[y] { sum += weight * wide[(source * newColumns + x) * channels + c] }
                    result[(y * newColumns + x) * channels + c] = Float(sum)
                }
            }
        }
        return result
    }

    /// For each new position, the old positions it reads and their weights.
    private func taps(from old: Int, to new: Int) -> [[(Int, Double)]] {
        let scale = Double(old) / Double(new)
        return (0..<new).map { position in
            switch self {
            case .timm:
                let support = 2 * max(scale, 1)
                let center = scale * (Double(position) + 0.5)
                let first = max(Int(center - support + 0.5), 0)
                let end = min(Int(center + support + 0.5), old)
                let weights = (first..<end).map {
                    Self.cubic((Double($0) - center + 0.5) / max(scale, 1), a: -0.5)
                }
                let total = weights.reduce(0, +)
                return zip(first..<end, weights).map { ($0, $1 / total) }
            case .reference:
                let center = scale * (Double(position) + 0.5) - 0.5
                let base = center.rounded(.down)
                return (-1...2).map { offset in
                    let source = min(max(Int(base) + offset, 0), old - 1)
                    return (source, Self.cubic(center - base - Double(offset), a: -0.75))
                }
            }
        }
    }

    /// Keys' cubic convolution kernel.
    private static func cubic(_ x: Double, a: Double) -> Double {
        let x = abs(x)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }
}
