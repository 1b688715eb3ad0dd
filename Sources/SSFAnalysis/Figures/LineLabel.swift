import Foundation

/// Text along a line of a panel, for instance its name.
public struct LineLabel: Sendable {
    public var text: String
    /// The line, in the places that it connects.
    public var line: [Location]
    /// Where it stands best: 0 at the line's beginning, 1 at its end.
    public var position: Double
    public var color: Color

    public init(text: String, line: [Location], position: Double, color: Color) {
        (self.text, self.line, self.position, self.color) = (text, line, position, color)
    }

    /// Boxes beside the line in which the text may stand, the best first: above a flat part; on either side of a steep
    /// one, the side above it first.
    func candidates(width: Double, height: Double) -> [Rectangle] {
        guard line.count > 1 else { return [] }
        let steps = 40
        return (0...steps).sorted { a, b in
            abs(Double(a) / Double(steps) - position) < abs(Double(b) / Double(steps) - position)
        }.flatMap { step in
            let (place, direction) = along(Double(step) / Double(steps))
            let slope = direction.x == 0 ? -.infinity : direction.y / direction.x
            if abs(slope) < 0.15 {
                // Within the line, as long as it is longer than the text.
                let part = Double(step) / Double(steps)
                return [
                    Rectangle(x: place.x - part * width, y: place.y - height - 1.5, width: width, height: height)
                ]
            }
            let left = Rectangle(x: place.x - width - 4, y: place.y, width: width, height: height)
            let right = Rectangle(x: place.x + 4, y: place.y, width: width, height: height)
            func raised(_ box: Rectangle, by part: Double) -> Rectangle {
                Rectangle(x: box.x, y: box.y - part * height, width: width, height: height)
            }
            return slope < 0
                ? [raised(left, by: 0.85), raised(right, by: 0.15)] : [raised(right, by: 0.85), raised(left, by: 0.15)]
        }
    }

    /// A place at a part of the line's length, and where the line goes there.
    private func along(_ part: Double) -> (place: Location, direction: Location) {
        let lengths = zip(line, line.dropFirst()).map { hypot($1.x - $0.x, $1.y - $0.y) }
        var rest = part * lengths.reduce(0, +)
        for (index, length) in lengths.enumerated() where length > 0 {
            let (start, end) = (line[index], line[index + 1])
            if rest <= length || index == lengths.count - 1 {
                let part = min(rest / length, 1)
                return (
                    Location(start.x + part * (end.x - start.x), start.y + part * (end.y - start.y)),
                    Location(end.x - start.x, end.y - start.y)
                )
            }
            rest -= length
        }
        return (line[0], Location(1, 0))
    }
}

extension LabelPlacement {
    /// The boxes of texts along lines, in the same order: each where it covers the least, near where it stands best.
    package static func boxes(
        _ labels: [LineLabel], sizes: [(width: Double, height: Double)], frame: Rectangle, obstacles: [Obstacle]
    ) -> [Rectangle] {
        var placed: [Rectangle] = []
        for (label, size) in zip(labels, sizes) {
            let candidates = label.candidates(width: size.width, height: size.height)
            let costs = candidates.enumerated().map { rank, box in
                var cost = Double(rank)
                if !frame.contains(box) { cost += 4000 }
                cost += 1000 * Double(placed.count { $0.grown(by: 2).overlaps(box) })
                for obstacle in obstacles {
                    switch obstacle {
                    case .area(let area): if area.overlaps(box.grown(by: 1)) { cost += 300 }
                    case .line(let start, let end): if box.meetsLine(from: start, to: end) { cost += 60 }
                    }
                }
                return cost
            }
            let best = costs.indices.min { costs[$0] < costs[$1] }
            placed.append(best.map { candidates[$0] } ?? Rectangle(x: frame.x, y: frame.y, width: 0, height: 0))
        }
        return placed
    }
}
