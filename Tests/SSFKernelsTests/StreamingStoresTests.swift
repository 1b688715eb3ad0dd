import SSFKernels
import Testing

/// Results beyond the last-level cache are stored past it. Whether they are must not show in them: an address that is not
/// a multiple of a vector's size keeps a kernel from streaming, and gives the result to compare with.
@Suite(.serialized) struct StreamingStoresTests {
    private static let rows = 11_000
    private static let channels = 768
    private static var count: Int { rows * channels }

    private let x = TestFloats(numbers(count, seed: 1, from: -4, to: 4))
    private let streamed = TestFloats([Double](repeating: 7, count: count))
    private let stored = TestFloats([Double](repeating: 8, count: count), misalignedBy: 1)

    private var agree: Bool { streamed.bits == stored.bits && streamed.isIntact && stored.isIntact }

    @Test(arguments: KernelTable.available)
    func gelu(_ table: KernelTable) {
        for y in [streamed, stored] { GELU.forward(count: Self.count, x: x.pointer, y: y.pointer, table: table) }
        #expect(agree)
        for dx in [streamed, stored] {
            GELU.backward(count: Self.count, dy: x.pointer, x: x.pointer, dx: dx.pointer, table: table)
        }
        #expect(agree)
    }

    @Test(arguments: KernelTable.available)
    func layerNorm(_ table: KernelTable) {
        let (rows, channels) = (Self.rows, Self.channels)
        let weight = TestFloats(numbers(channels, seed: 2))
        let statistics = TestFloats([Double](repeating: 0, count: 2 * rows))
        for y in [streamed, stored] {
            LayerNorm.forward(
                rows: rows, channels: channels, x: x.pointer, weight: weight.pointer, bias: weight.pointer,
                epsilon: 1e-6, y: y.pointer, mean: statistics.pointer, reciprocalDeviation: statistics.pointer + rows,
                table: table)
        }
        #expect(agree)
        let sums = TestFloats([Double](repeating: 0, count: 4 * channels))
        for (dx, sums) in [(streamed, sums.pointer), (stored, sums.pointer + 2 * channels)] {
            LayerNorm.backward(
                rows: rows, channels: channels, dy: x.pointer, x: x.pointer, mean: statistics.pointer,
                reciprocalDeviation: statistics.pointer + rows, weight: weight.pointer, dx: dx.pointer,
                accumulate: false, dWeight: sums, dBias: sums + channels, workspace: Workspace(), table: table)
        }
        #expect(agree && sums.bits[..<(2 * channels)] == sums.bits[(2 * channels)...])
    }
}
