/// A line of a legend: a sample and a name.
public struct LegendEntry: Sendable, Hashable {
    /// What is drawn before the name.
    public enum Sample: Sendable, Hashable {
        case line(Color, width: Double, dash: [Double], shape: PointShape?)
        case shape(PointShape, Color, size: Double)
        case area(Color)
    }

    public var name: String
    public var sample: Sample

    public init(_ name: String, _ sample: Sample) {
        (self.name, self.sample) = (name, sample)
    }
}

/// Entries set in rows and columns.
struct Legend {
    private static let style = TextStyle(size: 8)
    private static let sampleWidth = 18.0
    private static let gap = 4.0
    private static let columnGap = 14.0
    private static let rowHeight = 12.0
    private static let padding = 5.0

    let entries: [LegendEntry]
    private let columns: Int
    private let columnWidths: [Double]

    /// As many columns as fit into a width; one where none fits.
    init(_ entries: [LegendEntry], fitting width: Double, canvas: Canvas) {
        self.entries = entries
        let widths = entries.map { Self.sampleWidth + Self.gap + canvas.width($0.name, Self.style) }
        var columns = max(entries.count, 1)
        while columns > 1, Self.total(Self.columnWidths(widths, columns)) > width { columns -= 1 }
        self.columns = columns
        columnWidths = Self.columnWidths(widths, columns)
    }

    /// Rows are filled first.
    private static func columnWidths(_ widths: [Double], _ columns: Int) -> [Double] {
        (0..<columns).map { column in
            stride(from: column, to: widths.count, by: columns).map { widths[$0] }.max() ?? 0
        }
    }

    private static func total(_ columnWidths: [Double]) -> Double {
        columnWidths.reduce(0, +) + columnGap * Double(max(columnWidths.count - 1, 0)) + 2 * padding
    }

    var width: Double { entries.isEmpty ? 0 : Self.total(columnWidths) }

    var height: Double {
        entries.isEmpty ? 0 : Double((entries.count + columns - 1) / columns) * Self.rowHeight + 2 * Self.padding
    }

    /// Draws it with its top left corner at a place; `isBoxed` on a white ground, for the inside of a panel.
    func draw(_ canvas: Canvas, at corner: Location, isBoxed: Bool) {
        guard !entries.isEmpty else { return }
        if isBoxed {
            canvas.rectangle(
                Rectangle(x: corner.x, y: corner.y, width: width, height: height),
                fill: Color.white.withOpacity(0.9), outline: .grid)
        }
        for (index, entry) in entries.enumerated() {
            let column = index % columns
            let x =
                corner.x + Self.padding + columnWidths[..<column].reduce(0, +) + Self.columnGap * Double(column)
            let y = corner.y + Self.padding + Self.rowHeight * (Double(index / columns) + 0.5)
            draw(entry.sample, canvas, x: x, y: y)
            canvas.text(
                entry.name, at: Location(x + Self.sampleWidth + Self.gap, y), vertical: 0.5, Self.style)
        }
    }

    private func draw(_ sample: LegendEntry.Sample, _ canvas: Canvas, x: Double, y: Double) {
        let middle = Location(x + Self.sampleWidth / 2, y)
        switch sample {
        case .line(let color, let width, let dash, let shape):
            canvas.line(
                [Location(x, y), Location(x + Self.sampleWidth, y)], color: color, width: width, dash: dash)
            shape?.draw(canvas, at: middle, size: 5, color: color)
        case .shape(let shape, let color, let size):
            shape.draw(canvas, at: middle, size: min(size, Self.rowHeight - 2), color: color)
        case .area(let color):
            canvas.rectangle(Rectangle(x: x + 2, y: y - 4, width: Self.sampleWidth - 4, height: 8), fill: color)
        }
    }
}
