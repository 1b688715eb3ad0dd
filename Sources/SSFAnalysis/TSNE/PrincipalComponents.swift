import Foundation
import SSFKernels
import SSFTensors

/// The two directions in which rows vary most, and where the rows lie along them.
public struct PrincipalComponents: Sendable {
    /// [rows, 2]: the rows less their mean, along the first and the second direction.
    public let scores: [Float]

    /// Subspace iteration with a few more directions than wanted (Halko, Martinsson and Tropp 2011), until the two
    /// largest variances stay the same. The sign of a direction is the one that makes its largest component positive.
    ///
    /// - Accuracy: variances within 1e-5 of the largest where they differ; directions of equal variance are any two.
    ///   Where the rows vary in one direction only, the second score is 0.
    public init(_ features: SampleMatrix) {
        let (n, d) = (features.rows, features.columns)
        let block = min(d, 12)
        let x = features.centered(extraColumns: 0)
        let workspace = Workspace()
        var generator = RandomGenerator(seed: 0, stream: "principal-components")
        var basis = Orthonormal(rows: d, columns: block) { _, _ in generator.normal() }
        var projected = [Float](repeating: 0, count: n * block)
        var variances = [Double](repeating: 0, count: block)
        var rotation = Orthonormal.identity(block)
        for round in 0..<60 {
            Self.product(x, basis.floats, n: n, k: d, columns: block, isTransposed: false, into: &projected, workspace)
            // Rayleigh and Ritz: variances within the subspace.
            let gram = Self.gram(projected, rows: n, columns: block)
            let eigen = SymmetricEigen(gram, size: block)
            let change = zip(eigen.values.prefix(2), variances).map { abs($0 - $1) }.max() ?? 0
            variances = eigen.values
            rotation = eigen.vectors
            if round > 0 && change <= 1e-6 * max(variances[0], 1e-300) || d <= block { break }
            var image = [Float](repeating: 0, count: d * block)
            Self.product(x, projected, n: n, k: d, columns: block, isTransposed: true, into: &image, workspace)
            basis = Orthonormal(rows: d, columns: block) { Double(image[$0 * block + $1]) }
        }
        var scores = [Float](repeating: 0, count: 2 * n)
        for component in 0..<min(2, block) where variances[component] > 1e-12 * variances[0] && variances[0] > 0 {
            let direction = (0..<d).map { row in
                (0..<block).reduce(0.0) { $0 + basis[row, $1] * rotation[$1, component] }
            }
            let largest = direction.max { abs($0) < abs($1) } ?? 1
            let sign: Double = largest < 0 ? -1 : 1
            for row in 0..<n {
                var score = 0.0
                for column in 0..<block {
                    score += Double(projected[row * block + column]) * rotation[column, component]
                }
                scores[2 * row + component] = Float(sign * score)
            }
        }
        self.scores = scores
    }

    /// X B, or Xᵀ B: X is [n, k].
    private static func product(
        _ x: [Float], _ b: [Float], n: Int, k: Int, columns: Int, isTransposed: Bool, into c: inout [Float],
        _ workspace: Workspace
    ) {
        x.withUnsafeBufferPointer { x in
            b.withUnsafeBufferPointer { b in
                c.withUnsafeMutableBufferPointer { c in
                    GEMM.multiply(
                        m: isTransposed ? k : n, n: columns, k: isTransposed ? n : k, a: x.baseAddress!,
                        aRowStride: isTransposed ? 1 : k, aColumnStride: isTransposed ? k : 1, b: b.baseAddress!,
                        bRowStride: columns, bColumnStride: 1, c: c.baseAddress!, cRowStride: columns,
                        workspace: workspace)
                }
            }
        }
    }

    private static func gram(_ x: [Float], rows: Int, columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: columns * columns)
        x.withUnsafeBufferPointer { x in
            result.withUnsafeMutableBufferPointer { result in
                for row in 0..<rows {
                    for i in 0..<columns {
                        let value = Double(x[row * columns + i])
                        for j in i..<columns { result[i * columns + j] += value * Double(x[row * columns + j]) }
                    }
                }
                for i in 0..<columns {
                    for j in 0..<i { result[i * columns + j] = result[j * columns + i] }
                }
            }
        }
        return result
    }
}

/// A matrix with orthonormal columns, or a square one of eigenvectors: small, in double precision.
private struct Orthonormal {
    let rows, columns: Int
    var values: [Double]

    subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    var floats: [Float] { values.map { Float($0) } }

    static func identity(_ size: Int) -> Orthonormal {
        Orthonormal(rows: size, columns: size) { $0 == $1 ? 1 : 0 }
    }

    /// Gram and Schmidt, twice. A column that the others span becomes a unit vector that they do not, or zero.
    init(rows: Int, columns: Int, _ element: (Int, Int) -> Double) {
        (self.rows, self.columns) = (rows, columns)
        values = (0..<rows * columns).map { element($0 / columns, $0 % columns) }
        for column in 0..<columns {
            let before = norm(column)
            for _ in 0..<2 {
                for other in 0..<column {
                    var product = 0.0
                    for row in 0..<rows { product += self[row, column] * self[row, other] }
                    for row in 0..<rows { self[row, column] -= product * self[row, other] }
                }
            }
            let after = norm(column)
            let scale = after > 1e-10 * before && after > 0 ? 1 / after : 0
            for row in 0..<rows { self[row, column] *= scale }
        }
    }

    private func norm(_ column: Int) -> Double {
        (0..<rows).reduce(0) { $0 + self[$1, column] * self[$1, column] }.squareRoot()
    }
}

/// Eigenvalues, largest first, and eigenvectors as columns, by Jacobi's rotations.
private struct SymmetricEigen {
    let values: [Double]
    let vectors: Orthonormal

    init(_ matrix: [Double], size: Int) {
        var a = matrix
        var v = Orthonormal.identity(size)
        for _ in 0..<60 {
            var off = 0.0
            var total = 0.0
            for i in 0..<size {
                for j in 0..<size {
                    total += a[i * size + j] * a[i * size + j]
                    if i != j { off += a[i * size + j] * a[i * size + j] }
                }
            }
            if off <= 1e-26 * total { break }
            for p in 0..<size {
                for q in p + 1..<size where a[p * size + q] != 0 {
                    let theta = (a[q * size + q] - a[p * size + p]) / (2 * a[p * size + q])
                    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
                    let c = 1 / (t * t + 1).squareRoot()
                    let s = t * c
                    for i in 0..<size {
                        let (x, y) = (a[i * size + p], a[i * size + q])
                        (a[i * size + p], a[i * size + q]) = (c * x - s * y, s * x + c * y)
                    }
                    for i in 0..<size {
                        let (x, y) = (a[p * size + i], a[q * size + i])
                        (a[p * size + i], a[q * size + i]) = (c * x - s * y, s * x + c * y)
                        let (g, h) = (v[i, p], v[i, q])
                        (v[i, p], v[i, q]) = (c * g - s * h, s * g + c * h)
                    }
                }
            }
        }
        let order = (0..<size).sorted { a[$0 * size + $0] > a[$1 * size + $1] }
        values = order.map { a[$0 * size + $0] }
        var sorted = v
        for (column, old) in order.enumerated() {
            for row in 0..<size { sorted[row, column] = v[row, old] }
        }
        vectors = sorted
    }
}
