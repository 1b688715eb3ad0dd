import Foundation

/// A point or direction in a picture; x to the right, y down, the picture's sides are 1.
struct Point: Sendable {
    var x: Float
    var y: Float

    static func - (a: Point, b: Point) -> Point { Point(x: a.x - b.x, y: a.y - b.y) }
    var length: Float { (x * x + y * y).squareRoot() }
}

/// An outline within the unit circle, known by its signed distance: negative inside.
enum Shape2D: String, CaseIterable, Sendable {
    case disc, square, triangle, cross, star, ring, crescent, ell
    /// Outlines with a head and a tail, which points to positive x.
    case wedge, drop, arrow

    /// Outlines that look different at any angle.
    static let distinct: [Shape2D] = [.disc, .square, .triangle, .cross, .star, .ring, .crescent, .ell]
    static let pointed: [Shape2D] = [.wedge, .drop, .arrow]
    /// Plain outlines for tasks in which the outline is not the question.
    static let plain: [Shape2D] = [.disc, .square, .triangle]

    /// The signed distance of a point to the outline, exact or a lower bound near it.
    func distance(_ p: Point) -> Float {
        switch self {
        case .disc: return p.length - 0.85
        case .ring: return abs(p.length - 0.68) - 0.22
        case .crescent: return max(p.length - 0.9, 0.72 - (p - Point(x: 0.42, y: 0)).length)
        case .drop: return min((p - Point(x: -0.35, y: 0)).length - 0.5, Shape2D.polygon(Shape2D.dropTail, p))
        case .square: return Shape2D.polygon(Shape2D.squareCorners, p)
        case .triangle: return Shape2D.polygon(Shape2D.triangleCorners, p)
        case .cross: return Shape2D.polygon(Shape2D.crossCorners, p)
        case .star: return Shape2D.polygon(Shape2D.starCorners, p)
        case .ell: return Shape2D.polygon(Shape2D.ellCorners, p)
        case .wedge: return Shape2D.polygon(Shape2D.wedgeCorners, p)
        case .arrow: return Shape2D.polygon(Shape2D.arrowCorners, p)
        }
    }

    private static func points(_ coordinates: [(Float, Float)]) -> [Point] {
        coordinates.map { Point(x: $0.0, y: $0.1) }
    }

    private static let squareCorners = points([(-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75)])
    private static let triangleCorners = points([(1, 0), (-0.5, 0.866), (-0.5, -0.866)])
    private static let crossCorners = points([
        (-0.95, -0.3), (-0.3, -0.3), (-0.3, -0.95), (0.3, -0.95), (0.3, -0.3), (0.95, -0.3), (0.95, 0.3), (0.3, 0.3),
        (0.3, 0.95), (-0.3, 0.95), (-0.3, 0.3), (-0.95, 0.3),
    ])
    private static let starCorners = (0..<10).map { corner in
        let angle = Float(corner) * .pi / 5
        let radius: Float = corner % 2 == 0 ? 1 : 0.42
        return Point(x: radius * cos(angle), y: radius * sin(angle))
    }
    private static let ellCorners = points([
        (-0.7, -0.8), (-0.1, -0.8), (-0.1, 0.2), (0.8, 0.2), (0.8, 0.8), (-0.7, 0.8),
    ])
    private static let wedgeCorners = points([(1, 0), (-0.8, 0.55), (-0.8, -0.55)])
    private static let dropTail = points([(1, 0), (-0.2, 0.477), (-0.2, -0.477)])
    private static let arrowCorners = points([
        (1, 0), (0.15, 0.7), (0.15, 0.25), (-0.95, 0.25), (-0.95, -0.25), (0.15, -0.25), (0.15, -0.7),
    ])

    /// The exact signed distance to a polygon, by the winding of its edges (Quilez).
    private static func polygon(_ corners: [Point], _ p: Point) -> Float {
        var squared = Float.infinity
        var sign: Float = 1
        var previous = corners[corners.count - 1]
        for corner in corners {
            let edge = previous - corner
            let offset = p - corner
            let along = max(0, min(1, (offset.x * edge.x + offset.y * edge.y) / (edge.x * edge.x + edge.y * edge.y)))
            let nearest = Point(x: offset.x - edge.x * along, y: offset.y - edge.y * along)
            squared = min(squared, nearest.x * nearest.x + nearest.y * nearest.y)
            let isAbove = p.y >= corner.y
            let isBelow = p.y < previous.y
            let isLeft = edge.x * offset.y > edge.y * offset.x
            if (isAbove && isBelow && isLeft) || (!isAbove && !isBelow && !isLeft) { sign = -sign }
            previous = corner
        }
        return sign * squared.squareRoot()
    }
}
