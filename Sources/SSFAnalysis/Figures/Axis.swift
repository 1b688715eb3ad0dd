import Foundation

/// One of the two axes of a panel.
public struct Axis: Sendable {
    /// How values become places.
    public enum Scale: Sendable, Equatable {
        case linear
        /// Every decade is equally long; values are above 0.
        case logarithmic
        /// Value i, a whole number from 0, is the i-th name.
        case categories([String])
        /// No ticks and no labels: for pictures, and for maps without units.
        case hidden
    }

    /// What is measured, and in what unit; empty for none.
    public var title: String
    public var scale: Scale
    /// The values at its ends; nil to take what the marks cover, with room around them. Turned around on the y axis of
    /// a heat map with `isReversed`.
    public var range: ClosedRange<Double>?
    /// Values to name; nil for round ones.
    public var ticks: [Tick]?
    /// Lines across the panel at the ticks.
    public var hasGrid: Bool
    /// The greatest value first: at the left, or at the bottom.
    public var isReversed: Bool

    public init(
        _ title: String = "", scale: Scale = .linear, range: ClosedRange<Double>? = nil, ticks: [Tick]? = nil,
        hasGrid: Bool = true, isReversed: Bool = false
    ) {
        (self.title, self.scale, self.range, self.ticks) = (title, scale, range, ticks)
        (self.hasGrid, self.isReversed) = (hasGrid, isReversed)
    }

    /// The values at the ends, when the marks cover `extent`.
    package func resolvedRange(_ extent: ClosedRange<Double>?) -> ClosedRange<Double> {
        if let range {
            precondition(range.lowerBound < range.upperBound, "an axis has two different ends")
            precondition(scale != .logarithmic || range.lowerBound > 0, "a logarithmic axis begins above 0")
            return range
        }
        switch scale {
        case .categories(let names):
            return -0.5...(Double(max(names.count, 1)) - 0.5)
        case .hidden, .linear:
            guard let extent else { return 0...1 }
            let span = extent.upperBound - extent.lowerBound
            let room = span > 0 ? 0.04 * span : max(abs(extent.lowerBound) * 0.1, 0.5)
            return extent.lowerBound - room...extent.upperBound + room
        case .logarithmic:
            guard let extent, extent.lowerBound > 0 else { return 1...10 }
            let room = max(pow(extent.upperBound / extent.lowerBound, 0.05), 1.2)
            return extent.lowerBound / room...extent.upperBound * room
        }
    }

    /// The ticks of a range, at most `count` of them.
    package func resolvedTicks(_ range: ClosedRange<Double>, count: Int) -> [Tick] {
        if let ticks { return ticks.filter { range.contains($0.value) } }
        switch scale {
        case .hidden: return []
        case .linear: return Ticks.linear(range, count: count)
        case .logarithmic: return Ticks.logarithmic(range, count: count)
        case .categories(let names):
            // Every second, third, ... name where not all have room.
            let step = max(1, (names.count + max(count, 1) - 1) / max(count, 1))
            return stride(from: 0, to: names.count, by: step).map { Tick(Double($0), names[$0]) }
                .filter { range.contains($0.value) }
        }
    }

    /// The place of a value on an axis of length 1, from its beginning.
    package func part(_ value: Double, of range: ClosedRange<Double>) -> Double {
        let part =
            scale == .logarithmic
            ? log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
            : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return isReversed ? 1 - part : part
    }
}

/// Where the values of a panel's data lie on the figure.
public struct PlotArea: Sendable {
    /// The inside of the axes.
    public let frame: Rectangle
    let x: Axis
    let y: Axis
    let xRange: ClosedRange<Double>
    let yRange: ClosedRange<Double>

    /// The place of a pair of values; outside of the frame if a value is outside of its axis.
    public func place(_ xValue: Double, _ yValue: Double) -> Location {
        Location(
            frame.x + frame.width * x.part(xValue, of: xRange), frame.maxY - frame.height * y.part(yValue, of: yRange))
    }

    /// Whether a pair of values can be shown: finite, and above 0 where an axis is logarithmic.
    public func hasPlace(_ xValue: Double, _ yValue: Double) -> Bool {
        xValue.isFinite && yValue.isFinite && (x.scale != .logarithmic || xValue > 0)
            && (y.scale != .logarithmic || yValue > 0)
    }
}
