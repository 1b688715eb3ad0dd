import SSFKernels
import SSFParallel
import Testing

@Suite("Convolution of grids by Fourier transforms", .serialized)
struct GridConvolutionTests {
    private func kernel(_ row: Int, _ column: Int) -> Double {
        1 / (1 + 0.04 * Double(row * row) + 0.04 * Double(column * column))
    }

    private func convolve(_ size: Int, _ grid: [Double], table: KernelTable) -> [Double] {
        let convolution = GridConvolution(size: size, table: table)
        let stride = convolution.rowStride
        let memory = TestFloats([Double](repeating: 0, count: size * stride), misalignedBy: 1)
        for i in 0..<size * size { memory.pointer[i / size * stride + i % size] = Float(grid[i]) }
        let workspace = Workspace()
        convolution.setKernel(
            factors: [Double](repeating: 1, count: convolution.length / 2 + 1), workspace: workspace
        ) { Float(kernel($0, $1)) }
        convolution.convolve(grid: memory.pointer, into: memory.pointer, workspace: workspace)
        #expect(memory.isIntact)
        let values = memory.values
        return (0..<size * size).map { values[$0 / size * stride + $0 % size] }
    }

    @Test("Agrees with the sum over all pairs", arguments: KernelCase.all([1, 2, 3, 6, 8, 9, 13, 17, 24, 33]))
    func agrees(_ test: KernelCase<Int>) {
        let grid = numbers(test.size * test.size, seed: 1, from: 0, to: 3)
        let expected = Reference.convolve(size: test.size, grid: grid, kernel: kernel)
        let magnitude = expected.map(abs).max() ?? 1
        // Transforms spread the error over all places: a few roundings of the greatest for each of the passes.
        #expect(worstError(convolve(test.size, grid, table: test.table), expected, magnitude: magnitude) <= 24)
    }

    @Test("Lengths of transforms have the factors 2 and 3, and are not much longer than asked for")
    func lengths() {
        for minimum in 1...3000 {
            let length = GridConvolution.transformLength(atLeast: minimum)
            var rest = length
            while rest % 2 == 0 { rest /= 2 }
            while rest % 3 == 0 { rest /= 3 }
            #expect(rest == 1 && length % 4 == 0 && length >= minimum && length <= max(16, minimum * 3 / 2))
        }
    }

    @Test("The same bits for every thread count")
    func threads() {
        let grid = numbers(150 * 150, seed: 2)
        #expect(
            hasSameBitsForEveryThreadCount {
                convolve(150, grid, table: .current).map { Float($0).bitPattern }
            })
    }
}
