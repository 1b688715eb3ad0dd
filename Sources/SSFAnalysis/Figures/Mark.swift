/// Something that a panel shows: a line, points, bars, a heat map, ...
///
/// A new kind of mark is one file with a type that conforms to this; nothing else changes.
public protocol Mark: Sendable {
    /// Values that the axes have to reach, its outermost at least; empty if the axes are not to care.
    func covered() -> [DataPoint]

    /// Its line in the legend; nil for none.
    var legendEntry: LegendEntry? { get }

    /// The colours of a scale that stands beside the panel; nil for none.
    var colorBar: ColorBar? { get }

    /// Whether it takes the whole frame, without room between it and the axes.
    var fillsFrame: Bool { get }

    /// Draws it, clipped to the frame. Labels come later, by `labels`.
    func draw(_ pen: Pen, _ area: PlotArea)

    /// What labels must not cover: the places of points, and lines as the places that they connect.
    func obstacles(_ area: PlotArea) -> [Obstacle]

    /// Text beside places, which the panel sets where nothing is in the way.
    func labels(_ area: PlotArea) -> [PointLabel]

    /// Text along lines, set before the labels of points.
    func lineLabels(_ area: PlotArea) -> [LineLabel]
}

extension Mark {
    public var legendEntry: LegendEntry? { nil }
    public var colorBar: ColorBar? { nil }
    public var fillsFrame: Bool { false }
    public func obstacles(_ area: PlotArea) -> [Obstacle] { [] }
    public func labels(_ area: PlotArea) -> [PointLabel] { [] }
    public func lineLabels(_ area: PlotArea) -> [LineLabel] { [] }
}

/// A pair of values.
public struct DataPoint: Sendable, Hashable {
    public var x: Double
    public var y: Double

    public init(_ x: Double, _ y: Double) {
        (self.x, self.y) = (x, y)
    }
}

/// What a label keeps away from.
public enum Obstacle: Sendable {
    /// Must not be covered.
    case area(Rectangle)
    /// Better not crossed.
    case line(Location, Location)
}

/// What marks draw with. It hides the canvas of Cairo from those who only describe figures.
public struct Pen {
    let canvas: Canvas
}
