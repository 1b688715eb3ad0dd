/// A picture with axes, as a description: `FigureFile` writes it, `FigureRenderer` draws it.
///
///     let figure = Figure(
///         title: "Similarity to full fine-tuning",
///         panels: [[Panel(x: Axis("block"), y: Axis("CKA"), marks: [Line(points, color: Palette.blue, name: "SSF")])]])
///     try FigureFile.write(figure, to: "similarity.svg")
public struct Figure: Sendable {
    public var title: String?
    /// Of the whole picture, in points of 1/72 inch.
    public var width: Double
    public var height: Double
    /// Rows of panels; a row may have fewer than others.
    public var panels: [[Panel]]
    /// How high the rows are beside each other, without their letters; nil for all alike.
    public var rowHeights: [Double]?
    /// One legend below the panels with the names of all of them, each once.
    public var hasSharedLegend: Bool
    /// Small text at the bottom: how and on what it was measured. Broken into lines where it is long.
    public var caption: String?

    public init(
        title: String? = nil, width: Double = 504, height: Double = 360, panels: [[Panel]],
        rowHeights: [Double]? = nil, hasSharedLegend: Bool = false, caption: String? = nil
    ) {
        precondition(width > 0 && height > 0, "a figure of \(width) x \(height) points")
        precondition(rowHeights.map { $0.count == panels.count && $0.allSatisfy { $0 > 0 } } ?? true)
        (self.title, self.width, self.height, self.panels) = (title, width, height, panels)
        self.rowHeights = rowHeights
        (self.hasSharedLegend, self.caption) = (hasSharedLegend, caption)
    }
}
