import Foundation

/// A picture that becomes a part of a page.
///
/// SVG is embedded as an image and not as markup: what is in it can neither run, nor load anything, nor meet the names of
/// other pictures.
public struct EmbeddedPicture: Sendable {
    public let html: HTML

    /// - Parameters:
    ///   - data: of a PNG or an SVG file; nil is answered for anything else.
    ///   - description: for those who do not see it.
    public init?(_ data: Data, description: String) {
        guard let type = Self.type(of: data) else { return nil }
        let source = "data:\(type);base64,\(data.base64EncodedString())"
        var attributes: [(StaticString, String)] = [("src", source), ("alt", description)]
        if type == "image/png", let width = Self.shownWidth(of: data) { attributes.append(("width", String(width))) }
        let image = HTML.void("img", attributes)
        html = .element("figure", image + .element("figcaption", HTML(description)))
    }

    /// A figure of this program: as a drawing, or as pixels where it holds a map, whose cells browsers would blur.
    public init(_ figure: Figure, description: String) {
        let hasMap = figure.panels.contains { $0.contains { $0.marks.contains(where: \.fillsFrame) } }
        self.init(Data(FigureFile.bytes(figure, hasMap ? .png : .svg)), description: description)!
    }

    /// Figures have 200 pixels in an inch, a page 96; a photograph is shown as it is.
    private static func shownWidth(of data: Data) -> Int? {
        let field = data.dropFirst(16).prefix(4)
        guard field.count == 4 else { return nil }
        let width = field.reduce(0) { $0 << 8 | Int($1) }
        return width > 700 ? width * 96 / 200 : nil
    }

    /// By the first bytes, whatever a file is called.
    static func type(of data: Data) -> String? {
        if data.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
        let beginning = String(decoding: data.prefix(512), as: UTF8.self)
        return beginning.contains("<svg") || (beginning.hasPrefix("<?xml") && beginning.contains("svg"))
            ? "image/svg+xml" : nil
    }
}
