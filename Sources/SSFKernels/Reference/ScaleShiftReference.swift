extension Reference {
    /// `y = scale * x + shift` in every row.
    package static func scaleShift(
        rows: Int, channels: Int, x: [Double], scale: [Double]?, shift: [Double]?
    ) -> [Double] {
        (0..<rows * channels).map { i in
            (scale?[i % channels] ?? 1) * x[i] + (shift?[i % channels] ?? 0)
        }
    }

    /// The gradients of ``scaleShift(rows:channels:x:scale:shift:)`` with respect to x, scale and shift.
    package static func scaleShiftBackward(
        rows: Int, channels: Int, dy: [Double], x: [Double], scale: [Double]?
    ) -> (dx: [Double], dScale: [Double], dShift: [Double]) {
        var dScale = [Double](repeating: 0, count: channels)
        var dx = dy
        for i in 0..<rows * channels {
            dScale[i % channels] += dy[i] * x[i]
            dx[i] = dy[i] * (scale?[i % channels] ?? 1)
        }
        return (dx, dScale, columnSum(rows: rows, channels: channels, x: dy))
    }

    /// The sum of every column of `x`.
    package static func columnSum(rows: Int, channels: Int, x: [Double]) -> [Double] {
        var sums = [Double](repeating: 0, count: channels)
        for i in 0..<rows * channels {
            sums[i % channels] += x[i]
        }
        return sums
    }
}
