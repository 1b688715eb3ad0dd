import CIntrinsics
import SSFParallel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Convolves square grids of real numbers with a real kernel that is symmetric in both directions, by Fourier transforms:
///
///     out[i, j] = sum_kl kernel(|i - k|, |j - l|) grid[k, l]
///
/// The kernel is given once by its samples and kept as its spectrum; the grid is padded with zeros to twice its size, so
/// that nothing wraps around.
///
/// - Accuracy: single precision: the error is within about 1e-6 of the root mean square of what is summed.
/// - Threading: over columns and frequencies on the whole team; the same bits for every thread count.
package final class GridConvolution {
    /// Rows and columns of a grid.
    package let size: Int
    /// Elements from one row of a grid to the next: columns from `size` on have to be zero in what goes in.
    package let rowStride: Int
    /// Elements of a transform: at least twice `size`.
    package let length: Int

    private let table: GridFourierTable
    private let radices: UnsafeMutablePointer<Int32>
    private let twiddles: UnsafeMutablePointer<Float>
    private let spectrum: UnsafeMutablePointer<Float>
    private let kernel: UnsafeMutablePointer<Float>
    private let plan: ssf_grid_plan
    private var hasKernel = false

    /// The lengths that transforms have: 2^a 3^b, even and divisible by 4 (that leaves room for few passes).
    package static func transformLength(atLeast minimum: Int) -> Int {
        var best = Int.max
        var power = 4
        while power < 2 * max(minimum, 4) {
            var length = power
            while length < minimum { length *= 3 }
            best = min(best, length)
            power *= 2
        }
        return best
    }

    /// Makes room and tables.
    ///
    /// - Parameters:
    ///   - size: 1 or more.
    ///   - padding: transform elements beyond twice the size, at least: how far a kernel's spectrum may be sharpened.
    package init(size: Int, padding: Int = 0, table: KernelTable = .current) {
        precondition(size >= 1 && padding >= 0, "a grid of \(size)")
        self.size = size
        self.table = table.gridFourier
        let lanes = table.gridFourier.lanes
        length = Self.transformLength(atLeast: 2 * size + padding)
        rowStride = Self.rounded(size, to: 2 * lanes)
        let (radices, twiddles) = Self.passes(of: length)
        self.radices = .allocate(capacity: radices.count)
        self.radices.initialize(from: radices, count: radices.count)
        self.twiddles = .allocate(capacity: twiddles.count)
        self.twiddles.initialize(from: twiddles, count: twiddles.count)
        let groups = (length / 2 + lanes) / lanes
        spectrum = Self.floats(groups * rowStride * 2 * lanes)
        kernel = Self.floats(groups * length * lanes)
        plan = ssf_grid_plan(
            length: length, size: size, columns: rowStride, passes: radices.count, radices: self.radices,
            twiddles: self.twiddles)
    }

    deinit {
        radices.deallocate()
        twiddles.deallocate()
        UnsafeMutableRawPointer(spectrum).deallocate()
        UnsafeMutableRawPointer(kernel).deallocate()
    }

    // MARK: - The kernel

    /// Takes another kernel.
    ///
    /// - Parameters:
    ///   - factors: [length / 2 + 1]: what the spectrum is multiplied by at each frequency of either direction.
    ///   - sample: the kernel at the distance of so many rows and columns, each at most half of `length`.
    package func setKernel(factors: [Double], workspace: Workspace, sample: (Int, Int) -> Float) {
        precondition(factors.count == length / 2 + 1, "\(factors.count) factors for \(length / 2 + 1) frequencies")
        hasKernel = true
        let lanes = table.lanes
        let whole = Self.rounded(length, to: 2 * lanes)
        let groups = (length / 2 + lanes) / lanes
        let gridCount = length * whole
        let spectrumCount = groups * whole * 2 * lanes
        let factorCount = groups * lanes + length
        let slotCount = 4 * length * lanes
        let team = Parallel.threads
        let memory = workspace.reserve(
            bytes: 4 * (gridCount + spectrumCount + Self.rounded(factorCount, to: 16) + slotCount * team)
        ).assumingMemoryBound(to: Float.self)
        let wholeSpectrum = memory + gridCount
        let rowFactors = wholeSpectrum + spectrumCount
        let columnFactors = rowFactors + groups * lanes
        let scratch = rowFactors + Self.rounded(factorCount, to: 16)
        let half = length / 2
        for row in 0...half {
            let target = memory + row * whole
            for column in 0...half { target[column] = sample(row, column) }
            for column in half + 1..<length { target[column] = target[length - column] }
            for column in length..<whole { target[column] = 0 }
            if row > 0 && row < half { (memory + (length - row) * whole).update(from: target, count: whole) }
        }
        // The transforms back have no factor of their own.
        let scale = 1 / (Double(length) * Double(length))
        for k in 0..<groups * lanes { rowFactors[k] = k <= half ? Float(factors[k] * scale) : 0 }
        for k in 0..<length { columnFactors[k] = Float(factors[min(k, length - k)]) }
        var wholePlan = plan
        wholePlan.size = length
        wholePlan.columns = whole
        let job = Job(
            plan: wholePlan, table: table, grid: memory, gridStride: whole, out: memory, outStride: whole,
            spectrum: wholeSpectrum, kernel: kernel, rowFactors: rowFactors, columnFactors: columnFactors,
            scratch: scratch, slotCount: slotCount)
        job.run(.forward, chunks: whole / (2 * lanes), team: team)
        job.run(.kernel, chunks: groups, team: team)
    }

    // MARK: - Convolving

    /// out = kernel * grid.
    ///
    /// - Parameters:
    ///   - grid: [size, rowStride], zero in columns from `size` on.
    ///   - out: [size, rowStride]; columns from `size` on are undefined. May be `grid`.
    /// - Precondition: there is a kernel.
    package func convolve(
        grid: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, workspace: Workspace
    ) {
        precondition(hasKernel, "a convolution without a kernel")
        let lanes = table.lanes
        let team = Parallel.threads
        let slotCount = 4 * length * lanes
        let scratch = workspace.reserve(bytes: 4 * slotCount * team).assumingMemoryBound(to: Float.self)
        let job = Job(
            plan: plan, table: table, grid: grid, gridStride: rowStride, out: out, outStride: rowStride,
            spectrum: spectrum, kernel: kernel, rowFactors: grid, columnFactors: grid, scratch: scratch,
            slotCount: slotCount)
        let tiles = rowStride / (2 * lanes)
        job.run(.forward, chunks: tiles, team: team)
        job.run(.convolve, chunks: (length / 2 + lanes) / lanes, team: team)
        job.run(.backward, chunks: tiles, team: team)
    }

    private enum Part { case forward, kernel, convolve, backward }

    private struct Job {
        var plan: ssf_grid_plan
        let table: GridFourierTable
        let grid: UnsafePointer<Float>
        let gridStride: Int
        let out: UnsafeMutablePointer<Float>
        let outStride: Int
        let spectrum, kernel: UnsafeMutablePointer<Float>
        let rowFactors, columnFactors: UnsafePointer<Float>
        /// For each thread `slotCount` floats.
        let scratch: UnsafeMutablePointer<Float>
        let slotCount: Int
        var part = Part.forward

        func run(_ part: Part, chunks: Int, team: Int) {
            var job = self
            job.part = part
            Parallel.run(chunks: chunks, team: team, context: job) { context, chunk, slot in
                let job = context.assumingMemoryBound(to: Job.self).pointee
                withUnsafePointer(to: job.plan) { plan in
                    job.run(plan, chunk, job.scratch + slot * job.slotCount)
                }
            }
        }

        private func run(_ plan: UnsafePointer<ssf_grid_plan>, _ chunk: Int, _ scratch: UnsafeMutablePointer<Float>) {
            switch part {
            case .forward: table.forward(plan, chunk, grid, gridStride, spectrum, scratch)
            case .kernel: table.kernel(plan, chunk, spectrum, rowFactors, columnFactors, kernel, scratch)
            case .convolve: table.convolve(plan, chunk, kernel, spectrum, scratch)
            case .backward: table.backward(plan, chunk, spectrum, out, outStride, scratch)
            }
        }
    }

    // MARK: - Tables

    private static func rounded(_ count: Int, to multiple: Int) -> Int {
        (count + multiple - 1) / multiple * multiple
    }

    private static func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        LargeMemory.allocate(byteCount: 4 * count).initializeMemory(as: Float.self, repeating: 0, count: count)
    }

    /// The radix of each pass, fours first, and the cosines and sines of exp(-2 pi i p j / n) for p < n / radix and
    /// 0 < j < radix, where n is what the passes before have left of the length.
    private static func passes(of length: Int) -> (radices: [Int32], twiddles: [Float]) {
        var radices: [Int32] = []
        var twiddles: [Float] = []
        var rest = length
        while rest > 1 {
            let radix = rest % 4 == 0 ? 4 : rest % 3 == 0 ? 3 : 2
            precondition(rest % radix == 0, "\(length) has other factors than 2 and 3")
            for p in 0..<rest / radix {
                for j in 1..<radix {
                    let angle = -2 * Double.pi * Double(p * j) / Double(rest)
                    twiddles.append(Float(cos(angle)))
                    twiddles.append(Float(sin(angle)))
                }
            }
            radices.append(Int32(radix))
            rest /= radix
        }
        return (radices, twiddles)
    }
}
