/// A text at a place among the data, set there as it is.
public struct Annotation: Mark {
    public var text: String
    public var point: DataPoint
    /// Which part of the text's width lies at the point: 0 its left end, 1 its right end.
    public var horizontal: Double
    /// Which part of its height: 0 the top, 1 the bottom.
    public var vertical: Double
    public var color: Color
    public var size: Double

    public init(
        _ text: String, at point: DataPoint, horizontal: Double = 0, vertical: Double = 1, color: Color = .ink,
        size: Double = 8
    ) {
        (self.text, self.point, self.horizontal, self.vertical) = (text, point, horizontal, vertical)
        (self.color, self.size) = (color, size)
    }

    public func covered() -> [DataPoint] { [] }

    public func draw(_ pen: Pen, _ area: PlotArea) {
        guard area.hasPlace(point.x, point.y) else { return }
        pen.canvas.text(
            text, at: place(pen.canvas, area), TextStyle(size: size, color: color), ground: .white.withOpacity(0.75))
    }

    public func obstacles(_ area: PlotArea) -> [Obstacle] {
        guard area.hasPlace(point.x, point.y) else { return [] }
        return Canvas.measuring { canvas in
            let corner = place(canvas, area)
            let style = TextStyle(size: size)
            return [
                .area(
                    Rectangle(
                        x: corner.x, y: corner.y, width: canvas.width(text, style), height: canvas.height(style)))
            ]
        }
    }

    /// The top left corner, moved where the text would leave the frame.
    private func place(_ canvas: Canvas, _ area: PlotArea) -> Location {
        let style = TextStyle(size: size)
        let (width, height) = (canvas.width(text, style), canvas.height(style))
        let wanted = area.place(point.x, point.y)
        let inside = area.frame.grown(by: -2)
        return Location(
            max(inside.x, min(wanted.x - horizontal * width, inside.maxX - width)),
            max(inside.y, min(wanted.y - vertical * height, inside.maxY - height)))
    }
}
