import SSFKernels
import Testing

/// The public entries, as a program uses them that knows nothing but this library: small cases with known results, and
/// shapes that do not fit.
@Suite struct SpanEntriesTests {
    private let workspace = Workspace()

    @Test func layerNormOfTwoNumbersIsTheirSign() {
        let x: [Float] = [1, 3, -2, 2]
        let weight: [Float] = [2, 2]
        let none: [Float] = []
        var y = [Float](repeating: 0, count: 4)
        var mean: [Float] = [9, 9]
        var reciprocal: [Float] = [9, 9]
        var ySpan = y.mutableSpan
        var meanSpan = mean.mutableSpan
        var reciprocalSpan = reciprocal.mutableSpan
        LayerNorm.forward(
            rows: 2, channels: 2, x: x.span, weight: weight.span, bias: none.span, epsilon: 0, y: &ySpan,
            mean: &meanSpan, reciprocalDeviation: &reciprocalSpan)
        #expect(y == [-2, 2, -2, 2])
        #expect(mean == [2, 0])
        #expect(reciprocal == [1, 0.5])

        // Two numbers keep their normal form under every small change: no gradient reaches x.
        let dy: [Float] = [1, 5, 2, 3]
        var dx = [Float](repeating: 9, count: 4)
        var dWeight: [Float] = [100, 100]
        var dBias: [Float] = [0, 0]
        var dxSpan = dx.mutableSpan
        var dWeightSpan = dWeight.mutableSpan
        var dBiasSpan = dBias.mutableSpan
        LayerNorm.backward(
            rows: 2, channels: 2, dy: dy.span, x: x.span, mean: mean.span, reciprocalDeviation: reciprocal.span,
            weight: none.span, dx: &dxSpan, dWeight: &dWeightSpan, dBias: &dBiasSpan, workspace: workspace)
        #expect(dx == [0, 0, 0, 0])
        #expect(dWeight == [97, 108])
        #expect(dBias == [3, 8])
    }

    @Test func scaleShiftAndItsGradients() {
        let x: [Float] = [1, 2, 3, 4]
        let scale: [Float] = [2, -1]
        let shift: [Float] = [10, 20]
        var y = [Float](repeating: 0, count: 4)
        var ySpan = y.mutableSpan
        ScaleShift.forward(rows: 2, channels: 2, x: x.span, scale: scale.span, shift: shift.span, y: &ySpan)
        #expect(y == [12, 18, 16, 16])

        var dx = [Float](repeating: 0, count: 4)
        var dScale: [Float] = [1, 0]
        var dShift: [Float] = [0, 1]
        var dxSpan = dx.mutableSpan
        var dScaleSpan = dScale.mutableSpan
        var dShiftSpan = dShift.mutableSpan
        ScaleShift.backward(
            rows: 2, channels: 2, dy: y.span, x: x.span, scale: scale.span, dx: &dxSpan, dScale: &dScaleSpan,
            dShift: &dShiftSpan, workspace: workspace)
        #expect(dx == [24, -18, 32, -16])
        #expect(dScale == [61, 100])
        #expect(dShift == [28, 35])

        var sums: [Float] = [0, 0]
        var sumsSpan = sums.mutableSpan
        ColumnSum.add(rows: 2, channels: 2, x: x.span, into: &sumsSpan, workspace: workspace)
        #expect(sums == [4, 6])
    }

    @Test func activationAndElementaryFunctions() {
        let x: [Float] = [0, 20, -20, -.infinity, .infinity]
        let ones: [Float] = [1, 1, 1, 1, 1]
        var y = ones
        var span = y.mutableSpan
        GELU.forward(x: x.span, y: &span)
        #expect(y == [0, 20, 0, 0, .infinity])

        var slope = ones
        var slopeSpan = slope.mutableSpan
        GELU.backward(dy: ones.span, x: x.span, dx: &slopeSpan)
        #expect(slope == [0.5, 1, 0, 0, 1])

        var exponentials = ones
        var exponentialsSpan = exponentials.mutableSpan
        ElementaryFunctions.exponential(x: x.span, y: &exponentialsSpan)
        #expect(exponentials[0] == 1 && exponentials[3] == 0 && exponentials[4] == .infinity)

        var errors = ones
        var errorsSpan = errors.mutableSpan
        ElementaryFunctions.errorFunction(x: x.span, y: &errorsSpan)
        #expect(errors == [0, 1, -1, -1, 1])
    }

    @Test func softmaxOfEqualLogitsIsUniform() {
        let x = [Float](repeating: 7, count: 8)
        var y = x
        var span = y.mutableSpan
        Softmax.forward(rows: 2, columns: 4, x: x.span, y: &span)
        #expect(y.allSatisfy { $0 == 0.25 })

        let dy: [Float] = [1, 0, 0, 0, 4, 4, 4, 4]
        var dx = x
        var dxSpan = dx.mutableSpan
        Softmax.backward(rows: 2, columns: 4, dy: dy.span, y: y.span, dx: &dxSpan)
        #expect(dx == [0.1875, -0.0625, -0.0625, -0.0625, 0, 0, 0, 0])
    }

    @Test func attentionWithoutQueriesIsTheMeanOfTheValues() {
        // One head of width 2, two tokens, as q, k, v side by side; queries of zero weigh every key alike.
        let qkv: [Float] = [0, 0, 5, 6, 1, 2, 0, 0, 7, 8, 3, 6]
        var out = [Float](repeating: 0, count: 4)
        var logSumExp: [Float] = [0, 0]
        var outSpan = out.mutableSpan
        var logSumExpSpan = logSumExp.mutableSpan
        Attention.forward(
            batch: 1, tokens: 2, heads: 1, headWidth: 2, scale: 1, qkv: qkv.span, out: &outSpan,
            logSumExp: &logSumExpSpan, workspace: workspace)
        #expect(out == [2, 4, 2, 4])
        #expect(logSumExp.allSatisfy { abs($0 - 0.6931472) < 1e-6 })

        let dOut: [Float] = [1, 0, 0, 1]
        var gradient = [Float](repeating: 9, count: 12)
        var gradientSpan = gradient.mutableSpan
        Attention.backward(
            batch: 1, tokens: 2, heads: 1, headWidth: 2, scale: 1, qkv: qkv.span,
            logSumExp: logSumExp.span, dOut: dOut.span, dQKV: &gradientSpan, workspace: workspace)
        // dv is half of the sum of dOut for every token; dk is zero because the queries are.
        for (seen, expected) in zip(gradient, [1, 1, 0, 0, 0.5, 0.5, 2, 2, 0, 0, 0.5, 0.5] as [Float]) {
            #expect(abs(seen - expected) < 1e-5)
        }
    }

    @Test func lossOfAnUndecidedModelIsTheLogarithmOfTheClasses() {
        let logits: [Float] = [3, 3, 3, 3]
        var loss: [Float] = [0]
        var gradient = logits
        var lossSpan = loss.mutableSpan
        var gradientSpan = gradient.mutableSpan
        let label: [Int32] = [2]
        CrossEntropy.forwardBackward(
            batch: 1, classes: 4, logits: logits.span, labels: label.span, smoothing: 0, gradientScale: 4,
            losses: &lossSpan, dLogits: &gradientSpan)
        #expect(abs(loss[0] - 1.3862944) < 1e-6)
        #expect(gradient == [1, 1, -3, 1])

        let targets: [Float] = [0.5, 0.5, 0, 0]
        var softSpan = gradient.mutableSpan
        var softLoss = loss.mutableSpan
        CrossEntropy.forwardBackward(
            batch: 1, classes: 4, logits: logits.span, targets: targets.span, gradientScale: 4, losses: &softLoss,
            dLogits: &softSpan)
        #expect(gradient == [-1, -1, 1, 1])
    }

    @Test func patchesAndTokens() {
        let image: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]
        var rows = image
        var rowsSpan = rows.mutableSpan
        Patches.unfold(
            batch: 1, channels: 1, height: 2, width: 4, patchHeight: 2, patchWidth: 2, images: image.span,
            rows: &rowsSpan)
        #expect(rows == [1, 2, 5, 6, 3, 4, 7, 8])

        var mean: [Float] = [0, 0]
        var meanSpan = mean.mutableSpan
        Tokens.mean(batch: 1, tokens: 4, first: 2, channels: 2, x: image.span, y: &meanSpan)
        #expect(mean == [6, 7])
        var gradient = image
        var gradientSpan = gradient.mutableSpan
        Tokens.meanBackward(batch: 1, tokens: 4, first: 2, channels: 2, dy: mean.span, dx: &gradientSpan)
        #expect(gradient == [0, 0, 0, 0, 3, 3.5, 3, 3.5])
    }

    @Test func elementwiseAndAdamW() {
        let a: [Float] = [1, 2, 3]
        var out = a
        var span = out.mutableSpan
        Elementwise.add(a: a.span, b: a.span, out: &span)
        Elementwise.addInPlace(x: a.span, into: &span)
        Elementwise.multiplyAdd(a: a.span, b: a.span, c: a.span, out: &span)
        #expect(out == [2, 6, 12])
        var scaled = a
        var scaledSpan = scaled.mutableSpan
        Elementwise.scaleRows(rows: 3, channels: 1, x: a.span, rowScale: a.span, y: &scaledSpan)
        #expect(scaled == [1, 4, 9])
        let squares = Elementwise.sumOfSquares(a.span)
        let isFinite = Elementwise.isFinite(a.span)
        #expect(squares == 14 && isFinite)

        var parameters: [Float] = [1, 1, 1]
        var first: [Float] = [0, 0, 0]
        var second: [Float] = [0, 0, 0]
        var parametersSpan = parameters.mutableSpan
        var firstSpan = first.mutableSpan
        var secondSpan = second.mutableSpan
        AdamW.step(
            parameters: &parametersSpan, gradients: a.span, firstMoment: &firstSpan, secondMoment: &secondSpan,
            learningRate: 0.5, epsilon: 0, weightDecay: 0.5, step: 1)
        #expect(parameters.allSatisfy { abs($0 - 0.25) < 1e-6 })
    }

    @Test func gradientDescent() {
        var parameters: [Float] = [1, 2, 3]
        var buffer: [Float] = [4, 4, 4]
        var parametersSpan = parameters.mutableSpan
        var bufferSpan = buffer.mutableSpan
        SGD.step(
            parameters: &parametersSpan, gradients: [1, 1, 1].span, buffer: &bufferSpan, learningRate: 0.5,
            momentum: 0.5, weightDecay: 1, gradientScale: 2)
        // g = 2 + p; buffer = 2 + g; p - buffer / 2.
        #expect(buffer == [5, 6, 7])
        #expect(parameters == [-1.5, -1, -0.5])
    }

    @Test func aSpanOfTheWrongCountStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let x: [Float] = [1, 2, 3]
            var y: [Float] = [1, 2]
            var span = y.mutableSpan
            GELU.forward(x: x.span, y: &span)
        }
    }

    @Test func patchesThatDoNotDivideTheImageStopTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let image = [Float](repeating: 0, count: 30)
            var rows = image
            var span = rows.mutableSpan
            Patches.unfold(
                batch: 1, channels: 1, height: 5, width: 6, patchHeight: 2, patchWidth: 2, images: image.span,
                rows: &span)
        }
    }
}
