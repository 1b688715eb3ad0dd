import Foundation
import SSFKernels
import SSFTensors

/// Rows of numbers to be embedded: one sample a row.
public struct SampleMatrix: Sendable {
    /// Samples.
    public let rows: Int
    /// Numbers of a sample.
    public let columns: Int
    /// [rows, columns], row-major.
    public let values: [Float]

    /// - Parameters:
    ///   - values: [rows, columns], row-major.
    ///   - name: what errors call it.
    /// - Throws: `UserError` if it is empty, or a number is infinite or NaN.
    /// - Precondition: `values.count == rows * columns`.
    public init(rows: Int, columns: Int, values: [Float], name: String = "features") throws {
        precondition(values.count == rows * columns, "\(values.count) numbers are not \(rows) x \(columns)")
        guard rows > 0, columns > 0 else {
            throw UserError(
                "\(name): there is nothing to embed", expected: "samples x features, at least 1 of each",
                found: "\(rows) x \(columns)")
        }
        let isFinite = values.withUnsafeBufferPointer { Elementwise.isFinite(count: $0.count, x: $0.baseAddress!) }
        if !isFinite {
            let place = values.firstIndex { !$0.isFinite }!
            throw UserError(
                "\(name): row \(place / columns), column \(place % columns) is not a finite number",
                expected: "finite numbers", found: "\(values[place])",
                remedy: "leave such samples out, or find out where they come from")
        }
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    /// Takes double precision: the mean of each column is subtracted before rounding, so that what distinguishes the
    /// samples keeps its digits. Distances do not change by it.
    ///
    /// - Throws: as the other; and where the numbers spread too far for single precision.
    public init(rows: Int, columns: Int, doubles: UnsafeBufferPointer<Double>, name: String = "features") throws {
        precondition(doubles.count == rows * columns, "\(doubles.count) numbers are not \(rows) x \(columns)")
        var means = [Double](repeating: 0, count: columns)
        for row in 0..<rows {
            for column in 0..<columns { means[column] += doubles[row * columns + column] / Double(rows) }
        }
        var values = [Float](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                let place = row * columns + column
                // A number that is not finite stays one, and is reported with its place.
                let centered = doubles[place].isFinite ? doubles[place] - means[column] : doubles[place]
                values[place] = Float(centered)
            }
        }
        if means.contains(where: { !$0.isFinite }), doubles.allSatisfy(\.isFinite) {
            throw UserError(
                "\(name): the numbers are too large", expected: "numbers whose sums are finite",
                remedy: "divide them by a constant; the embedding does not depend on it")
        }
        try self.init(rows: rows, columns: columns, values: values, name: name)
    }

    /// Whether all samples are the same.
    public var isConstant: Bool {
        values.withUnsafeBufferPointer { values in
            (1..<rows).allSatisfy { row in
                (0..<columns).allSatisfy { values[row * columns + $0] == values[$0] }
            }
        }
    }

    /// The rows less their mean, times a power of two such that the largest number has a magnitude within 0.5 ... 1: the
    /// products of what results neither overflow nor vanish. All zero where the rows are all the same.
    ///
    /// - Returns: [rows, columns + extra], the last `extra` columns zero; one rounding each.
    func centered(extraColumns extra: Int) -> [Float] {
        var means = [Double](repeating: 0, count: columns)
        values.withUnsafeBufferPointer { values in
            for row in 0..<rows {
                for column in 0..<columns { means[column] += Double(values[row * columns + column]) }
            }
        }
        for column in 0..<columns { means[column] /= Double(rows) }
        var largest = 0.0
        values.withUnsafeBufferPointer { values in
            for row in 0..<rows {
                for column in 0..<columns {
                    largest = max(largest, abs(Double(values[row * columns + column]) - means[column]))
                }
            }
        }
        let scale = largest > 0 ? Double(sign: .plus, exponent: -largest.exponent - 1, significand: 1) : 1
        let stride = columns + extra
        return [Float](unsafeUninitializedCapacity: rows * stride) { buffer, count in
            values.withUnsafeBufferPointer { values in
                for row in 0..<rows {
                    for column in 0..<columns {
                        buffer[row * stride + column] = Float(
                            (Double(values[row * columns + column]) - means[column]) * scale)
                    }
                    for column in columns..<stride { buffer[row * stride + column] = 0 }
                }
            }
            count = rows * stride
        }
    }
}
