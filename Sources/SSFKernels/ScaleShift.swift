package enum ScaleShift {
    package static func forward(
        rows: Int, channels: Int, x: UnsafePointer<Float>, scale: UnsafePointer<Float>?, shift: UnsafePointer<Float>?,
        y: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        store(
            Reference.scaleShift(
                rows: rows, channels: channels, x: doubles(x, rows * channels), scale: doubles(scale, channels),
                shift: doubles(shift, channels)), y)
    }

    package static func backward(
        rows: Int, channels: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>?, scale: UnsafePointer<Float>?,
        dx: UnsafeMutablePointer<Float>?, accumulate: Bool, dScale: UnsafeMutablePointer<Float>?,
        dShift: UnsafeMutablePointer<Float>?, workspace: Workspace, table: KernelTable = .current
    ) {
        let r = Reference.scaleShiftBackward(
            rows: rows, channels: channels, dy: doubles(dy, rows * channels),
            x: doubles(x ?? dy, rows * channels), scale: doubles(scale, channels))
        store(r.dScale, dScale, adding: true)
        store(r.dShift, dShift, adding: true)
        store(r.dx, dx, adding: accumulate)
    }
}
