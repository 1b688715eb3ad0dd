package enum Elementwise {
    package static func add(
        count: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        for i in 0..<count { out[i] = a[i] + b[i] }
    }

    package static func addInPlace(
        count: Int, x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        for i in 0..<count { y[i] += x[i] }
    }

    package static func scaleRows(
        rows: Int, channels: Int, x: UnsafePointer<Float>, rowScale: UnsafePointer<Float>,
        y: UnsafeMutablePointer<Float>, accumulate: Bool, table: KernelTable = .current
    ) {
        for i in 0..<rows * channels { y[i] = (accumulate ? y[i] : 0) + rowScale[i / channels] * x[i] }
    }

    package static func fill(
        count: Int, value: Float, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        for i in 0..<count { y[i] = value }
    }

    package static func copyRows(
        rows: Int, channels: Int, x: UnsafePointer<Float>, xRowStride: Int, y: UnsafeMutablePointer<Float>,
        yRowStride: Int, accumulate: Bool, table: KernelTable = .current
    ) {
        for row in 0..<rows {
            for channel in 0..<channels {
                let i = row * yRowStride + channel
                y[i] = (accumulate ? y[i] : 0) + x[row * xRowStride + channel]
            }
        }
    }

    package static func sumOfSquares(count: Int, x: UnsafePointer<Float>, table: KernelTable = .current) -> Double {
        (0..<count).reduce(0) { $0 + Double(x[$1]) * Double(x[$1]) }
    }

    package static func isFinite(count: Int, x: UnsafePointer<Float>, table: KernelTable = .current) -> Bool {
        (0..<count).allSatisfy { x[$0].isFinite }
    }

    package static func multiplyAdd(
        count: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>, c: UnsafePointer<Float>?,
        out: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        for i in 0..<count { out[i] = a[i] * b[i] + (c?[i] ?? 0) }
    }
}
