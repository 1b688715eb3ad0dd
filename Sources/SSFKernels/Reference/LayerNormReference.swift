extension Reference {
    /// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias` for every row, variance without Bessel's correction.
    package static func layerNorm(
        rows: Int, channels: Int, x: [Double], weight: [Double]?, bias: [Double]?, epsilon: Double
    ) -> (y: [Double], mean: [Double], reciprocalDeviation: [Double]) {
        var y = x
        var means: [Double] = []
        var reciprocals: [Double] = []
        for row in 0..<rows {
            let values = x[row * channels..<(row + 1) * channels]
            let mean = values.reduce(0, +) / Double(channels)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
            let reciprocal = 1 / (variance + epsilon).squareRoot()
            for channel in 0..<channels {
                let normal = (x[row * channels + channel] - mean) * reciprocal
                y[row * channels + channel] = normal * (weight?[channel] ?? 1) + (bias?[channel] ?? 0)
            }
            means.append(mean)
            reciprocals.append(reciprocal)
        }
        return (y, means, reciprocals)
    }

    /// The gradients of ``layerNorm(rows:channels:x:weight:bias:epsilon:)`` with respect to x, weight and bias.
    package static func layerNormBackward(
        rows: Int, channels: Int, dy: [Double], x: [Double], mean: [Double], reciprocalDeviation: [Double],
        weight: [Double]?
    ) -> (dx: [Double], dWeight: [Double], dBias: [Double]) {
        var dx = x
        var dWeight = [Double](repeating: 0, count: channels)
        var dBias = [Double](repeating: 0, count: channels)
        for row in 0..<rows {
            var sum = 0.0
            var sumTimesNormal = 0.0
            for channel in 0..<channels {
                let i = row * channels + channel
                let normal = (x[i] - mean[row]) * reciprocalDeviation[row]
                let g = dy[i] * (weight?[channel] ?? 1)
                sum += g
                sumTimesNormal += g * normal
                dWeight[channel] += dy[i] * normal
                dBias[channel] += dy[i]
            }
            for channel in 0..<channels {
                let i = row * channels + channel
                let normal = (x[i] - mean[row]) * reciprocalDeviation[row]
                let g = dy[i] * (weight?[channel] ?? 1)
                dx[i] = reciprocalDeviation[row] * (g - (sum + normal * sumTimesNormal) / Double(channels))
            }
        }
        return (dx, dWeight, dBias)
    }
}
