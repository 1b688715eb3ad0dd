extension Reference {
    /// What `GEMMEpilogue` holds; an empty array for what is absent.
    package struct GEMMOperands {
        package var bias: [Double] = []
        package var scale: [Double] = []
        package var shift: [Double] = []
        package var rowScale: [Double] = []
        package var residual: [Double] = []
        /// The activation, between shift and row factor.
        package var activation: @Sendable (Double) -> Double = { $0 }
        /// z: multiplies by the derivative of GELU there instead.
        package var geluInput: [Double] = []
        /// What C held before, where the product is added to it.
        package var previous: [Double] = []

        package init() {}
    }

    /// C [m, n] = A [m, k] B [k, n] with the epilogue; also h, the product plus bias.
    package static func multiply(
        m: Int, n: Int, k: Int, a: [Double], b: [Double], operands: GEMMOperands = GEMMOperands()
    ) -> (c: [Double], h: [Double]) {
        var c: [Double] = []
        var h: [Double] = []
        for i in 0..<m {
            for j in 0..<n {
                var sum = operands.bias.isEmpty ? 0 : operands.bias[j]
                for p in 0..<k { sum += a[i * k + p] * b[p * n + j] }
                h.append(sum)
                let scale = operands.scale.isEmpty ? 1 : operands.scale[j]
                let shift = operands.shift.isEmpty ? 0 : operands.shift[j]
                let rowScale = operands.rowScale.isEmpty ? 1 : operands.rowScale[i]
                let residual = operands.residual.isEmpty ? 0 : operands.residual[i * n + j]
                let previous = operands.previous.isEmpty ? 0 : operands.previous[i * n + j]
                var value = operands.activation(scale * sum + shift)
                if !operands.geluInput.isEmpty { value *= geluDerivative(operands.geluInput[i * n + j]) }
                c.append(previous + residual + rowScale * value)
            }
        }
        return (c, h)
    }
}
