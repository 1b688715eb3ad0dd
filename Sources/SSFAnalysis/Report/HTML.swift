/// A piece of an HTML document. Text becomes a piece only by being escaped, so that no name of a class, a file or a setting
/// can bring markup with it.
public struct HTML: Sendable, ExpressibleByStringInterpolation {
    /// As it stands in the document.
    public let source: String

    private init(source: String) { self.source = source }

    /// Text, escaped; characters that no document may hold are shown as U+FFFD.
    public init(_ text: some StringProtocol) {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n", "\t": escaped.unicodeScalars.append(scalar)
            // Control characters, and those that turn the direction of the text around them.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}",
                "\u{FFFE}"..."\u{FFFF}":
                escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        source = escaped
    }

    public init(stringLiteral text: String) { self.init(text) }

    /// Pieces one after the other.
    public init(_ pieces: [HTML]) { source = pieces.map(\.source).joined() }

    /// An element.
    ///
    /// - Parameters:
    ///   - name: of this program, such as `td`; never from outside.
    ///   - attributes: names of this program, and values that are escaped.
    public static func element(
        _ name: StaticString, _ attributes: [(StaticString, String)], _ content: HTML
    ) -> HTML {
        HTML(source: opening(name, attributes) + content.source + "</\(name)>")
    }

    /// An element without attributes.
    public static func element(_ name: StaticString, _ content: HTML) -> HTML { element(name, [], content) }

    /// An element that holds nothing and is not closed, such as `img`.
    public static func void(_ name: StaticString, _ attributes: [(StaticString, String)]) -> HTML {
        HTML(source: opening(name, attributes))
    }

    /// Markup or a style sheet of this program.
    static func literal(_ source: StaticString) -> HTML { HTML(source: "\(source)") }

    private static func opening(_ name: StaticString, _ attributes: [(StaticString, String)]) -> String {
        "<\(name)" + attributes.map { " \($0)=\"\(HTML($1).source)\"" }.joined() + ">"
    }

    public static func + (a: HTML, b: HTML) -> HTML { HTML(source: a.source + b.source) }
}
