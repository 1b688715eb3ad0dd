/// A grid of images and what models look at in them, as in Figure 7 of arXiv 2210.08823: a row for each image, the image
/// itself first and then a map for each model, with the predicted class under each.
public struct AttentionGrid: Sendable {
    /// One picture of the grid.
    public struct Cell: Sendable {
        public var width: Int
        public var height: Int
        /// `height * width * 3` bytes, red, green and blue.
        public var pixels: [UInt8]
        /// Below it; shortened where it is wider than the picture.
        public var caption: String

        public init(width: Int, height: Int, pixels: [UInt8], caption: String) {
            precondition(width > 0 && height > 0 && pixels.count == width * height * 3)
            (self.width, self.height, self.pixels, self.caption) = (width, height, pixels, caption)
        }
    }

    /// Above each column.
    public var columns: [String]
    /// Rows of as many cells as there are columns; nil for one that stays empty.
    public var rows: [[Cell?]]
    /// Below everything: how the maps were made.
    public var caption: String

    /// - Precondition: every row has as many cells as there are columns.
    public init(columns: [String], rows: [[Cell?]], caption: String) {
        precondition(rows.allSatisfy { $0.count == columns.count })
        (self.columns, self.rows, self.caption) = (columns, rows, caption)
    }

    /// Of a column, in points: five stand on a page.
    private static let columnWidth = 94.0
    private static let gap = 14.0
    private static let captionSize = 7.5

    /// The grid as a figure. Every row is as high as its highest picture at the width of a column, at most one and a half
    /// times that.
    public func figure() -> Figure {
        let heights = rows.map { row in
            let aspects = row.compactMap { $0.map { Double($0.height) / Double($0.width) } }
            return Self.columnWidth * min(max(aspects.max() ?? 1, 0.25), 1.5)
        }
        let panels = rows.enumerated().map { index, row in
            row.enumerated().map { column, cell in
                panel(cell, title: index == 0 ? columns[column] : nil)
            }
        }
        let width = Double(columns.count) * (Self.columnWidth + Self.gap) + 2
        return Figure(
            width: max(width, 240), height: 54 + heights.reduce(0) { $0 + $1 + 13 + Self.gap }, panels: panels,
            rowHeights: heights, caption: caption)
    }

    private func panel(_ cell: Cell?, title: String?) -> Panel {
        let marks: [any Mark] = cell.map { [picture($0)] } ?? []
        return Panel(
            title: title.map { Self.shortened($0, size: 9.5, isBold: true) }, x: Axis(scale: .hidden),
            y: Axis(scale: .hidden), marks: marks, legend: .none,
            aspect: cell.map { Double($0.width) / Double($0.height) },
            caption: cell.map { Self.shortened($0.caption, size: Self.captionSize) })
    }

    private func picture(_ cell: Cell) -> Picture {
        let pixels = stride(from: 0, to: cell.pixels.count, by: 3).map { offset -> UInt32 in
            let red = UInt32(cell.pixels[offset])
            let green = UInt32(cell.pixels[offset + 1])
            return red << 16 | green << 8 | UInt32(cell.pixels[offset + 2])
        }
        return Picture(width: cell.width, height: cell.height, pixels: pixels)
    }

    /// A text that fits above or below a column, its end left out where it must be.
    private static func shortened(_ text: String, size: Double, isBold: Bool = false) -> String {
        Canvas.measuring { canvas in
            let style = TextStyle(size: size, isBold: isBold)
            let room = columnWidth + gap - 4
            guard canvas.width(text, style) > room else { return text }
            var kept = Substring(text)
            while !kept.isEmpty, canvas.width(kept + "\u{2026}", style) > room { kept = kept.dropLast() }
            return kept + "\u{2026}"
        }
    }
}
