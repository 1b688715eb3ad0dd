package enum Softmax {
    package static func forward(
        rows: Int, columns: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        store(Reference.softmax(rows: rows, columns: columns, x: doubles(x, rows * columns)), y)
    }

    package static func backward(
        rows: Int, columns: Int, dy: UnsafePointer<Float>, y: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        store(
            Reference.softmaxBackward(
                rows: rows, columns: columns, dy: doubles(dy, rows * columns), y: doubles(y, rows * columns)), dx)
    }
}
