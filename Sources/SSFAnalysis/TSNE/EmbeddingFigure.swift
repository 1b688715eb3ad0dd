import Foundation

/// A scatter plot of one embedding or several side by side, coloured by class.
public struct EmbeddingFigure {
    /// One embedding with its name.
    public struct Map: Sendable {
        public var title: String
        /// [samples, 2].
        public var points: [Float]
        /// Below it, such as its divergence.
        public var caption: String?

        public init(title: String, points: [Float], caption: String? = nil) {
            (self.title, self.points, self.caption) = (title, points, caption)
        }
    }

    /// Classes that a legend can name so that each is told from the others. Of more the names are numbers in the maps.
    public static let mostNamed = 20

    public var maps: [Map]
    /// The class of every sample, or empty.
    public var labels: [Int]
    /// Names of the classes.
    public var classes: [String]
    public var title: String?
    public var caption: String?

    public init(maps: [Map], labels: [Int] = [], classes: [String] = [], title: String? = nil, caption: String? = nil) {
        precondition(
            maps.allSatisfy { labels.isEmpty || $0.points.count == 2 * labels.count }, "a label for each point")
        precondition(labels.allSatisfy { classes.indices.contains($0) }, "a name for each class")
        (self.maps, self.labels, self.classes, self.title, self.caption) = (maps, labels, classes, title, caption)
    }

    /// The figure: maps in rows of at most three, without ticks, for the numbers of t-SNE's axes mean nothing.
    public func figure() -> Figure {
        let present = Set(labels).sorted()
        let isNumbered = present.count > Self.mostNamed
        let columns = min(maps.count, maps.count == 4 ? 2 : 3)
        let rows = stride(from: 0, to: maps.count, by: columns).map { first in
            maps[first..<min(first + columns, maps.count)].map { panel($0, present: present, isNumbered: isNumbered) }
        }
        let side = columns == 1 ? 430.0 : columns == 2 ? 300 : 240
        let legendRows = present.isEmpty || isNumbered ? 0 : Double((present.count + 4) / 5)
        var notes = [caption].compactMap { $0 }
        if isNumbered {
            notes.append(
                "\(present.count) classes, more than colours: a number stands at the middle of each class, in the order "
                    + "of the classes; neighbouring numbers have different colours.")
        }
        return Figure(
            title: title, width: Double(columns) * side + 20,
            height: Double(rows.count) * (side + 18) + 12 * legendRows + 30 + Double(notes.isEmpty ? 0 : 34),
            panels: rows, hasSharedLegend: !isNumbered && !present.isEmpty,
            caption: notes.isEmpty ? nil : notes.joined(separator: " "))
    }

    private func panel(_ map: Map, present: [Int], isNumbered: Bool) -> Panel {
        let count = map.points.count / 2
        // Points that just touch where they lie densest.
        let size = min(5, max(1.4, 150 / Double(max(count, 1)).squareRoot()))
        let opacity = count > 3000 ? 0.7 : 0.85
        func point(_ i: Int) -> DataPoint { DataPoint(Double(map.points[2 * i]), Double(map.points[2 * i + 1])) }
        var marks: [any Mark] = []
        if labels.isEmpty {
            marks.append(
                Points((0..<count).map(point), color: Palette.blue.withOpacity(opacity), size: size, name: nil))
        }
        var members: [Int: [Int]] = [:]
        for (i, label) in labels.enumerated() { members[label, default: []].append(i) }
        for (number, label) in present.enumerated() {
            marks.append(
                Points(
                    members[label, default: []].map(point), color: Self.color(number).withOpacity(opacity),
                    shape: Self.shape(number), size: size * (number < Palette.colors.count ? 1 : 1.25),
                    name: isNumbered ? nil : classes[label]))
        }
        if isNumbered {
            for (number, label) in present.enumerated() {
                let own = members[label, default: []]
                let middle = DataPoint(Self.median(own.map { point($0).x }), Self.median(own.map { point($0).y }))
                marks.append(Annotation("\(number)", at: middle, horizontal: 0.5, vertical: 0.5, size: 7))
            }
        }
        let range = Self.range(map.points)
        return Panel(
            title: map.title, x: Axis(scale: .hidden, range: range), y: Axis(scale: .hidden, range: range),
            marks: marks, legend: .none, aspect: 1, caption: map.caption)
    }

    /// The same range for both axes, so that distances in the picture are those of the embedding.
    private static func range(_ points: [Float]) -> ClosedRange<Double> {
        let reach = points.reduce(0) { max($0, abs(Double($1))) }
        let limit = reach > 0 ? 1.05 * reach : 1
        return -limit...limit
    }

    private static func color(_ number: Int) -> Color { Palette.color(number) }

    /// After the colours are used up, the next shape.
    private static func shape(_ number: Int) -> PointShape { PointShape.series(number / Palette.colors.count) }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}
