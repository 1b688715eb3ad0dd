package enum ColumnSum {
    package static func add(
        rows: Int, channels: Int, x: UnsafePointer<Float>, rowStride: Int, into sums: UnsafeMutablePointer<Float>,
        workspace: Workspace, table: KernelTable = .current
    ) {
        for row in 0..<rows {
            for channel in 0..<channels { sums[channel] += x[row * rowStride + channel] }
        }
    }
}
