package enum GELU {
    package static func forward(
        count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        for i in 0..<count { y[i] = Float(Reference.gelu(Double(x[i]))) }
    }

    package static func backward(
        count: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        for i in 0..<count { dx[i] = dy[i] * Float(Reference.geluDerivative(Double(x[i]))) }
    }
}
