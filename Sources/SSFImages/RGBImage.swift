/// An image in memory: 8-bit red, green and blue, interleaved, row after row from the top.
///
/// Every decoder ends here whatever the file held, so that the rest of the pipeline knows one form.
public struct RGBImage: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// `height * width * 3` bytes, element (y, x, channel) at `(y * width + x) * 3 + channel`.
    public var pixels: [UInt8]

    /// - Precondition: both sides are positive and `pixels` holds `height * width * 3` bytes.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// An image whose bytes `fill` writes, all of them.
    package init(
        width: Int, height: Int, fill: (UnsafeMutablePointer<UInt8>) throws -> Void
    ) rethrows {
        precondition(width > 0 && height > 0)
        self.width = width
        self.height = height
        pixels = try Array(unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            try fill(buffer.baseAddress!)
            count = width * height * 3
        }
    }

    /// Calls `body` with a view of the whole image, valid only inside the call.
    package func withView<Result>(_ body: (PixelView) throws -> Result) rethrows -> Result {
        try pixels.withUnsafeBufferPointer {
            try body(PixelView(base: $0.baseAddress!, width: width, height: height, rowStride: width * 3))
        }
    }
}

/// A rectangle of an image that somebody else owns: a crop costs no copy.
package struct PixelView {
    package let base: UnsafePointer<UInt8>
    package let width: Int
    package let height: Int
    /// Bytes from a pixel to the one below it.
    package let rowStride: Int

    package init(base: UnsafePointer<UInt8>, width: Int, height: Int, rowStride: Int) {
        self.base = base
        self.width = width
        self.height = height
        self.rowStride = rowStride
    }

    /// The part of the view that `box` names.
    ///
    /// - Precondition: the box is not empty and lies inside.
    package func cropped(to box: PixelBox) -> PixelView {
        precondition(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0)
        precondition(box.x + box.width <= width && box.y + box.height <= height)
        return PixelView(
            base: base + (box.y * rowStride + box.x * 3), width: box.width, height: box.height, rowStride: rowStride)
    }
}

/// A rectangle of whole pixels.
public struct PixelBox: Sendable, Equatable {
    public var x: Int
    public var y: Int
    public var width: Int
    public var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}
