package enum LayerNorm {
    package static func forward(
        rows: Int, channels: Int, x: UnsafePointer<Float>, weight: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
        epsilon: Float, y: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
        reciprocalDeviation: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        let r = Reference.layerNorm(
            rows: rows, channels: channels, x: doubles(x, rows * channels), weight: doubles(weight, channels),
            bias: doubles(bias, channels), epsilon: Double(epsilon))
        store(r.y, y)
        store(r.mean, mean)
        store(r.reciprocalDeviation, reciprocalDeviation)
    }

    package static func backward(
        rows: Int, channels: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, mean: UnsafePointer<Float>,
        reciprocalDeviation: UnsafePointer<Float>, weight: UnsafePointer<Float>?, dx: UnsafeMutablePointer<Float>?,
        accumulate: Bool, dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?,
        workspace: Workspace, table: KernelTable = .current
    ) {
        let r = Reference.layerNormBackward(
            rows: rows, channels: channels, dy: doubles(dy, rows * channels), x: doubles(x, rows * channels),
            mean: doubles(mean, rows), reciprocalDeviation: doubles(reciprocalDeviation, rows),
            weight: doubles(weight, channels))
        store(r.dx, dx, adding: accumulate)
        store(r.dWeight, dWeight, adding: true)
        store(r.dBias, dBias, adding: true)
    }
}
