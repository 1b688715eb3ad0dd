/// A matrix of numbers as a grid of colours, with a bar of them beside the panel.
///
/// Cell (row, column) lies about the values (column, row) of the axes, which are to be `.categories` or count from 0;
/// with `isReversed` on the y axis row 0 is at the top.
public struct HeatMap: Mark {
    public var values: [Double]
    public var columns: Int
    public var map: ColorMap
    /// The numbers of the first and the last colour; nil for the least and the greatest.
    public var range: ClosedRange<Double>?
    /// Of the bar.
    public var title: String

    /// - Parameter values: [rows, columns], rows one after the other; a number that is not finite is left grey.
    /// - Precondition: the count is a multiple of `columns`.
    public init(
        _ values: [Double], columns: Int, map: ColorMap = .sequential, range: ClosedRange<Double>? = nil, title: String
    ) {
        precondition(columns > 0 && values.count.isMultiple(of: columns), "\(values.count) cells in \(columns) columns")
        (self.values, self.columns, self.map, self.range, self.title) = (values, columns, map, range, title)
    }

    public var rows: Int { values.count / columns }

    public var fillsFrame: Bool { true }

    public func covered() -> [DataPoint] {
        [DataPoint(-0.5, -0.5), DataPoint(Double(columns) - 0.5, Double(rows) - 0.5)]
    }

    public var colorBar: ColorBar? { ColorBar(map: map, range: shownRange, title: title) }

    private var shownRange: ClosedRange<Double> {
        if let range { return range }
        let finite = values.filter(\.isFinite)
        guard let least = finite.min(), let greatest = finite.max() else { return 0...1 }
        return least < greatest ? least...greatest : least - 0.5...least + 0.5
    }

    public func draw(_ pen: Pen, _ area: PlotArea) {
        guard rows > 0 else { return }
        let range = shownRange
        let pixels = values.map { value in
            value.isFinite
                ? map.pixel((value - range.lowerBound) / (range.upperBound - range.lowerBound)) : 0xB0B0B0
        }
        // The picture's rows go downwards: turned where the axis goes up.
        let ordered =
            area.y.isReversed
            ? pixels : (0..<rows).reversed().flatMap { pixels[$0 * columns..<($0 + 1) * columns] }
        let corners = [area.place(-0.5, -0.5), area.place(Double(columns) - 0.5, Double(rows) - 0.5)]
        let place = Rectangle(
            x: min(corners[0].x, corners[1].x), y: min(corners[0].y, corners[1].y),
            width: abs(corners[1].x - corners[0].x), height: abs(corners[1].y - corners[0].y))
        pen.canvas.image(ordered, width: columns, height: rows, in: place, isSmooth: false)
    }
}
