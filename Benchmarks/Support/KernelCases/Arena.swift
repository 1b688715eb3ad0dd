import SSFKernels
import SSFParallel

/// The memory of one prepared case, given back with it.
///
/// Every array begins on a page of its own, and the threads that will compute on it touch it first, so that on machines
/// with several memories it lies near them.
final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// `count` numbers of one magnitude in [-1, 1), the same in every run.
    func random(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
        let buffer = allocate(Float.self, count)
        forEachPart(buffer) { part, index in
            // A linear congruential generator (Knuth, MMIX) is enough for numbers that are only multiplied.
            var state = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 &+ 1
            for i in part.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                part[i] = Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
            }
        }
        return buffer
    }

    /// The same in the type of a matrix.
    func random<Element: MatrixElement>(_ type: Element.Type, _ count: Int) -> UnsafeMutableBufferPointer<Element> {
        let values = random(count)
        if let values = values as? UnsafeMutableBufferPointer<Element> { return values }
        let rounded = zeros(type, count)
        if let rounded = rounded as? UnsafeMutableBufferPointer<BFloat16> {
            var target = rounded.mutableSpan
            BFloat16.round(values.span, into: &target)
        }
        return rounded
    }

    /// `count` zeros in the type of a matrix.
    func zeros<Element: MatrixElement>(_ type: Element.Type, _ count: Int) -> UnsafeMutableBufferPointer<Element> {
        // Zero is made of zero bits in each of them.
        let floats = zeros((count * MemoryLayout<Element>.stride + 3) / 4)
        return UnsafeMutableBufferPointer(
            start: UnsafeMutableRawPointer(floats.baseAddress!).bindMemory(to: type, capacity: count), count: count)
    }

    /// `count` zeros, the place of a result.
    func zeros(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
        let buffer = allocate(Float.self, count)
        forEachPart(buffer) { part, _ in part.update(repeating: 0) }
        return buffer
    }

    /// `count` numbers that are all `value`.
    func constant(_ value: Float, _ count: Int) -> UnsafeMutableBufferPointer<Float> {
        let buffer = zeros(count)
        buffer.update(repeating: value)
        return buffer
    }

    func allocate<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutableBufferPointer<Element> {
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Element>.stride, alignment: 4096)
        blocks.append(block)
        return UnsafeMutableBufferPointer(start: block.bindMemory(to: type, capacity: count), count: count)
    }

    private func forEachPart(
        _ buffer: UnsafeMutableBufferPointer<Float>,
        _ body: @escaping @Sendable (UnsafeMutableBufferPointer<Float>, Int) -> Void
    ) {
        struct Job {
            var buffer: UnsafeMutableBufferPointer<Float>
            var chunks: Int
            var body: @Sendable (UnsafeMutableBufferPointer<Float>, Int) -> Void
        }
        let job = Job(buffer: buffer, chunks: max(1, buffer.count >> 16), body: body)
        Parallel.run(chunks: job.chunks, context: job) { context, chunk, _ in
            let job = context.assumingMemoryBound(to: Job.self).pointee
            let count = job.buffer.count
            let part = count * chunk / job.chunks..<count * (chunk + 1) / job.chunks
            job.body(UnsafeMutableBufferPointer(rebasing: job.buffer[part]), chunk)
        }
    }
}
