/// An image that fills a panel whose axes are `.hidden`; the panel gets its proportions.
public struct Picture: Mark {
    public var width: Int
    public var height: Int
    /// 0xRRGGBB, rows from the top.
    public var pixels: [UInt32]
    /// Blends between pixels where the picture is enlarged or made smaller.
    public var isSmooth: Bool

    /// - Precondition: there are `width` x `height` pixels, at least one.
    public init(width: Int, height: Int, pixels: [UInt32], isSmooth: Bool = true) {
        precondition(width > 0 && height > 0 && pixels.count == width * height, "\(width) x \(height) pixels")
        (self.width, self.height, self.pixels, self.isSmooth) = (width, height, pixels, isSmooth)
    }

    public var fillsFrame: Bool { true }

    public func covered() -> [DataPoint] { [DataPoint(0, 0), DataPoint(Double(width), Double(height))] }

    public func draw(_ pen: Pen, _ area: PlotArea) {
        pen.canvas.image(pixels, width: width, height: height, in: area.frame, isSmooth: isSmooth)
    }
}
