import SSFParallel
import SSFTensors

/// Features of a layer: one row of `width` numbers for each sample, f32, in memory of its own.
package struct FeatureMatrix: @unchecked Sendable {
    package let count: Int
    package let width: Int
    private let tensor: Tensor

    /// Rows that the caller fills through `row`.
    package init(count: Int, width: Int) {
        precondition(count > 0 && width > 0, "features [\(count), \(width)]")
        (self.count, self.width) = (count, width)
        tensor = Tensor(zeros: [count, width])
    }

    /// - Precondition: `values` are whole rows.
    package init(_ values: [Float], width: Int) {
        self.init(count: values.count / width, width: width)
        precondition(values.count == count * width, "\(values.count) values in rows of \(width)")
        _ = tensor.floats.update(fromContentsOf: values)
    }

    /// The numbers of a sample, good for as long as the matrix lives.
    package func row(_ index: Int) -> UnsafeMutablePointer<Float> {
        precondition(index >= 0 && index < count)
        return tensor.floats.baseAddress! + index * width
    }

    /// All rows, one after the other.
    package var base: UnsafeMutablePointer<Float> { tensor.floats.baseAddress! }

    /// A copy of some rows.
    func rows(_ indices: [Int]) -> FeatureMatrix {
        let part = FeatureMatrix(count: indices.count, width: width)
        for (place, index) in indices.enumerated() { part.row(place).update(from: row(index), count: width) }
        return part
    }

    /// Bytes that such a matrix takes.
    package static func byteCount(count: Int, width: Int) -> Int { 4 * count * width }

    /// Whether every number is finite.
    package var isFinite: Bool { tensor.floats.allSatisfy(\.isFinite) }

    /// Subtracts from every column its mean, which is summed in double precision: what similarity is measured on has no
    /// mean, and products of numbers without one lose nothing to it.
    ///
    /// - Parameter matrices: each is changed in place, all at the same time.
    package static func center(_ matrices: [FeatureMatrix]) {
        Parallel.run(chunks: matrices.count, context: matrices) { context, chunk, _ in
            context.assumingMemoryBound(to: [FeatureMatrix].self).pointee[chunk].center()
        }
    }

    private func center() {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { means in
            means.initialize(repeating: 0)
            for index in 0..<count {
                let row = row(index)
                for c in 0..<width { means[c] += Double(row[c]) }
            }
            for c in 0..<width { means[c] /= Double(count) }
            for index in 0..<count {
                let row = row(index)
                for c in 0..<width { row[c] = Float(Double(row[c]) - means[c]) }
            }
        }
    }

    /// The squared length of each row, in double precision.
    package func squaredNorms() -> [Double] {
        (0..<count).map { SumOfProducts.ofSquares(row($0), count: width) }
    }
}

/// Sums of products of floats in double precision. A product of two floats is exact there.
package enum SumOfProducts {
    /// The sum of `x[i] * x[i]`.
    package static func ofSquares(_ x: UnsafePointer<Float>, count: Int) -> Double { of(x, x, count: count) }

    /// The sum of `x[i] * y[i]`, in four parts: always the same order.
    package static func of(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Double {
        var parts = SIMD4<Double>.zero
        var i = 0
        while i + 4 <= count {
            let a = SIMD4(Double(x[i]), Double(x[i + 1]), Double(x[i + 2]), Double(x[i + 3]))
            let b = SIMD4(Double(y[i]), Double(y[i + 1]), Double(y[i + 2]), Double(y[i + 3]))
            parts += a * b
            i += 4
        }
        var sum = (parts[0] + parts[1]) + (parts[2] + parts[3])
        while i < count {
            sum += Double(x[i]) * Double(y[i])
            i += 1
        }
        return sum
    }
}
