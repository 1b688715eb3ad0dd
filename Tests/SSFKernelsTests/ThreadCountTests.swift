import SSFKernels
import SSFParallel
import Testing

/// Every kernel gives the same bits with one thread and with all of the machine's, on shapes of many chunks.
@Suite(.serialized) struct ThreadCountTests {
    private let rows = 700
    private let channels = 193
    private var count: Int { rows * channels }

    @Test func layerNorm() {
        let x = TestFloats(numbers(count, seed: 1))
        let dy = TestFloats(numbers(count, seed: 2))
        let weight = TestFloats(numbers(channels, seed: 3))
        let same = hasSameBitsForEveryThreadCount {
            let y = TestFloats(dy.values)
            let dx = TestFloats(dy.values)
            let statistics = TestFloats(Array(repeating: 0, count: 2 * rows))
            let sums = TestFloats(Array(repeating: 0, count: 2 * channels))
            LayerNorm.forward(
                rows: rows, channels: channels, x: x.pointer, weight: weight.pointer, bias: nil, epsilon: 1e-6,
                y: y.pointer, mean: statistics.pointer, reciprocalDeviation: statistics.pointer + rows)
            LayerNorm.backward(
                rows: rows, channels: channels, dy: dy.pointer, x: x.pointer, mean: statistics.pointer,
                reciprocalDeviation: statistics.pointer + rows, weight: weight.pointer, dx: dx.pointer,
                accumulate: false, dWeight: sums.pointer, dBias: sums.pointer + channels, workspace: Workspace())
            return y.bits + dx.bits + statistics.bits + sums.bits
        }
        #expect(same)
    }

    @Test func scaleShiftAndColumnSum() {
        let x = TestFloats(numbers(count, seed: 1))
        let dy = TestFloats(numbers(count, seed: 2))
        let scale = TestFloats(numbers(channels, seed: 3))
        let same = hasSameBitsForEveryThreadCount {
            let y = TestFloats(dy.values)
            let dx = TestFloats(dy.values)
            let sums = TestFloats(Array(repeating: 0, count: 3 * channels))
            ScaleShift.forward(
                rows: rows, channels: channels, x: x.pointer, scale: scale.pointer, shift: nil, y: y.pointer)
            ScaleShift.backward(
                rows: rows, channels: channels, dy: dy.pointer, x: x.pointer, scale: scale.pointer, dx: dx.pointer,
                accumulate: true, dScale: sums.pointer, dShift: sums.pointer + channels, workspace: Workspace())
            ColumnSum.add(
                rows: rows, channels: channels, x: x.pointer, rowStride: channels, into: sums.pointer + 2 * channels,
                workspace: Workspace())
            return y.bits + dx.bits + sums.bits
        }
        #expect(same)
    }

    @Test func attention() {
        let (batch, tokens, heads, headWidth) = (2, 65, 3, 24)
        let width = heads * headWidth
        let qkv = TestFloats(numbers(batch * tokens * 3 * width, seed: 1))
        let dOut = TestFloats(numbers(batch * tokens * width, seed: 2))
        let same = hasSameBitsForEveryThreadCount {
            let out = TestFloats(dOut.values)
            let logSumExp = TestFloats(Array(repeating: 0, count: batch * heads * tokens))
            let gradient = TestFloats(qkv.values)
            Attention.forward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: 0.2, q: qkv.pointer,
                k: qkv.pointer + width, v: qkv.pointer + 2 * width, rowStride: 3 * width, out: out.pointer,
                logSumExp: logSumExp.pointer, workspace: Workspace())
            Attention.backward(
                batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: 0.2, q: qkv.pointer,
                k: qkv.pointer + width, v: qkv.pointer + 2 * width, rowStride: 3 * width,
                logSumExp: logSumExp.pointer, dOut: dOut.pointer, dq: gradient.pointer,
                dk: gradient.pointer + width, dv: gradient.pointer + 2 * width, gradientRowStride: 3 * width,
                workspace: Workspace())
            return out.bits + logSumExp.bits + gradient.bits
        }
        #expect(same)
    }

    @Test func elementByElement() {
        let x = TestFloats(numbers(count, seed: 1, from: -4, to: 4))
        let dy = TestFloats(numbers(count, seed: 2))
        let labels = (0..<rows).map { Int32($0 % channels) }
        let same = hasSameBitsForEveryThreadCount {
            let a = TestFloats(dy.values)
            let b = TestFloats(dy.values)
            let c = TestFloats(dy.values)
            let losses = TestFloats(Array(repeating: 0, count: rows))
            GELU.forward(count: count, x: x.pointer, y: a.pointer)
            GELU.backward(count: count, dy: a.pointer, x: x.pointer, dx: b.pointer)
            Softmax.forward(rows: rows, columns: channels, x: b.pointer, y: c.pointer)
            Softmax.backward(rows: rows, columns: channels, dy: dy.pointer, y: c.pointer, dx: c.pointer)
            Elementwise.add(count: count, a: a.pointer, b: c.pointer, out: a.pointer)
            CrossEntropy.forwardBackward(
                batch: rows, classes: channels, logits: x.pointer, labels: labels, smoothing: 0.1, gradientScale: 1,
                losses: losses.pointer, dLogits: b.pointer)
            return a.bits + b.bits + c.bits + losses.bits
        }
        #expect(same)
    }

    @Test func adamW() {
        let gradient = TestFloats(numbers(count, seed: 1))
        let same = hasSameBitsForEveryThreadCount {
            let parameters = TestFloats(numbers(count, seed: 2))
            let first = TestFloats(numbers(count, seed: 3))
            let second = TestFloats(numbers(count, seed: 4, from: 0, to: 1))
            AdamW.step(
                count: count, parameters: parameters.pointer, gradients: gradient.pointer,
                firstMoment: first.pointer, secondMoment: second.pointer, learningRate: 0.1, beta1: 0.9, beta2: 0.999,
                epsilon: 1e-8, weightDecay: 0.1, step: 3)
            return parameters.bits + first.bits + second.bits
        }
        #expect(same)
    }

    @Test func sgd() {
        let gradient = TestFloats(numbers(count, seed: 1))
        let same = hasSameBitsForEveryThreadCount {
            let parameters = TestFloats(numbers(count, seed: 2))
            let buffer = TestFloats(numbers(count, seed: 3))
            SGD.step(
                count: count, parameters: parameters.pointer, gradients: gradient.pointer, buffer: buffer.pointer,
                learningRate: 0.1, momentum: 0.9, isNesterov: true, weightDecay: 0.1)
            return parameters.bits + buffer.bits
        }
        #expect(same)
    }
}
