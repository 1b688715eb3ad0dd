/// A pair of axes with what stands between them.
public struct Panel: Sendable {
    /// Where the names of the marks stand.
    public enum LegendPlace: Sendable, Equatable {
        /// In the corner that covers the least.
        case inside
        /// At the right of the panel.
        case right
        /// Nowhere, or below the whole figure (`Figure.hasSharedLegend`).
        case none
    }

    public var title: String?
    public var x: Axis
    public var y: Axis
    /// Drawn in this order.
    public var marks: [any Mark]
    public var legend: LegendPlace
    /// Width over height of the inside of the axes; nil to fill what there is. 1 for maps whose axes are alike.
    public var aspect: Double?
    /// A line below everything else, such as the class of an image.
    public var caption: String?

    public init(
        title: String? = nil, x: Axis = Axis(), y: Axis = Axis(), marks: [any Mark], legend: LegendPlace = .inside,
        aspect: Double? = nil, caption: String? = nil
    ) {
        (self.title, self.x, self.y, self.marks, self.legend) = (title, x, y, marks, legend)
        (self.aspect, self.caption) = (aspect, caption)
    }

    var entries: [LegendEntry] { marks.compactMap(\.legendEntry) }

    /// The ends of both axes.
    func ranges() -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        let covered = marks.flatMap { $0.covered() }
        return (range(of: x, covered.map(\.x)), range(of: y, covered.map(\.y)))
    }

    private func range(of axis: Axis, _ values: [Double]) -> ClosedRange<Double> {
        let shown = values.filter { $0.isFinite && (axis.scale != .logarithmic || $0 > 0) }
        let extent = shown.min().map { $0...shown.max()! }
        // A map or a picture touches its axes.
        if axis.range == nil, let extent, extent.lowerBound < extent.upperBound, marks.contains(where: \.fillsFrame) {
            return extent
        }
        return axis.resolvedRange(extent)
    }
}
