import Foundation

/// Text that belongs to a place.
public struct PointLabel: Sendable {
    public var text: String
    public var place: Location
    /// From the place to the nearest edge of the text, at least.
    public var clearance: Double
    public var color: Color

    public init(text: String, at place: Location, clearance: Double, color: Color) {
        (self.text, self.place, self.clearance, self.color) = (text, place, clearance, color)
    }
}

/// Finds places for labels beside their points, so that none covers another, a point, or what else must be seen.
///
/// Every label has candidates around its point, at growing distances. The labels with the most neighbours choose first;
/// then each may choose again, knowing where the others are, until nothing gets better. A greedy search, not the best
/// of all: for some dozens of labels it leaves no overlap that a person would see. It has no chance in it: the same
/// labels get the same places.
package enum LabelPlacement {
    /// The boxes of labels of the given sizes, in the same order.
    ///
    /// - Parameters:
    ///   - frame: what they should stay inside of.
    package static func boxes(
        _ labels: [PointLabel], sizes: [(width: Double, height: Double)], frame: Rectangle, obstacles: [Obstacle]
    ) -> [Rectangle] {
        let candidates = zip(labels, sizes).map { Self.candidates($0, width: $1.width, height: $1.height) }
        let fixed = candidates.indices.map { label in
            candidates[label].map { fixedCost($0, labels[label], frame: frame, obstacles: obstacles) }
        }
        var best: (boxes: [Rectangle], cost: Double)?
        for order in orders(labels) {
            let (chosen, cost) = search(order, labels: labels, candidates: candidates, fixed: fixed)
            if cost < best?.cost ?? .infinity { best = (chosen.indices.map { candidates[$0][chosen[$0]] }, cost) }
        }
        return best?.boxes ?? []
    }

    /// Who chooses first: those with the most neighbours; where the labels are few enough, also from each side.
    private static func orders(_ labels: [PointLabel]) -> [[Int]] {
        let crowded = labels.indices.map { crowd(labels, $0) }
        var orders = [labels.indices.sorted { crowded[$0] > crowded[$1] }]
        guard labels.count <= 60 else { return orders }
        let byX = labels.indices.sorted { labels[$0].place.x < labels[$1].place.x }
        let byY = labels.indices.sorted { labels[$0].place.y < labels[$1].place.y }
        orders += [orders[0].reversed(), byX, byX.reversed(), byY, byY.reversed()]
        return orders
    }

    /// Lets the labels choose in an order, again and again until nobody moves; what they chose, and what it costs.
    private static func search(
        _ order: [Int], labels: [PointLabel], candidates: [[Rectangle]], fixed: [[Double]]
    ) -> (chosen: [Int], cost: Double) {
        var chosen = [Int?](repeating: nil, count: labels.count)
        var costs = [Double](repeating: 0, count: labels.count)
        for _ in 0..<8 {
            var isBetter = false
            for label in order {
                let others = chosen.indices.filter { $0 != label && chosen[$0] != nil }
                    .map { (box: candidates[$0][chosen[$0]!], place: labels[$0].place) }
                func cost(_ index: Int) -> Double {
                    fixed[label][index] + mutualCost(candidates[label][index], labels[label].place, others: others)
                }
                let all = candidates[label].indices.map(cost)
                let best = all.indices.min { all[$0] < all[$1] }!
                if chosen[label].map({ all[best] < all[$0] - 1e-9 }) ?? true {
                    chosen[label] = best
                    isBetter = true
                }
                costs[label] = all[chosen[label]!]
            }
            if !isBetter { break }
        }
        return (chosen.map { $0! }, costs.reduce(0, +))
    }

    /// The place of a box that its leader line ends at, and whether the box is far enough away to need one.
    package static func leader(from place: Location, to box: Rectangle, clearance: Double) -> Location? {
        let end = Location(min(max(place.x, box.x), box.maxX), min(max(place.y, box.y), box.maxY))
        return hypot(end.x - place.x, end.y - place.y) > clearance + 4 ? end : nil
    }

    // MARK: - Candidates

    /// Sixteen directions, the usual ones first, at growing distances.
    private static func candidates(_ label: PointLabel, width: Double, height: Double) -> [Rectangle] {
        var boxes: [Rectangle] = []
        for distance in [0.0, 4, 9, 15, 22, 30, 40, 52, 66, 82] {
            for step in 0..<16 {
                let angle = Double(step) * .pi / 8
                // The text's box touches the circle of this radius about the point, on the side of the angle.
                let radius = label.clearance + distance
                let (x, y) = (label.place.x + radius * cos(angle), label.place.y - radius * sin(angle))
                let (horizontal, vertical) = (cos(angle), -sin(angle))
                boxes.append(
                    Rectangle(
                        x: x - width * (0.5 - 0.5 * clamped(1.5 * horizontal)),
                        y: y - height * (0.5 - 0.5 * clamped(1.5 * vertical)), width: width, height: height))
            }
        }
        return boxes
    }

    private static func clamped(_ value: Double) -> Double { min(max(value, -1), 1) }

    private static func crowd(_ labels: [PointLabel], _ index: Int) -> Int {
        let place = labels[index].place
        return labels.count { abs($0.place.x - place.x) < 80 && abs($0.place.y - place.y) < 24 }
    }

    // MARK: - Costs

    private static func fixedCost(
        _ box: Rectangle, _ label: PointLabel, frame: Rectangle, obstacles: [Obstacle]
    ) -> Double {
        let middle = box.center
        let reach = hypot(
            max(abs(middle.x - label.place.x) - box.width / 2, 0),
            max(abs(middle.y - label.place.y) - box.height / 2, 0))
        // Level with the point it reads best.
        var cost = 0.6 * reach + 0.15 * abs(middle.y - label.place.y)
        // Right of the point reads best, then left, then above and below.
        if box.x < label.place.x { cost += box.maxX > label.place.x ? 1.5 : 0.8 }
        if !frame.contains(box) { cost += 4000 }
        let end = leader(from: label.place, to: box, clearance: label.clearance)
        for obstacle in obstacles {
            switch obstacle {
            case .area(let area):
                if area.overlaps(box.grown(by: 1)) { cost += 400 }
                let isOwn = area.grown(by: 0.5).contains(
                    Rectangle(x: label.place.x, y: label.place.y, width: 0, height: 0))
                if let end, !isOwn, area.meetsLine(from: label.place, to: end) { cost += 60 }
            case .line(let start, let stop):
                if box.grown(by: 1).meetsLine(from: start, to: stop) { cost += 30 }
            }
        }
        return cost
    }

    private static func mutualCost(
        _ box: Rectangle, _ place: Location, others: [(box: Rectangle, place: Location)]
    ) -> Double {
        var cost = 0.0
        let end = Location(min(max(place.x, box.x), box.maxX), min(max(place.y, box.y), box.maxY))
        for other in others {
            if other.box.grown(by: 1.5).overlaps(box) { cost += 1000 }
            let otherEnd = Location(
                min(max(other.place.x, other.box.x), other.box.maxX),
                min(max(other.place.y, other.box.y), other.box.maxY))
            if other.box.meetsLine(from: place, to: end) { cost += 200 }
            if box.meetsLine(from: other.place, to: otherEnd) { cost += 200 }
            if cross(place, end, other.place, otherEnd) { cost += 80 }
        }
        return cost
    }

    /// Whether two lines cross.
    private static func cross(_ a: Location, _ b: Location, _ c: Location, _ d: Location) -> Bool {
        func side(_ p: Location, _ q: Location, _ r: Location) -> Double {
            (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)
        }
        return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0
    }
}
