import Foundation

extension Reference {
    /// `exp(x[j]) / sum over k of exp(x[k])` in every row.
    package static func softmax(rows: Int, columns: Int, x: [Double]) -> [Double] {
        var y = x
        for row in 0..<rows {
            let range = row * columns..<(row + 1) * columns
            let logSum = logSumExp(x[range])
            for i in range {
                y[i] = exp(x[i] - logSum)
            }
        }
        return y
    }

    /// The gradient of ``softmax(rows:columns:x:)`` with respect to x, from its result `y`.
    package static func softmaxBackward(rows: Int, columns: Int, dy: [Double], y: [Double]) -> [Double] {
        var dx = y
        for row in 0..<rows {
            let range = row * columns..<(row + 1) * columns
            let sum = range.reduce(0) { $0 + dy[$1] * y[$1] }
            for i in range {
                dx[i] = y[i] * (dy[i] - sum)
            }
        }
        return dx
    }

    /// `log(sum of exp(x[k]))`, taken relative to the greatest value so that nothing overflows.
    package static func logSumExp(_ x: some Collection<Double>) -> Double {
        guard let greatest = x.max(), greatest.isFinite else { return x.max() ?? -.infinity }
        return greatest + log(x.reduce(0) { $0 + exp($1 - greatest) })
    }
}
