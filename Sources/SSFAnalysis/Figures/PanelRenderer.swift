/// Draws one panel: first how much room its letters take, then the panel into the room that it gets.
struct PanelRenderer {
    /// Room around the inside of the axes.
    struct Insets {
        var left = 0.0, right = 0.0, top = 0.0, bottom = 0.0
    }

    private static let tickStyle = TextStyle(size: 8)
    private static let titleStyle = TextStyle(size: 9)
    private static let panelTitleStyle = TextStyle(size: 9.5, isBold: true)
    private static let labelStyle = TextStyle(size: 7.5)
    private static let labelGround = Color.white.withOpacity(0.75)
    private static let tickLength = 3.0
    private static let gap = 3.5
    private static let colorBarWidth = 9.0

    let panel: Panel
    let canvas: Canvas
    private let xRange: ClosedRange<Double>
    private let yRange: ClosedRange<Double>

    init(_ panel: Panel, canvas: Canvas) {
        self.panel = panel
        self.canvas = canvas
        (xRange, yRange) = panel.ranges()
    }

    // MARK: - Room

    /// What titles, labels, legend and colour bar need around a frame of about this size.
    func insets(width: Double, height: Double) -> Insets {
        var insets = Insets()
        let xTicks = fittingXTicks(width: width)
        let yTicks = fittingYTicks(height: height)
        if let title = panel.title, !title.isEmpty { insets.top += canvas.height(Self.panelTitleStyle) + Self.gap }
        if !xTicks.isEmpty { insets.bottom += Self.tickLength + 2 + canvas.height(Self.tickStyle) }
        if !panel.x.title.isEmpty { insets.bottom += Self.gap + canvas.height(Self.titleStyle) }
        if let caption = panel.caption, !caption.isEmpty {
            insets.bottom += Self.gap + canvas.height(Self.labelStyle)
        }
        if !yTicks.isEmpty {
            insets.left += Self.tickLength + 2 + (yTicks.map { canvas.width($0.label, Self.tickStyle) }.max() ?? 0)
            // Half of the topmost label stands above the frame.
            insets.top = max(insets.top, canvas.height(Self.tickStyle) / 2)
        }
        if !panel.y.title.isEmpty { insets.left += Self.gap + canvas.height(Self.titleStyle) }
        // The last label of the x axis reaches beyond the frame where its tick is near the end.
        for tick in xTicks {
            let half = canvas.width(tick.label, Self.tickStyle) / 2
            let position = width * panel.x.part(tick.value, of: xRange)
            insets.right = max(insets.right, position + half - width)
            insets.left = max(insets.left, half - position)
        }
        if let bar = colorBar {
            let labels = Ticks.linear(bar.range, count: 6).map { canvas.width($0.label, Self.tickStyle) }
            insets.right = max(
                insets.right,
                8 + Self.colorBarWidth + Self.tickLength + 2 + (labels.max() ?? 0)
                    + (bar.title.isEmpty ? 0 : Self.gap + canvas.height(Self.titleStyle)))
        }
        if panel.legend == .right {
            insets.right = max(insets.right, 8 + Legend(panel.entries, fitting: 0, canvas: canvas).width)
        }
        return insets
    }

    private var colorBar: ColorBar? { panel.marks.lazy.compactMap(\.colorBar).first }

    /// The most ticks whose labels do not touch.
    private func fittingXTicks(width: Double) -> [Tick] {
        for count in (1...12).reversed() {
            let ticks = panel.x.resolvedTicks(xRange, count: count)
            let boxes = ticks.map { tick in
                let half = canvas.width(tick.label, Self.tickStyle) / 2 + 4
                let position = width * panel.x.part(tick.value, of: xRange)
                return position - half...position + half
            }.sorted { $0.lowerBound < $1.lowerBound }
            if zip(boxes, boxes.dropFirst()).allSatisfy({ $0.upperBound <= $1.lowerBound }) { return ticks }
            if panel.x.ticks != nil { return ticks }
        }
        return []
    }

    private func fittingYTicks(height: Double) -> [Tick] {
        let spacing = 1.8 * canvas.height(Self.tickStyle)
        if case .categories = panel.y.scale {
            return panel.y.resolvedTicks(yRange, count: max(1, Int(height / (1.15 * canvas.height(Self.tickStyle)))))
        }
        return panel.y.resolvedTicks(yRange, count: min(10, max(2, Int(height / spacing))))
    }

    // MARK: - Drawing

    /// Draws the panel with the inside of its axes at a place.
    func draw(frame: Rectangle) {
        let area = PlotArea(frame: frame, x: panel.x, y: panel.y, xRange: xRange, yRange: yRange)
        let xTicks = fittingXTicks(width: frame.width)
        let yTicks = fittingYTicks(height: frame.height)
        if !panel.marks.contains(where: \.fillsFrame) { drawGrid(area, xTicks, yTicks) }
        canvas.clipped(to: frame.grown(by: 0.5)) {
            for mark in panel.marks { mark.draw(Pen(canvas: canvas), area) }
        }
        drawAxes(area, xTicks, yTicks)
        drawColorBar(frame)
        let legendBox = drawLegend(area)
        drawLabels(area, legendBox)
    }

    private func drawGrid(_ area: PlotArea, _ xTicks: [Tick], _ yTicks: [Tick]) {
        let frame = area.frame
        if panel.x.hasGrid {
            for tick in xTicks {
                let x = area.place(tick.value, yRange.lowerBound).x
                canvas.line([Location(x, frame.y), Location(x, frame.maxY)], color: .grid, width: 0.5)
            }
        }
        if panel.y.hasGrid {
            for tick in yTicks {
                let y = area.place(xRange.lowerBound, tick.value).y
                canvas.line([Location(frame.x, y), Location(frame.maxX, y)], color: .grid, width: 0.5)
            }
        }
    }

    private func drawAxes(_ area: PlotArea, _ xTicks: [Tick], _ yTicks: [Tick]) {
        let frame = area.frame
        if panel.x.scale != .hidden || panel.y.scale != .hidden {
            canvas.rectangle(frame, outline: .ink, width: 0.7)
        } else if !panel.marks.contains(where: \.fillsFrame) {
            canvas.rectangle(frame, outline: .grid, width: 0.7)
        }
        func mark(_ start: Location, _ end: Location) { canvas.line([start, end], color: .ink, width: 0.7) }
        for tick in xTicks {
            let x = area.place(tick.value, yRange.lowerBound).x
            mark(Location(x, frame.maxY), Location(x, frame.maxY + Self.tickLength))
            canvas.text(
                tick.label, at: Location(x, frame.maxY + Self.tickLength + 2), horizontal: 0.5, Self.tickStyle)
        }
        for tick in yTicks {
            let y = area.place(xRange.lowerBound, tick.value).y
            mark(Location(frame.x, y), Location(frame.x - Self.tickLength, y))
            canvas.text(
                tick.label, at: Location(frame.x - Self.tickLength - 2, y), horizontal: 1, vertical: 0.5,
                Self.tickStyle)
        }
        if panel.x.scale == .logarithmic && panel.x.ticks == nil {
            for value in Ticks.minor(xRange) {
                let x = area.place(value, yRange.lowerBound).x
                mark(Location(x, frame.maxY), Location(x, frame.maxY + Self.tickLength / 2))
            }
        }
        if panel.y.scale == .logarithmic && panel.y.ticks == nil {
            for value in Ticks.minor(yRange) {
                let y = area.place(xRange.lowerBound, value).y
                mark(Location(frame.x, y), Location(frame.x - Self.tickLength / 2, y))
            }
        }
        drawTitles(frame, xTicks, yTicks)
    }

    private func drawTitles(_ frame: Rectangle, _ xTicks: [Tick], _ yTicks: [Tick]) {
        if let title = panel.title, !title.isEmpty {
            canvas.text(
                title, at: Location(frame.center.x, frame.y - Self.gap), horizontal: 0.5, vertical: 1,
                Self.panelTitleStyle)
        }
        var y = frame.maxY + Self.gap
        if !xTicks.isEmpty { y += Self.tickLength + 2 + canvas.height(Self.tickStyle) }
        if !panel.x.title.isEmpty {
            canvas.text(panel.x.title, at: Location(frame.center.x, y), horizontal: 0.5, Self.titleStyle)
            y += canvas.height(Self.titleStyle) + Self.gap
        }
        if let caption = panel.caption, !caption.isEmpty {
            canvas.text(caption, at: Location(frame.center.x, y), horizontal: 0.5, Self.labelStyle)
        }
        if !panel.y.title.isEmpty {
            var x = frame.x - Self.gap
            if !yTicks.isEmpty {
                x -= Self.tickLength + 2 + (yTicks.map { canvas.width($0.label, Self.tickStyle) }.max() ?? 0)
            }
            canvas.text(
                panel.y.title, at: Location(x, frame.center.y), horizontal: 0.5, vertical: 1, Self.titleStyle, turns: 1)
        }
    }

    private func drawColorBar(_ frame: Rectangle) {
        guard let bar = colorBar else { return }
        let place = Rectangle(x: frame.maxX + 8, y: frame.y, width: Self.colorBarWidth, height: frame.height)
        let steps = 128
        let pixels = (0..<steps).map { bar.map.pixel(1 - (Double($0) + 0.5) / Double(steps)) }
        canvas.image(pixels, width: 1, height: steps, in: place, isSmooth: false)
        canvas.rectangle(place, outline: .ink, width: 0.5)
        let ticks = Ticks.linear(bar.range, count: 6)
        for tick in ticks {
            let part = (tick.value - bar.range.lowerBound) / (bar.range.upperBound - bar.range.lowerBound)
            let y = place.maxY - part * place.height
            canvas.line(
                [Location(place.maxX, y), Location(place.maxX + Self.tickLength, y)], color: .ink, width: 0.7)
            canvas.text(tick.label, at: Location(place.maxX + Self.tickLength + 2, y), vertical: 0.5, Self.tickStyle)
        }
        if !bar.title.isEmpty {
            let widest = ticks.map { canvas.width($0.label, Self.tickStyle) }.max() ?? 0
            canvas.text(
                bar.title, at: Location(place.maxX + Self.tickLength + 2 + widest + Self.gap, frame.center.y),
                horizontal: 0.5, Self.titleStyle, turns: 1)
        }
    }

    // MARK: - Legend and labels

    private func obstacles(_ area: PlotArea) -> [Obstacle] { panel.marks.flatMap { $0.obstacles(area) } }

    /// Draws the legend; the box that it takes inside of the frame.
    private func drawLegend(_ area: PlotArea) -> Rectangle? {
        let entries = panel.entries
        guard panel.legend != .none, !entries.isEmpty else { return nil }
        let legend = Legend(entries, fitting: 0, canvas: canvas)
        let frame = area.frame
        if panel.legend == .right {
            legend.draw(canvas, at: Location(frame.maxX + 8, frame.y), isBoxed: false)
            return nil
        }
        let inside = frame.grown(by: -5)
        let corners = [
            Location(inside.maxX - legend.width, inside.y), Location(inside.x, inside.y),
            Location(inside.maxX - legend.width, inside.maxY - legend.height),
            Location(inside.x, inside.maxY - legend.height),
        ]
        let obstacles = obstacles(area)
        func covered(_ corner: Location) -> Int {
            let box = Rectangle(x: corner.x, y: corner.y, width: legend.width, height: legend.height).grown(by: 3)
            return obstacles.count { obstacle in
                switch obstacle {
                case .area(let area): area.overlaps(box)
                case .line(let start, let end): box.meetsLine(from: start, to: end)
                }
            }
        }
        let costs = corners.map(covered)
        let best = corners[costs.indices.min { costs[$0] < costs[$1] }!]
        legend.draw(canvas, at: best, isBoxed: true)
        return Rectangle(x: best.x, y: best.y, width: legend.width, height: legend.height)
    }

    private func drawLabels(_ area: PlotArea, _ legend: Rectangle?) {
        let points = panel.marks.flatMap { $0.labels(area) }
        let lines = panel.marks.flatMap { $0.lineLabels(area) }
        guard !points.isEmpty || !lines.isEmpty else { return }
        let height = canvas.height(Self.labelStyle)
        func sizes(_ texts: [String]) -> [(width: Double, height: Double)] {
            texts.map { (width: canvas.width($0, Self.labelStyle), height: height) }
        }
        let frame = area.frame.grown(by: -2)
        var obstacles = obstacles(area) + (legend.map { [.area($0)] } ?? [])
        let lineBoxes = LabelPlacement.boxes(
            lines, sizes: sizes(lines.map(\.text)), frame: frame, obstacles: obstacles)
        obstacles += lineBoxes.map { .area($0) }
        let boxes = LabelPlacement.boxes(points, sizes: sizes(points.map(\.text)), frame: frame, obstacles: obstacles)
        for (label, box) in zip(points, boxes) {
            if let end = LabelPlacement.leader(from: label.place, to: box, clearance: label.clearance) {
                canvas.line([label.place, end], color: .muted, width: 0.4)
            }
        }
        for (label, box) in zip(lines, lineBoxes) {
            let style = TextStyle(size: Self.labelStyle.size, color: label.color)
            canvas.text(label.text, at: Location(box.x, box.y), style, ground: Self.labelGround)
        }
        for (label, box) in zip(points, boxes) {
            canvas.text(label.text, at: Location(box.x, box.y), Self.labelStyle, ground: Self.labelGround)
        }
    }
}
