import SSFKernels
import Testing

@Suite struct PatchesTests {
    /// Batch, channels, height, width, patch height, patch width.
    @Test(
        arguments: KernelCase.all([
            [1, 1, 1, 1, 1, 1], [2, 3, 32, 48, 16, 16], [1, 3, 28, 42, 14, 14], [2, 2, 6, 10, 3, 5],
            [0, 3, 8, 8, 4, 4],
            [1, 4, 64, 32, 32, 32], [1, 1, 34, 68, 17, 34],
        ]))
    func patchesAreCopiedInTheOrderOfAConvolutionWeight(_ test: KernelCase<[Int]>) {
        let size = test.size
        let images = TestFloats(numbers(size[0] * size[1] * size[2] * size[3], seed: 1), misalignedBy: 1)
        let rows = TestFloats(numbers(images.count, seed: 2), misalignedBy: 3)
        Patches.unfold(
            batch: size[0], channels: size[1], height: size[2], width: size[3], patchHeight: size[4],
            patchWidth: size[5], images: images.pointer, rows: rows.pointer, table: test.table)
        let expected = Reference.unfold(
            batch: size[0], channels: size[1], height: size[2], width: size[3], patchHeight: size[4],
            patchWidth: size[5], images: images.values)
        #expect(rows.values == expected && rows.isIntact)
    }

    /// Batch, tokens, first, channels.
    @Test(
        arguments: KernelCase.all([
            [1, 1, 0, 1], [2, 5, 1, 7], [3, 17, 1, 16], [1, 65, 5, 33], [0, 4, 1, 8], [2, 197, 1, 192],
        ]))
    func tokenMeanAndItsGradientAgreeWithTheReference(_ test: KernelCase<[Int]>) {
        let (batch, tokens, first, channels) = (test.size[0], test.size[1], test.size[2], test.size[3])
        let x = TestFloats(numbers(batch * tokens * channels, seed: 1), misalignedBy: 1)
        let y = TestFloats(numbers(batch * channels, seed: 2), misalignedBy: 3)
        Tokens.mean(
            batch: batch, tokens: tokens, first: first, channels: channels, x: x.pointer, y: y.pointer,
            table: test.table)
        let expected = Reference.tokenMean(
            batch: batch, tokens: tokens, first: first, channels: channels, x: x.values)
        // One rounding per token, of a sum below their number, and a division by it.
        #expect(worstError(y.values, expected, magnitude: 1) < Double(tokens) / 2 + 2 && y.isIntact)

        for accumulate in [false, true] {
            let dx = TestFloats(numbers(x.count, seed: 3), misalignedBy: 1)
            let before = dx.values
            let dy = y.values
            Tokens.meanBackward(
                batch: batch, tokens: tokens, first: first, channels: channels, dy: y.pointer, dx: dx.pointer,
                accumulate: accumulate, table: test.table)
            let gradient = (0..<x.count).map { i in
                let token = i / channels % tokens
                let share = token < first ? 0 : dy[i / channels / tokens * channels + i % channels]
                return (accumulate ? before[i] : 0) + share / Double(tokens - first)
            }
            #expect(worstError(dx.values, gradient, magnitude: 1) <= 3 && dx.isIntact, "\(accumulate)")
        }
    }
}
