/// Draws figures: shares the room out among panels, title, legend and caption, and lets each panel draw itself.
package struct FigureRenderer {
    private static let margin = 8.0
    private static let gap = 14.0
    private static let titleStyle = TextStyle(size: 11, isBold: true)
    private static let captionStyle = TextStyle(size: 7, color: .muted)

    let figure: Figure
    let canvas: Canvas

    init(_ figure: Figure, canvas: Canvas) {
        self.figure = figure
        self.canvas = canvas
    }

    func draw() {
        canvas.rectangle(Rectangle(x: 0, y: 0, width: figure.width, height: figure.height), fill: .white)
        var room = Rectangle(x: 0, y: 0, width: figure.width, height: figure.height).grown(by: -Self.margin)
        if let title = figure.title, !title.isEmpty {
            canvas.text(title, at: Location(figure.width / 2, room.y), horizontal: 0.5, Self.titleStyle)
            let height = canvas.height(Self.titleStyle) + 6
            room.y += height
            room.height -= height
        }
        if let caption = figure.caption, !caption.isEmpty {
            let lines = Self.wrapped(caption, width: room.width) { canvas.width($0, Self.captionStyle) }
            let lineHeight = 1.25 * canvas.height(Self.captionStyle)
            for (index, line) in lines.enumerated() {
                let y = room.maxY - lineHeight * Double(lines.count - index)
                canvas.text(line, at: Location(room.x, y), Self.captionStyle)
            }
            room.height -= lineHeight * Double(lines.count) + 4
        }
        if figure.hasSharedLegend {
            var seen: Set<String> = []
            let entries = figure.panels.joined().flatMap(\.entries).filter { seen.insert($0.name).inserted }
            let legend = Legend(entries, fitting: room.width, canvas: canvas)
            legend.draw(
                canvas, at: Location(room.center.x - legend.width / 2, room.maxY - legend.height), isBoxed: false)
            room.height -= legend.height
        }
        drawPanels(room)
    }

    /// Every column is as wide as the others between its letters, every row as high, or as the figure says: frames line
    /// up.
    private func drawPanels(_ room: Rectangle) {
        let rows = figure.panels.map { row in row.map { PanelRenderer($0, canvas: canvas) } }
        let rowCount = rows.count
        let columnCount = rows.map(\.count).max() ?? 0
        guard rowCount > 0, columnCount > 0 else { return }
        // How many ticks fit depends on the size, and the size on the ticks' labels: twice is enough.
        var width = room.width / Double(columnCount)
        let weights = figure.rowHeights ?? [Double](repeating: 1, count: rowCount)
        let parts = weights.map { $0 / weights.reduce(0, +) }
        var heights = parts.map { room.height * $0 }
        var columns = [PanelRenderer.Insets](repeating: .init(), count: columnCount)
        var lines = [PanelRenderer.Insets](repeating: .init(), count: rowCount)
        for _ in 0..<2 {
            columns = .init(repeating: .init(), count: columnCount)
            lines = .init(repeating: .init(), count: rowCount)
            for (i, row) in rows.enumerated() {
                for (j, renderer) in row.enumerated() {
                    let insets = renderer.insets(width: width, height: heights[i])
                    columns[j].left = max(columns[j].left, insets.left)
                    columns[j].right = max(columns[j].right, insets.right)
                    lines[i].top = max(lines[i].top, insets.top)
                    lines[i].bottom = max(lines[i].bottom, insets.bottom)
                }
            }
            let across = columns.reduce(0) { $0 + $1.left + $1.right } + Self.gap * Double(columnCount - 1)
            let down = lines.reduce(0) { $0 + $1.top + $1.bottom } + Self.gap * Double(rowCount - 1)
            width = max((room.width - across) / Double(columnCount), 20)
            heights = parts.map { max((room.height - down) * $0, 20) }
        }
        var y = room.y
        for (i, row) in rows.enumerated() {
            y += lines[i].top
            var x = room.x
            for (j, renderer) in row.enumerated() {
                x += columns[j].left
                renderer.draw(
                    frame: Self.shaped(
                        Rectangle(x: x, y: y, width: width, height: heights[i]), aspect: renderer.panel.aspect))
                x += width + columns[j].right + Self.gap
            }
            y += heights[i] + lines[i].bottom + Self.gap
        }
    }

    /// The largest rectangle of a proportion in the middle of another.
    package static func shaped(_ frame: Rectangle, aspect: Double?) -> Rectangle {
        guard let aspect, aspect > 0 else { return frame }
        let width = min(frame.width, frame.height * aspect)
        let height = width / aspect
        return Rectangle(
            x: frame.center.x - width / 2, y: frame.center.y - height / 2, width: width, height: height)
    }

    /// A text in lines that are no wider than `width`; its own line breaks stay. A word that is wider stands alone.
    package static func wrapped(_ text: String, width: Double, measure: (String) -> Double) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { paragraph in
            var lines: [String] = []
            var line = ""
            for word in paragraph.split(separator: " ") {
                let longer = line.isEmpty ? String(word) : line + " " + word
                if !line.isEmpty, measure(longer) > width {
                    lines.append(line)
                    line = String(word)
                } else {
                    line = longer
                }
            }
            return lines + [line]
        }
    }
}
