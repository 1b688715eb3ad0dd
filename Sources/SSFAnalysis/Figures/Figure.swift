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
    /// One legend below the panels with the names of all of them, each once.
    public var hasSharedLegend: Bool
    /// Small text at the bottom: how and on what it was measured. Broken into lines where it is long.
    public var caption: String?

    public init(
        title: String? = nil, width: Double = 504, height: Double = 360, panels: [[Panel]],
        hasSharedLegend: Bool = false, caption: String? = nil
    ) {
        precondition(width > 0 && height > 0, "a figure of \(width) x \(height) points")
        (self.title, self.width, self.height, self.panels) = (title, width, height, panels)
        (self.hasSharedLegend, self.caption) = (hasSharedLegend, caption)
    }
}
