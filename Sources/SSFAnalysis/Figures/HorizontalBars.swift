/// Bars that lie, one for a name on the y axis, with its value written behind its end.
///
/// For names too long to stand below upright bars. Row i is category i of an axis of categories; where the axis is
/// reversed, the first stands on top.
public struct HorizontalBars: Mark {
    public struct Bar: Sendable, Hashable {
        public var row: Int
        public var value: Double
        /// Behind its end; empty for none.
        public var text: String

        public init(row: Int, value: Double, text: String = "") {
            (self.row, self.value, self.text) = (row, value, text)
        }
    }

    public var bars: [Bar]
    public var color: Color
    /// Part of a row's height that a bar takes.
    public var thickness: Double
    /// In the legend; nil for none.
    public var name: String?

    private static let textStyle = TextStyle(size: 7.5)
    private static let textGap = 2.5

    public init(_ bars: [Bar], color: Color, thickness: Double = 0.72, name: String? = nil) {
        precondition(thickness > 0 && thickness <= 1)
        (self.bars, self.color, self.thickness, self.name) = (bars, color, thickness, name)
    }

    public func covered() -> [DataPoint] {
        bars.isEmpty ? [] : [DataPoint(0, 0)] + bars.map { DataPoint($0.value, Double($0.row)) }
    }

    public var legendEntry: LegendEntry? { name.map { LegendEntry($0, .area(color)) } }

    public func draw(_ pen: Pen, _ area: PlotArea) {
        for bar in bars where area.hasPlace(bar.value, Double(bar.row)) {
            let shape = shape(bar, area)
            pen.canvas.rectangle(shape, fill: color)
            guard !bar.text.isEmpty else { continue }
            let height = pen.canvas.height(Self.textStyle)
            pen.canvas.text(
                bar.text, at: Location(shape.maxX + Self.textGap, shape.y + (shape.height - height) / 2),
                Self.textStyle)
        }
    }

    public func obstacles(_ area: PlotArea) -> [Obstacle] {
        bars.filter { area.hasPlace($0.value, Double($0.row)) }.map { .area(shape($0, area)) }
    }

    private func shape(_ bar: Bar, _ area: PlotArea) -> Rectangle {
        // A logarithmic axis has no zero: its bars begin where it begins.
        let start = area.x.scale == .logarithmic ? area.xRange.lowerBound : 0
        let corners = [
            area.place(start, Double(bar.row) - thickness / 2),
            area.place(bar.value, Double(bar.row) + thickness / 2),
        ]
        return Rectangle(
            x: min(corners[0].x, corners[1].x), y: min(corners[0].y, corners[1].y),
            width: abs(corners[1].x - corners[0].x), height: abs(corners[1].y - corners[0].y))
    }
}
