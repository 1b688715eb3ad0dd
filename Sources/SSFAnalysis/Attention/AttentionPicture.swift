/// A map of attention as pixels, laid over the image from which it was made or alone.
///
/// The map is put back where the model saw it: the crop and the resize of the preprocessing are undone, so that patch
/// (row, column) covers exactly the pixels that it was cut from. What the crop left out has no attention, and is shown
/// dark.
public struct AttentionPicture: Sendable {
    /// What stands between the middles of patches.
    public enum Interpolation: String, Sendable, CaseIterable, Codable {
        /// Blended from the four nearest.
        case bilinear
        /// The value of the patch itself.
        case nearest
    }

    /// How much of the colour is the map's in an overlay; the rest is the image, without its colours.
    private static let opacity = 0.6
    /// Brightness of the image where the model did not see it.
    private static let unseen = 0.35

    public let map: AttentionMap
    /// The part of the picture that the map covers.
    public let region: ImageRegion
    public let interpolation: Interpolation
    /// The values of the first and the last colour.
    public let range: ClosedRange<Double>
    /// 256 colours, red, green and blue.
    private let colors: [(red: UInt8, green: UInt8, blue: UInt8)]

    /// - Parameters:
    ///   - region: in pixels of the picture that is drawn.
    ///   - range: nil for the map's least and greatest value.
    public init(
        _ map: AttentionMap, region: ImageRegion, interpolation: Interpolation = .bilinear,
        range: ClosedRange<Double>? = nil, colors: ColorMap = .sequential
    ) {
        (self.map, self.region, self.interpolation) = (map, region, interpolation)
        self.range = range ?? map.range(above: 0)
        self.colors = (0..<256).map { index in
            let pixel = colors.pixel(Double(index) / 255)
            return (UInt8(pixel >> 16 & 0xFF), UInt8(pixel >> 8 & 0xFF), UInt8(pixel & 0xFF))
        }
    }

    /// The map over an image.
    ///
    /// - Parameter image: `height * width * 3` bytes, red, green and blue.
    /// - Returns: as many.
    public func overlay(on image: [UInt8], width: Int, height: Int) -> [UInt8] {
        precondition(width > 0 && height > 0 && image.count == width * height * 3)
        return draw(width: width, height: height) { offset, color, target in
            // Rec. 601, as Pillow's `convert('L')`.
            let grey =
                (299 * Int(image[offset]) + 587 * Int(image[offset + 1]) + 114 * Int(image[offset + 2]) + 500) / 1000
            guard let color else {
                let value = UInt8(Self.unseen * Double(grey))
                (target[offset], target[offset + 1], target[offset + 2]) = (value, value, value)
                return
            }
            func blend(_ part: UInt8) -> UInt8 {
                UInt8(Self.opacity * Double(part) + (1 - Self.opacity) * Double(grey) + 0.5)
            }
            target[offset] = blend(color.red)
            target[offset + 1] = blend(color.green)
            target[offset + 2] = blend(color.blue)
        }
    }

    /// The map alone, black where the model did not look.
    ///
    /// - Returns: `height * width * 3` bytes, red, green and blue.
    public func alone(width: Int, height: Int) -> [UInt8] {
        precondition(width > 0 && height > 0)
        return draw(width: width, height: height) { offset, color, target in
            (target[offset], target[offset + 1], target[offset + 2]) =
                color.map { ($0.red, $0.green, $0.blue) } ?? (0, 0, 0)
        }
    }

    /// Calls `body` for every pixel with its place among the bytes and its colour, nil where the map has none.
    private func draw(
        width: Int, height: Int,
        _ body: (Int, (red: UInt8, green: UInt8, blue: UInt8)?, UnsafeMutableBufferPointer<UInt8>) -> Void
    ) -> [UInt8] {
        let across = (0..<width).map { Sample($0, start: region.x, size: region.width, count: map.columns, self) }
        let span = range.upperBound - range.lowerBound
        return [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
            for y in 0..<height {
                let down = Sample(y, start: region.y, size: region.height, count: map.rows, self)
                for x in 0..<width {
                    let offset = (y * width + x) * 3
                    guard let row = down, let column = across[x] else {
                        body(offset, nil, target)
                        continue
                    }
                    let upper = column.blend(map.values, row.first * map.columns)
                    let lower = column.blend(map.values, row.second * map.columns)
                    let value = upper + row.part * (lower - upper)
                    let part = span > 0 ? (value - range.lowerBound) / span : 0
                    body(offset, colors[Int(255 * min(max(part, 0), 1) + 0.5)], target)
                }
            }
            count = width * height * 3
        }
    }

    /// Between which two patches the middle of a pixel lies, along one axis, and how far from the first to the second.
    private struct Sample {
        let first: Int
        let second: Int
        let part: Double

        /// Nil for a pixel outside of the region.
        init?(_ pixel: Int, start: Double, size: Double, count: Int, _ picture: AttentionPicture) {
            let place = (Double(pixel) + 0.5 - start) / size * Double(count)
            guard place >= 0, place < Double(count) else { return nil }
            switch picture.interpolation {
            case .nearest:
                first = min(Int(place), count - 1)
                second = first
                part = 0
            case .bilinear:
                // Values stand in the middles of patches; towards the edge of the region they stay as they are.
                let centered = min(max(place - 0.5, 0), Double(count - 1))
                first = Int(centered)
                second = min(first + 1, count - 1)
                part = centered - Double(first)
            }
        }

        func blend(_ values: [Double], _ row: Int) -> Double {
            values[row + first] + part * (values[row + second] - values[row + first])
        }
    }
}
