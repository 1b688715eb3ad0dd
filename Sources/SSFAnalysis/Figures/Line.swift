/// Values joined by straight lines, with or without a shape at each.
public struct Line: Mark {
    public var points: [DataPoint]
    public var color: Color
    /// In points of 1/72 inch.
    public var width: Double
    /// Lengths drawn and left out in turn, in points; empty for an unbroken line.
    public var dash: [Double]
    public var shape: PointShape?
    /// Filled between these two around the line, one pair for each of its points: an interval.
    public var band: [ClosedRange<Double>]
    /// In the legend; nil for none.
    public var name: String?
    /// Along the line, in the panel; nil for none.
    public var label: String?
    /// Where the label stands best: 0 at the line's beginning, 1 at its end.
    public var labelPosition: Double
    /// False for a line that only guides the eye: the axes do not grow for it.
    public var countsForAxes: Bool

    /// A point that is not finite leaves a gap.
    public init(
        _ points: [DataPoint], color: Color, width: Double = 1.5, dash: [Double] = [], shape: PointShape? = nil,
        band: [ClosedRange<Double>] = [], name: String? = nil, label: String? = nil, labelPosition: Double = 1,
        countsForAxes: Bool = true
    ) {
        precondition(band.isEmpty || band.count == points.count, "a band has an interval for each point")
        (self.points, self.color, self.width, self.dash) = (points, color, width, dash)
        (self.shape, self.band, self.name, self.label) = (shape, band, name, label)
        (self.labelPosition, self.countsForAxes) = (labelPosition, countsForAxes)
    }

    public func covered() -> [DataPoint] {
        guard countsForAxes else { return [] }
        return points
            + zip(points, band).flatMap { [DataPoint($0.x, $1.lowerBound), DataPoint($0.x, $1.upperBound)] }
    }

    public var legendEntry: LegendEntry? {
        name.map { LegendEntry($0, .line(color, width: width, dash: dash, shape: shape)) }
    }

    public func draw(_ pen: Pen, _ area: PlotArea) {
        if !band.isEmpty {
            let known = zip(points, band).filter {
                area.hasPlace($0.x, $1.lowerBound) && area.hasPlace($0.x, $1.upperBound)
            }
            let upper = known.map { area.place($0.x, $1.upperBound) }
            let lower = known.map { area.place($0.x, $1.lowerBound) }
            pen.canvas.polygon(upper + lower.reversed(), fill: color.withOpacity(0.18 * color.opacity))
        }
        for run in runs(area) {
            pen.canvas.line(run, color: color, width: width, dash: dash)
            if let shape { for place in run { shape.draw(pen.canvas, at: place, size: 5, color: color) } }
        }
    }

    /// The places of the points, parted where one has none.
    private func runs(_ area: PlotArea) -> [[Location]] {
        points.split { !area.hasPlace($0.x, $0.y) }.map { $0.map { area.place($0.x, $0.y) } }
    }

    public func obstacles(_ area: PlotArea) -> [Obstacle] {
        runs(area).flatMap { run in zip(run, run.dropFirst()).map { .line($0, $1) } }
    }

    public func lineLabels(_ area: PlotArea) -> [LineLabel] {
        guard let label, let longest = runs(area).max(by: { $0.count < $1.count }) else { return [] }
        return [LineLabel(text: label, line: longest, position: labelPosition, color: color)]
    }
}
