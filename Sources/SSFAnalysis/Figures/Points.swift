/// Values as shapes: a scatter plot.
public struct Points: Mark {
    public var points: [DataPoint]
    public var color: Color
    public var shape: PointShape
    /// Across, in points of 1/72 inch.
    public var size: Double
    /// One beside each point, or empty.
    public var texts: [String]
    /// In the legend; nil for none.
    public var name: String?

    /// - Precondition: `texts` is empty or has one for each point.
    public init(
        _ points: [DataPoint], color: Color, shape: PointShape = .circle, size: Double = 5, texts: [String] = [],
        name: String? = nil
    ) {
        precondition(texts.isEmpty || texts.count == points.count, "\(texts.count) texts for \(points.count) points")
        (self.points, self.color, self.shape, self.size) = (points, color, shape, size)
        (self.texts, self.name) = (texts, name)
    }

    public func covered() -> [DataPoint] { points }

    public var legendEntry: LegendEntry? {
        // Thousands of small or pale points need a sample that can be seen.
        name.map { LegendEntry($0, .shape(shape, color.withOpacity(max(color.opacity, 0.8)), size: max(size, 5))) }
    }

    public func draw(_ pen: Pen, _ area: PlotArea) {
        for point in points where area.hasPlace(point.x, point.y) {
            shape.draw(pen.canvas, at: area.place(point.x, point.y), size: size, color: color)
        }
    }

    public func obstacles(_ area: PlotArea) -> [Obstacle] {
        places(area).map { place in
            .area(Rectangle(x: place.x, y: place.y, width: 0, height: 0).grown(by: size / 2))
        }
    }

    public func labels(_ area: PlotArea) -> [PointLabel] {
        zip(points, texts).filter { area.hasPlace($0.0.x, $0.0.y) && !$0.1.isEmpty }.map { point, text in
            PointLabel(text: text, at: area.place(point.x, point.y), clearance: size / 2 + 1.5, color: color)
        }
    }

    private func places(_ area: PlotArea) -> [Location] {
        points.filter { area.hasPlace($0.x, $0.y) }.map { area.place($0.x, $0.y) }
    }
}
