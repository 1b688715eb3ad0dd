import Musl
import SSFKernels

// Kernels over rows, attention, the loss and the optimiser.

extension Check {
    static let rowShapes = [
        (1, 1), (3, 2), (3, 3), (2, 4), (3, 5), (5, 7), (2, 8), (5, 15), (2, 17), (4, 31), (3, 33), (130, 65),
        (70, 768),
    ]

    static func layerNorm() -> Comparison {
        var comparison = Comparison("LayerNorm")
        for (rows, channels) in rowShapes {
            let x = Floats(rows * channels, seed: 1, from: -1, to: 3)
            let (weight, bias) = (Floats(channels, seed: 2), Floats(channels, seed: 3))
            let (y, mean, reciprocal) = (Floats(x.count, seed: 4), Floats(rows, seed: 5), Floats(rows, seed: 6))
            var ySpan = y.buffer.mutableSpan
            var meanSpan = mean.buffer.mutableSpan
            var reciprocalSpan = reciprocal.buffer.mutableSpan
            LayerNorm.forward(
                rows: rows, channels: channels, x: x.buffer.span, weight: weight.buffer.span, bias: bias.buffer.span,
                epsilon: 1e-3, y: &ySpan, mean: &meanSpan, reciprocalDeviation: &reciprocalSpan)
            let values = x.values
            let expected = Reference.layerNorm(
                rows: rows, channels: channels, x: values, weight: weight.values, bias: bias.values,
                epsilon: Double(Float(1e-3)))
            let magnitudes = (0..<x.count).map {
                (3 + abs(values[$0])) * expected.reciprocalDeviation[$0 / channels] + 1
            }
            let tolerance = Double(channels) / 16 + 12
            comparison.add(y, expected.y, magnitudes: magnitudes, tolerance: tolerance)
            comparison.add(mean, expected.mean, magnitude: 3, tolerance: tolerance)
        }
        return comparison
    }

    static func layerNormBackward() -> Comparison {
        var comparison = Comparison("LayerNorm backward")
        for (rows, channels) in rowShapes {
            let x = Floats(rows * channels, seed: 1, from: -1, to: 3)
            let (dy, weight) = (Floats(x.count, seed: 2), Floats(channels, seed: 3))
            let forward = Reference.layerNorm(
                rows: rows, channels: channels, x: x.values, weight: nil, bias: nil, epsilon: 0.1)
            let (mean, reciprocal) = (Floats(forward.mean), Floats(forward.reciprocalDeviation))
            let (dx, dWeight, dBias) = (Floats(x.count, seed: 4), Floats(channels, seed: 5), Floats(channels, seed: 6))
            var expected = Reference.layerNormBackward(
                rows: rows, channels: channels, dy: dy.values, x: x.values, mean: mean.values,
                reciprocalDeviation: reciprocal.values, weight: weight.values)
            expected.dWeight = zip(expected.dWeight, dWeight.values).map { $0 + $1 }
            expected.dBias = zip(expected.dBias, dBias.values).map { $0 + $1 }
            var dxSpan = dx.buffer.mutableSpan
            var dWeightSpan = dWeight.buffer.mutableSpan
            var dBiasSpan = dBias.buffer.mutableSpan
            LayerNorm.backward(
                rows: rows, channels: channels, dy: dy.buffer.span, x: x.buffer.span, mean: mean.buffer.span,
                reciprocalDeviation: reciprocal.buffer.span, weight: weight.buffer.span, dx: &dxSpan,
                dWeight: &dWeightSpan, dBias: &dBiasSpan, workspace: Workspace())
            let magnitudes = (0..<x.count).map { 4 * (1 + forward.reciprocalDeviation[$0 / channels]) }
            comparison.add(dx, expected.dx, magnitudes: magnitudes, tolerance: Double(channels) / 16 + 12)
            comparison.add(dWeight, expected.dWeight, magnitude: Double(rows + 1), tolerance: 64)
            comparison.add(dBias, expected.dBias, magnitude: Double(rows + 1), tolerance: 64)
        }
        return comparison
    }

    static func scaleShift() -> Comparison {
        var comparison = Comparison("scale and shift")
        for (rows, channels) in rowShapes {
            let x = Floats(rows * channels, seed: 1)
            let (scale, shift, y) = (Floats(channels, seed: 2), Floats(channels, seed: 3), Floats(x.count, seed: 4))
            var out = y.buffer.mutableSpan
            ScaleShift.forward(
                rows: rows, channels: channels, x: x.buffer.span, scale: scale.buffer.span, shift: shift.buffer.span,
                y: &out)
            let expected = Reference.scaleShift(
                rows: rows, channels: channels, x: x.values, scale: scale.values, shift: shift.values)
            comparison.add(y, expected, magnitude: 1, tolerance: 3)
        }
        return comparison
    }

    static func scaleShiftBackward() -> Comparison {
        var comparison = Comparison("scale and shift backward")
        for (rows, channels) in rowShapes {
            let x = Floats(rows * channels, seed: 1)
            let (dy, scale, dx) = (Floats(x.count, seed: 2), Floats(channels, seed: 3), Floats(x.count, seed: 4))
            let (dScale, dShift) = (Floats(channels, seed: 5), Floats(channels, seed: 6))
            var expected = Reference.scaleShiftBackward(
                rows: rows, channels: channels, dy: dy.values, x: x.values, scale: scale.values)
            expected.dScale = zip(expected.dScale, dScale.values).map { $0 + $1 }
            expected.dShift = zip(expected.dShift, dShift.values).map { $0 + $1 }
            var dxSpan = dx.buffer.mutableSpan
            var dScaleSpan = dScale.buffer.mutableSpan
            var dShiftSpan = dShift.buffer.mutableSpan
            ScaleShift.backward(
                rows: rows, channels: channels, dy: dy.buffer.span, x: x.buffer.span, scale: scale.buffer.span,
                dx: &dxSpan, dScale: &dScaleSpan, dShift: &dShiftSpan, workspace: Workspace())
            comparison.add(dx, expected.dx, magnitude: 1, tolerance: 3)
            comparison.add(dScale, expected.dScale, magnitude: Double(rows + 1), tolerance: 64)
            comparison.add(dShift, expected.dShift, magnitude: Double(rows + 1), tolerance: 64)
        }
        return comparison
    }

    static func columnSum() -> Comparison {
        var comparison = Comparison("column sums")
        for (rows, channels) in rowShapes {
            let (x, sums) = (Floats(rows * channels, seed: 1), Floats(channels, seed: 2))
            let added = Reference.columnSum(rows: rows, channels: channels, x: x.values)
            let expected = zip(added, sums.values).map { $0 + $1 }
            var out = sums.buffer.mutableSpan
            ColumnSum.add(rows: rows, channels: channels, x: x.buffer.span, into: &out, workspace: Workspace())
            comparison.add(sums, expected, magnitude: Double(rows + 1), tolerance: 64)
        }
        return comparison
    }

    static func softmax() -> Comparison {
        var comparison = Comparison("softmax")
        for (rows, columns) in rowShapes {
            let (x, y) = (Floats(rows * columns, seed: 1, from: -5, to: 5), Floats(rows * columns, seed: 2))
            var out = y.buffer.mutableSpan
            Softmax.forward(rows: rows, columns: columns, x: x.buffer.span, y: &out)
            let expected = Reference.softmax(rows: rows, columns: columns, x: x.values)
            comparison.add(y, expected, magnitudes: expected, tolerance: 16 + Double(columns) / 8)
        }
        return comparison
    }

    static func softmaxBackward() -> Comparison {
        var comparison = Comparison("softmax backward")
        for (rows, columns) in rowShapes {
            let x = Floats(rows * columns, seed: 1)
            let y = Floats(Reference.softmax(rows: rows, columns: columns, x: x.values))
            let (dy, dx) = (Floats(x.count, seed: 2), Floats(x.count, seed: 3))
            var out = dx.buffer.mutableSpan
            Softmax.backward(rows: rows, columns: columns, dy: dy.buffer.span, y: y.buffer.span, dx: &out)
            let probabilities = y.values
            let expected = Reference.softmaxBackward(rows: rows, columns: columns, dy: dy.values, y: probabilities)
            comparison.add(
                dx, expected, magnitudes: probabilities.map { 2 * $0 }, tolerance: Double(columns) / 8 + 6)
        }
        return comparison
    }

    // MARK: - Attention

    /// Batch, tokens, heads, width of a head.
    static let attentionShapes = [
        (1, 1, 1, 1), (1, 2, 3, 5), (2, 5, 2, 16), (1, 7, 2, 32), (2, 17, 3, 64), (1, 25, 2, 80), (1, 65, 2, 64),
        (1, 197, 1, 64),
    ]

    /// Queries, keys or values out of rows that hold all three.
    static func part(_ index: Int, of values: [Double], width: Int) -> [Double] {
        (0..<values.count / 3).map { values[$0 / width * 3 * width + index * width + $0 % width] }
    }

    static func attention() -> Comparison {
        var comparison = Comparison("attention")
        for (batch, tokens, heads, headWidth) in attentionShapes {
            let width = heads * headWidth
            let scale = 1 / Float(headWidth).squareRoot()
            let qkv = Floats(batch * tokens * 3 * width, seed: 1, from: -2, to: 2)
            let (out, logSums) = (Floats(batch * tokens * width, seed: 2), Floats(batch * heads * tokens, seed: 3))
            var outSpan = out.buffer.mutableSpan
            var logSumsSpan = logSums.buffer.mutableSpan
            Attention.forward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, qkv: qkv.buffer.span,
                out: &outSpan, logSumExp: &logSumsSpan, workspace: Workspace())
            let values = qkv.values
            let expected = Reference.attention(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: Double(scale),
                q: part(0, of: values, width: width), k: part(1, of: values, width: width),
                v: part(2, of: values, width: width))
            let d = Double(headWidth)
            let tolerance = 16 + 4 * d.squareRoot() * d / 10 + Double(tokens) / 16
            comparison.add(out, expected.out, magnitude: 2, tolerance: tolerance)
            comparison.add(logSums, expected.logSumExp, magnitude: 4, tolerance: tolerance)
        }
        return comparison
    }

    static func attentionBackward() -> Comparison {
        var comparison = Comparison("attention backward")
        for (batch, tokens, heads, headWidth) in attentionShapes {
            let width = heads * headWidth
            let scale = 1 / Float(headWidth).squareRoot()
            let qkv = Floats(batch * tokens * 3 * width, seed: 1, from: -2, to: 2)
            let (out, logSums) = (Floats(batch * tokens * width, seed: 2), Floats(batch * heads * tokens, seed: 3))
            let (dOut, gradient) = (Floats(out.count, seed: 4), Floats(qkv.count, seed: 5))
            var outSpan = out.buffer.mutableSpan
            var logSumsSpan = logSums.buffer.mutableSpan
            Attention.forward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, qkv: qkv.buffer.span,
                out: &outSpan, logSumExp: &logSumsSpan, workspace: Workspace())
            var gradientSpan = gradient.buffer.mutableSpan
            Attention.backward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, qkv: qkv.buffer.span,
                logSumExp: logSums.buffer.span, dOut: dOut.buffer.span, dQKV: &gradientSpan,
                workspace: Workspace())
            let values = qkv.values
            let parts = Reference.attentionBackward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: Double(scale),
                q: part(0, of: values, width: width), k: part(1, of: values, width: width),
                v: part(2, of: values, width: width), dOut: dOut.values)
            var (expected, magnitudes) = (gradient.values, gradient.values)
            for (index, part) in [parts.dq, parts.dk, parts.dv].enumerated() {
                let greatest = part.reduce(0.01) { max($0, abs($1)) }
                for i in 0..<part.count {
                    let place = i / width * 3 * width + index * width + i % width
                    expected[place] = part[i]
                    magnitudes[place] = greatest
                }
            }
            let d = Double(headWidth)
            comparison.add(
                gradient, expected, magnitudes: magnitudes,
                tolerance: 32 + 8 * d.squareRoot() * d / 10 + Double(tokens) / 8)
        }
        return comparison
    }

    // MARK: - Training

    static func crossEntropy() -> Comparison {
        var comparison = Comparison("cross entropy")
        for (batch, classes) in [(1, 1), (2, 2), (3, 7), (4, 8), (2, 17), (64, 100), (3, 1000)] {
            let logits = Floats(batch * classes, seed: 1, from: -5, to: 5)
            let labels = (0..<batch).map { Int32(($0 * 7 + 3) % classes) }
            let (losses, gradient) = (Floats(batch, seed: 2), Floats(logits.count, seed: 3))
            var lossesSpan = losses.buffer.mutableSpan
            var gradientSpan = gradient.buffer.mutableSpan
            CrossEntropy.forwardBackward(
                batch: batch, classes: classes, logits: logits.buffer.span, labels: labels.span, smoothing: 0.1,
                gradientScale: 0.25, losses: &lossesSpan, dLogits: &gradientSpan)
            let expected = Reference.crossEntropy(
                batch: batch, classes: classes, logits: logits.values,
                targets: Reference.smoothedTargets(labels: labels, classes: classes, smoothing: Double(Float(0.1))))
            let tolerance = 16 + Double(classes) / 4
            comparison.add(losses, expected.losses, magnitude: 4, tolerance: tolerance)
            comparison.add(gradient, expected.dLogits.map { 0.25 * $0 }, magnitude: 0.25, tolerance: tolerance)
        }
        return comparison
    }

    /// Ten steps: the error of the last parameters.
    static func adamW() -> Comparison {
        var comparison = Comparison("AdamW, ten steps")
        for count in [1, 3, 4, 5, 33, 1000] {
            let parameters = Floats(count, seed: 1)
            let (first, second) = (
                Floats([Double](repeating: 0, count: count)), Floats([Double](repeating: 0, count: count))
            )
            var expected = parameters.values
            var (m, v) = (first.values, second.values)
            for step in 1...10 {
                let gradients = Floats(count, seed: UInt64(step + 1))
                var parametersSpan = parameters.buffer.mutableSpan
                var firstSpan = first.buffer.mutableSpan
                var secondSpan = second.buffer.mutableSpan
                AdamW.step(
                    parameters: &parametersSpan, gradients: gradients.buffer.span, firstMoment: &firstSpan,
                    secondMoment: &secondSpan, learningRate: 0.01, weightDecay: 0.05, step: step)
                let values = gradients.values
                for i in 0..<count {
                    Reference.adamW(
                        parameter: &expected[i], gradient: values[i], firstMoment: &m[i], secondMoment: &v[i],
                        learningRate: Double(Float(0.01)), beta1: Double(Float(0.9)), beta2: Double(Float(0.999)),
                        epsilon: Double(Float(1e-8)), weightDecay: Double(Float(0.05)), step: step)
                }
            }
            comparison.add(parameters, expected, magnitude: 1, tolerance: 30)
        }
        return comparison
    }

    /// Ten steps of both forms: the error of the last parameters.
    static func sgd() -> Comparison {
        var comparison = Comparison("SGD, ten steps")
        for count in [1, 3, 4, 5, 33, 1000] {
            for isNesterov in [false, true] {
                let parameters = Floats(count, seed: 1)
                let buffer = Floats([Double](repeating: 0, count: count))
                var expected = parameters.values
                var momentum = buffer.values
                for step in 1...10 {
                    let gradients = Floats(count, seed: UInt64(step + 1))
                    var parametersSpan = parameters.buffer.mutableSpan
                    var bufferSpan = buffer.buffer.mutableSpan
                    SGD.step(
                        parameters: &parametersSpan, gradients: gradients.buffer.span, buffer: &bufferSpan,
                        learningRate: 0.01, isNesterov: isNesterov, weightDecay: 0.05)
                    let values = gradients.values
                    for i in 0..<count {
                        Reference.sgd(
                            parameter: &expected[i], gradient: values[i], buffer: &momentum[i],
                            learningRate: Double(Float(0.01)), momentum: Double(Float(0.9)), isNesterov: isNesterov,
                            weightDecay: Double(Float(0.05)))
                    }
                }
                comparison.add(parameters, expected, magnitude: 1, tolerance: 30)
            }
        }
        return comparison
    }

    // MARK: - Tokens

    static func patches() -> Comparison {
        var comparison = Comparison("patches")
        for (batch, channels, height, width, patch) in [(1, 1, 1, 1, 1), (2, 3, 32, 48, 16), (2, 2, 9, 12, 3)] {
            let images = Floats(batch * channels * height * width, seed: 1)
            let rows = Floats(images.count, seed: 2)
            var out = rows.buffer.mutableSpan
            Patches.unfold(
                batch: batch, channels: channels, height: height, width: width, patchHeight: patch,
                patchWidth: patch, images: images.buffer.span, rows: &out)
            let expected = Reference.unfold(
                batch: batch, channels: channels, height: height, width: width, patchHeight: patch,
                patchWidth: patch, images: images.values)
            // Copies: exact.
            comparison.add(rows, expected, magnitude: 1, tolerance: 1e-6)
        }
        return comparison
    }

    static func tokenMean() -> Comparison {
        var comparison = Comparison("mean of tokens")
        for (batch, tokens, first, channels) in [(1, 1, 0, 1), (2, 5, 1, 7), (3, 17, 1, 16), (1, 65, 5, 33)] {
            let (x, y) = (Floats(batch * tokens * channels, seed: 1), Floats(batch * channels, seed: 2))
            var out = y.buffer.mutableSpan
            Tokens.mean(
                batch: batch, tokens: tokens, first: first, channels: channels, x: x.buffer.span, y: &out)
            let expected = Reference.tokenMean(
                batch: batch, tokens: tokens, first: first, channels: channels, x: x.values)
            comparison.add(y, expected, magnitude: 1, tolerance: Double(tokens) / 2 + 2)
        }
        return comparison
    }
}
