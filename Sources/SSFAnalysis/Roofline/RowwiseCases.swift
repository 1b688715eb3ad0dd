import SSFKernels

/// Kernels that look at rows or at single elements: they do little with each number, so that memory limits them.
extension KernelCatalog {
    /// y = LayerNorm(x), scaled and shifted; x, y [rows, channels].
    ///
    /// Eight operations per element: the mean, the squared differences, the normalisation, scale and shift.
    package static func layerNormForward(rows: Int, channels: Int) -> KernelCase {
        let count = rows * channels
        return KernelCase(
            name: "layernorm.forward", family: .layernorm, label: "LayerNorm", shape: "[\(rows), \(channels)]",
            precision: .float32, flops: 8 * count, bytes: 4 * (2 * count + 2 * channels + 2 * rows), isStreaming: true,
            prepare: { memory in
                let (x, y) = (memory.floats(count), memory.floats(count))
                let (weight, bias) = (memory.floats(channels), memory.floats(channels))
                let (mean, deviation) = (memory.floats(rows), memory.floats(rows))
                return {
                    LayerNorm.forward(
                        rows: rows, channels: channels, x: x, weight: weight, bias: bias, epsilon: 1e-6, y: y,
                        mean: mean, reciprocalDeviation: deviation)
                }
            })
    }

    /// dx from dy and x, and the gradients of scale and shift.
    ///
    /// Thirteen operations per element: the normalised x (2), dy times scale (1), its two sums over the row (3), dx (4),
    /// the two sums over the column (3). The sums over columns are read and written.
    package static func layerNormBackward(rows: Int, channels: Int) -> KernelCase {
        let count = rows * channels
        return KernelCase(
            name: "layernorm.backward", family: .layernorm, label: "LayerNorm backward",
            shape: "[\(rows), \(channels)]", precision: .float32, flops: 13 * count,
            bytes: 4 * (3 * count + 5 * channels + 2 * rows), isStreaming: true,
            prepare: { memory in
                let (x, y, dy, dx) = (
                    memory.floats(count), memory.floats(count), memory.floats(count), memory.floats(count)
                )
                let weight = memory.floats(channels)
                let (dWeight, dBias) = (memory.floats(channels), memory.floats(channels))
                let (mean, deviation) = (memory.floats(rows), memory.floats(rows))
                let workspace = memory.workspace
                LayerNorm.forward(
                    rows: rows, channels: channels, x: x, weight: weight, bias: nil, epsilon: 1e-6, y: y, mean: mean,
                    reciprocalDeviation: deviation)
                return {
                    LayerNorm.backward(
                        rows: rows, channels: channels, dy: dy, x: x, mean: mean, reciprocalDeviation: deviation,
                        weight: weight, dx: dx, accumulate: false, dWeight: dWeight, dBias: dBias,
                        workspace: workspace)
                }
            })
    }

    /// The softmax of every row. Fourteen operations per element: the greatest, the difference, the exponential (10),
    /// the sum, the quotient.
    package static func softmaxForward(rows: Int, columns: Int) -> KernelCase {
        let count = rows * columns
        return KernelCase(
            name: "softmax.forward", family: .softmax, label: "softmax", shape: "[\(rows), \(columns)]",
            precision: .float32, flops: 14 * count, bytes: 4 * 2 * count, isStreaming: true,
            prepare: { memory in
                let (x, y) = (memory.floats(count), memory.floats(count))
                return { Softmax.forward(rows: rows, columns: columns, x: x, y: y) }
            })
    }

    /// dx = y (dy - sum of dy y). Four operations per element.
    package static func softmaxBackward(rows: Int, columns: Int) -> KernelCase {
        let count = rows * columns
        return KernelCase(
            name: "softmax.backward", family: .softmax, label: "softmax backward", shape: "[\(rows), \(columns)]",
            precision: .float32, flops: 4 * count, bytes: 4 * 3 * count, isStreaming: true,
            prepare: { memory in
                let (dy, y, dx) = (memory.floats(count), memory.floats(count), memory.floats(count))
                return { Softmax.backward(rows: rows, columns: columns, dy: dy, y: y, dx: dx) }
            })
    }

    /// The exact GELU. Twenty operations per element: an exponential (10), the rational part of erf, the product.
    package static func geluForward(rows: Int, channels: Int) -> KernelCase {
        let count = rows * channels
        return KernelCase(
            name: "gelu.forward", family: .gelu, label: "GELU", shape: "[\(rows), \(channels)]", precision: .float32,
            flops: 20 * count, bytes: 4 * 2 * count, isStreaming: true,
            prepare: { memory in
                let (x, y) = (memory.floats(count), memory.floats(count))
                return { GELU.forward(count: count, x: x, y: y) }
            })
    }

    /// Its gradient. Twenty-three operations per element: those of forward, the density times x, the sum, the product.
    package static func geluBackward(rows: Int, channels: Int) -> KernelCase {
        let count = rows * channels
        return KernelCase(
            name: "gelu.backward", family: .gelu, label: "GELU backward", shape: "[\(rows), \(channels)]",
            precision: .float32, flops: 23 * count, bytes: 4 * 3 * count, isStreaming: true,
            prepare: { memory in
                let (dy, x, dx) = (memory.floats(count), memory.floats(count), memory.floats(count))
                return { GELU.backward(count: count, dy: dy, x: x, dx: dx) }
            })
    }

    /// One step on the parameters of a block: gradients are read, parameters and both moments read and written.
    ///
    /// Fifteen operations per parameter: the gradient's factor (1), the moments (3 and 4), decay (1), the root and its
    /// correction (2), epsilon (1), the quotient (1), the step (2).
    package static func adamW(count: Int) -> KernelCase {
        KernelCase(
            name: "adamw", family: .optimizer, label: "AdamW", shape: "[\(count)]", precision: .float32,
            flops: 15 * count, bytes: 4 * 7 * count, isStreaming: true,
            prepare: { memory in
                let (parameters, gradients) = (memory.floats(count), memory.floats(count))
                let (first, second) = (memory.floats(count), memory.floats(count))
                // Squares: their mean is never negative.
                for i in 0..<count { second[i] *= second[i] }
                return {
                    AdamW.step(
                        count: count, parameters: parameters, gradients: gradients, firstMoment: first,
                        secondMoment: second, learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                        weightDecay: 0.05, step: 10)
                }
            })
    }

    /// A step of gradient descent with momentum, which reads three arrays of numbers and writes two.
    ///
    /// Nine operations per parameter: the gradient's factor (1), decay (2), the buffer (2), the direction (2), the step (2).
    package static func sgd(count: Int) -> KernelCase {
        KernelCase(
            name: "sgd", family: .optimizer, label: "SGD", shape: "[\(count)]", precision: .float32,
            flops: 9 * count, bytes: 4 * 5 * count, isStreaming: true,
            prepare: { memory in
                let (parameters, gradients) = (memory.floats(count), memory.floats(count))
                let buffer = memory.floats(count)
                return {
                    SGD.step(
                        count: count, parameters: parameters, gradients: gradients, buffer: buffer, learningRate: 1e-3,
                        momentum: 0.9, isNesterov: true, weightDecay: 0.05)
                }
            })
    }
}
