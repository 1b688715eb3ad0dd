/// A rectangle of an image, in its pixels, whose edges may lie between pixels: the part that a model was shown.
public struct ImageRegion: Sendable, Hashable, Codable {
    public var x: Double
    public var y: Double
    public var width: Double
    public var height: Double

    public init(x: Double, y: Double, width: Double, height: Double) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    /// The same part of the image when that is drawn at another size.
    public func scaled(across: Double, down: Double) -> ImageRegion {
        ImageRegion(x: x * across, y: y * down, width: width * across, height: height * down)
    }
}
