// The public entries take spans, the kernels take pointers. The memory of a span stays where it is as long as the span
// is borrowed, which is until the entry returns; the pointers live no longer.

extension Span where Element: BitwiseCopyable {
    /// The address of the first element; for an empty span some address that nobody reads.
    var start: UnsafePointer<Element> {
        withUnsafeBufferPointer { $0.baseAddress } ?? UnsafePointer(bitPattern: 64)!
    }
}

extension MutableSpan where Element: BitwiseCopyable {
    /// The address of the first element; for an empty span some address that nobody touches.
    var start: UnsafeMutablePointer<Element> {
        mutating get {
            withUnsafeMutableBufferPointer { $0.baseAddress } ?? UnsafeMutablePointer(bitPattern: 64)!
        }
    }
}
