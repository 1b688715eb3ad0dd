import Foundation

/// The form of a point, so that series differ without colour too.
public enum PointShape: String, Sendable, CaseIterable {
    case circle, square, triangle, diamond, triangleDown, plus, cross

    /// The shape of the series with a number, from 0.
    public static func series(_ number: Int) -> PointShape { allCases[number % allCases.count] }

    /// Draws it about a place, with a white edge that parts it from what it lies on.
    func draw(_ canvas: Canvas, at place: Location, size: Double, color: Color) {
        let edge = Color.white.withOpacity(color.opacity)
        let edgeWidth = min(0.6, size / 8)
        switch self {
        case .circle:
            canvas.circle(place, radius: size / 2, fill: color, outline: edge, width: edgeWidth)
        case .plus, .cross:
            let reach = size / 2 * (self == .plus ? 1 : 0.5.squareRoot())
            let turned = self == .cross ? reach : 0
            for (x, y) in [(reach, turned), (-turned, reach)] {
                canvas.line(
                    [Location(place.x - x, place.y - y), Location(place.x + x, place.y + y)], color: color,
                    width: size / 4)
            }
        default:
            canvas.polygon(
                corners.map { Location(place.x + size / 2 * $0.x, place.y + size / 2 * $0.y) }, fill: color,
                outline: edge, width: edgeWidth)
        }
    }

    /// Corners about the middle of a shape of about the area of a circle of radius 1.
    private var corners: [Location] {
        switch self {
        case .square: [Location(-0.89, -0.89), Location(0.89, -0.89), Location(0.89, 0.89), Location(-0.89, 0.89)]
        case .triangle: [Location(0, -1.2), Location(1.15, 0.8), Location(-1.15, 0.8)]
        case .triangleDown: [Location(0, 1.2), Location(1.15, -0.8), Location(-1.15, -0.8)]
        case .diamond: [Location(0, -1.25), Location(1.25, 0), Location(0, 1.25), Location(-1.25, 0)]
        case .circle, .plus, .cross: []
        }
    }
}
