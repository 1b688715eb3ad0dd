/// Upright bars between edges: histograms, or values by category.
public struct Bars: Mark {
    /// Of the bars, ascending: bar i stands between edges i and i + 1.
    public var edges: [Double]
    public var heights: [Double]
    /// Where the bars stand.
    public var base: Double
    public var color: Color
    /// How the bars are drawn.
    public enum Style: Sendable, Hashable {
        /// Each by itself, with a gap to the next.
        case apart
        /// As one area without gaps: for histograms of many bins.
        case joined
        /// Only the outline of all bars together: for histograms that lie on one another.
        case outline
    }

    public var style: Style
    /// Of an outline, in points of 1/72 inch.
    public var lineWidth: Double
    /// In the legend; nil for none.
    public var name: String?

    /// - Precondition: there is one edge more than heights.
    public init(
        edges: [Double], heights: [Double], base: Double = 0, color: Color, style: Style = .apart,
        lineWidth: Double = 1.5, name: String? = nil
    ) {
        precondition(edges.count == heights.count + 1, "\(heights.count) bars have \(heights.count + 1) edges")
        (self.edges, self.heights, self.base) = (edges, heights, base)
        (self.color, self.style, self.lineWidth, self.name) = (color, style, lineWidth, name)
    }

    /// Bars about whole numbers, for an axis of categories; several series stand side by side.
    ///
    /// - Parameters:
    ///   - series: this one's number among `count`, from 0.
    public static func grouped(
        _ heights: [Double], series: Int = 0, of count: Int = 1, color: Color, name: String? = nil
    ) -> [Bars] {
        let width = 0.8 / Double(count)
        return heights.indices.map { i in
            let left = Double(i) - 0.4 + width * Double(series)
            return Bars(
                edges: [left, left + width], heights: [heights[i]], color: color, name: i == 0 ? name : nil)
        }
    }

    public func covered() -> [DataPoint] {
        zip(edges, heights).map { DataPoint($0, $1) } + [DataPoint(edges[edges.count - 1], base)]
    }

    public var legendEntry: LegendEntry? {
        name.map {
            LegendEntry(
                $0, style == .outline ? .line(color, width: max(lineWidth, 1.5), dash: [], shape: nil) : .area(color))
        }
    }

    public func draw(_ pen: Pen, _ area: PlotArea) {
        switch style {
        case .apart:
            for bar in shapes(area) { pen.canvas.rectangle(bar, fill: color, outline: .white, width: 0.4) }
        case .joined: pen.canvas.polygon(contour(area), fill: color)
        case .outline: pen.canvas.line(contour(area), color: color, width: lineWidth)
        }
    }

    /// Around all bars together, from the foot of the first to that of the last.
    private func contour(_ area: PlotArea) -> [Location] {
        var places = [floor(edges[0], area)]
        for i in heights.indices where heights[i].isFinite {
            let top = max(heights[i], lowest(area))
            places += [area.place(edges[i], top), area.place(edges[i + 1], top)]
        }
        return places + [floor(edges[edges.count - 1], area)]
    }

    public func obstacles(_ area: PlotArea) -> [Obstacle] { shapes(area).map { .area($0) } }

    private func shapes(_ area: PlotArea) -> [Rectangle] {
        heights.indices.filter { heights[$0].isFinite }.map { i in
            let bottom = floor(edges[i], area)
            let top = area.place(edges[i + 1], max(heights[i], lowest(area)))
            return Rectangle(
                x: min(bottom.x, top.x), y: min(bottom.y, top.y), width: abs(top.x - bottom.x),
                height: abs(top.y - bottom.y))
        }
    }

    /// On a logarithmic axis a bar stands on the axis, for there is no zero.
    private func lowest(_ area: PlotArea) -> Double {
        area.y.scale == .logarithmic ? area.yRange.lowerBound : -.infinity
    }

    private func floor(_ x: Double, _ area: PlotArea) -> Location { area.place(x, max(base, lowest(area))) }
}
