import SSFKernels
import Testing

@Suite struct CrossEntropyTests {
    static let shapes: [[Int]] = [
        [0, 3], [1, 1], [2, 2], [3, 7], [4, 8], [5, 10], [2, 15], [2, 16], [3, 17], [2, 33], [64, 100], [3, 1000],
    ]

    /// Logits within 5 of 0: a difference from the greatest below 16 is rounded by up to 8 units, and the sums of
    /// positive numbers have at most classes / 4 additions in a row.
    private func tolerance(_ classes: Int) -> Double { 16 + Double(classes) / 4 }

    @Test(arguments: KernelCase.all(shapes))
    func labelsAgreeWithTheReference(_ test: KernelCase<[Int]>) {
        let (batch, classes) = (test.size[0], test.size[1])
        for (shift, smoothing) in [(0, 0.0), (1, 0.1), (3, 0.5)] {
            let logits = TestFloats(numbers(batch * classes, seed: 1, from: -5, to: 5), misalignedBy: shift)
            let labels = (0..<batch).map { Int32(($0 * 7 + 3) % classes) }
            let losses = TestFloats(numbers(batch, seed: 2), misalignedBy: shift)
            let gradient = TestFloats(numbers(batch * classes, seed: 3), misalignedBy: shift)
            let alone = TestFloats(numbers(batch, seed: 2), misalignedBy: shift)
            CrossEntropy.forwardBackward(
                batch: batch, classes: classes, logits: logits.pointer, labels: labels, smoothing: Float(smoothing),
                gradientScale: 0.25, losses: losses.pointer, dLogits: gradient.pointer, table: test.table)
            CrossEntropy.forwardBackward(
                batch: batch, classes: classes, logits: logits.pointer, labels: labels, smoothing: Float(smoothing),
                gradientScale: 0.25, losses: alone.pointer, dLogits: nil, table: test.table)
            let expected = Reference.crossEntropy(
                batch: batch, classes: classes, logits: logits.values,
                targets: Reference.smoothedTargets(
                    labels: labels, classes: classes, smoothing: Double(Float(smoothing))))
            // A loss is a difference of numbers below 16.
            #expect(worstError(losses.values, expected.losses, magnitude: 4) < tolerance(classes), "\(smoothing)")
            #expect(
                worstError(gradient.values, expected.dLogits.map { 0.25 * $0 }, magnitude: 0.25) < tolerance(classes))
            #expect(losses.isIntact && gradient.isIntact && alone.bits == losses.bits)
        }
    }

    @Test(arguments: KernelCase.all(shapes))
    func softTargetsAgreeWithTheReference(_ test: KernelCase<[Int]>) {
        let (batch, classes) = (test.size[0], test.size[1])
        let logits = TestFloats(numbers(batch * classes, seed: 1, from: -5, to: 5), misalignedBy: 1)
        let targets = TestFloats(
            Reference.softmax(rows: batch, columns: classes, x: numbers(batch * classes, seed: 2, from: -3, to: 3)),
            misalignedBy: 3)
        let losses = TestFloats(numbers(batch, seed: 3))
        let gradient = TestFloats(numbers(batch * classes, seed: 4), misalignedBy: 1)
        CrossEntropy.forwardBackward(
            batch: batch, classes: classes, logits: logits.pointer, targets: targets.pointer, gradientScale: 2,
            losses: losses.pointer, dLogits: gradient.pointer, table: test.table)
        let expected = Reference.crossEntropy(
            batch: batch, classes: classes, logits: logits.values, targets: targets.values)
        #expect(worstError(losses.values, expected.losses, magnitude: 8) < tolerance(classes) && losses.isIntact)
        #expect(worstError(gradient.values, expected.dLogits.map { 2 * $0 }, magnitude: 2) < tolerance(classes))
        #expect(gradient.isIntact)
    }

    @Test func gradientOfTheReferenceIsItsSlope() {
        let logits = numbers(8, seed: 1)
        let targets = Reference.smoothedTargets(labels: [1, 3], classes: 4, smoothing: 0.2)
        let gradient = Reference.crossEntropy(batch: 2, classes: 4, logits: logits, targets: targets).dLogits
        let slope = finiteDifferences(at: logits) { logits in
            Reference.crossEntropy(batch: 2, classes: 4, logits: logits, targets: targets).losses.reduce(0, +)
        }
        #expect(worstError(gradient, slope, magnitude: 1) < 1e-9 / roundoff)
    }

    @Test func labelOutsideTheClassesStopsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let logits: [Float] = [0, 0, 0]
            var loss: Float = 0
            CrossEntropy.forwardBackward(
                batch: 1, classes: 3, logits: logits, labels: [3], smoothing: 0, gradientScale: 1, losses: &loss,
                dLogits: nil)
        }
    }
}
