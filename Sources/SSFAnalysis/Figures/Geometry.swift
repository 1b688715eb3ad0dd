/// A place on a figure, in points of 1/72 inch from its top left corner, y downwards.
public struct Location: Sendable, Hashable {
    public var x: Double
    public var y: Double

    public init(_ x: Double, _ y: Double) {
        (self.x, self.y) = (x, y)
    }
}

/// An upright rectangle on a figure, in points.
public struct Rectangle: Sendable, Hashable {
    public var x: Double
    public var y: Double
    public var width: Double
    public var height: Double

    public init(x: Double, y: Double, width: Double, height: Double) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    public var maxX: Double { x + width }
    public var maxY: Double { y + height }
    public var center: Location { Location(x + width / 2, y + height / 2) }

    /// Whether the two share more than an edge.
    public func overlaps(_ other: Rectangle) -> Bool {
        x < other.maxX && other.x < maxX && y < other.maxY && other.y < maxY
    }

    /// Whether all of the other one lies inside, edges included.
    public func contains(_ other: Rectangle) -> Bool {
        other.x >= x && other.y >= y && other.maxX <= maxX && other.maxY <= maxY
    }

    /// Larger by a margin on every side; smaller by a negative one.
    public func grown(by margin: Double) -> Rectangle {
        Rectangle(x: x - margin, y: y - margin, width: width + 2 * margin, height: height + 2 * margin)
    }

    /// Whether a straight line between two places touches the rectangle (Liang, Barsky 1984).
    public func meetsLine(from start: Location, to end: Location) -> Bool {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        var (enter, leave) = (0.0, 1.0)
        for (direction, distance) in [
            (-dx, start.x - x), (dx, maxX - start.x), (-dy, start.y - y), (dy, maxY - start.y),
        ] {
            if direction == 0 {
                if distance < 0 { return false }
            } else if direction < 0 {
                enter = max(enter, distance / direction)
            } else {
                leave = min(leave, distance / direction)
            }
        }
        return enter <= leave
    }
}
