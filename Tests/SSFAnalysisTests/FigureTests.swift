import Foundation
import FoundationXML
import SSFAnalysis
import SSFTensors
import SSFTestSupport
import Testing

@Suite("Figures as files") struct FigureTests {
    /// Every kind of mark, in four panels.
    private static let figure: Figure = {
        let points = (0..<10).map { DataPoint(Double($0), 1 / (1 + Double($0))) }
        let line = Panel(
            title: "Lines", x: Axis("block"), y: Axis("similarity"),
            marks: [
                Line(
                    points, color: Palette.color(0), shape: .circle, band: points.map { $0.y - 0.1...$0.y + 0.1 },
                    name: "ssf", label: "along"),
                Line([DataPoint(0, .nan), DataPoint(1, 0.5)], color: Palette.color(1), dash: [3, 2], name: "linear"),
                Annotation("here", at: DataPoint(5, 0.5)),
            ])
        let map = Panel(
            x: Axis("layer", scale: .categories(["a", "b", "c"])), y: Axis("layer", isReversed: true),
            marks: [HeatMap([0, 1, 2, 3, .nan, 5], columns: 3, title: "CKA")], aspect: 1)
        let scatter = Panel(
            x: Axis(scale: .hidden), y: Axis(scale: .hidden),
            marks: PointShape.allCases.enumerated().map { index, shape in
                Points(
                    points, color: Palette.color(index), shape: shape, texts: points.map { "\($0.x)" }, name: "\(shape)"
                )
            }, legend: .right)
        let bars = Panel(
            x: Axis("value"), y: Axis("count", scale: .logarithmic),
            marks: [
                Bars(edges: [0, 1, 2, 3], heights: [10, 1000, 0], color: Palette.sky, name: "before"),
                Bars(
                    edges: [0, 1, 2, 3], heights: [20, 500, 3], color: Palette.black, style: .outline, name: "after"),
            ], caption: "a caption")
        let picture = Panel(
            x: Axis(scale: .hidden), y: Axis(scale: .hidden),
            marks: [Picture(width: 2, height: 2, pixels: [0xFF0000, 0x00FF00, 0x0000FF, 0xFFFFFF])])
        return Figure(
            title: "Every mark", panels: [[line, map, picture], [scatter, bars]], hasSharedLegend: true,
            caption: "Small & long enough: < ten lines.")
    }()

    @Test(
        "The same figure has the same bytes, also the second time in a process", arguments: FigureFile.Format.allCases)
    func deterministic(format: FigureFile.Format) {
        let first = FigureFile.bytes(Self.figure, format)
        #expect(first.count > 1000)
        #expect(first == FigureFile.bytes(Self.figure, format))
    }

    @Test("A PNG has the size that was asked for, in RGB")
    func pngSize() {
        let bytes = FigureFile.bytes(Figure(width: 504, height: 360, panels: []), .png, pixelsPerInch: 100)
        func number(_ offset: Int) -> Int { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
        #expect(Array(bytes[1...3]) == Array("PNG".utf8))
        #expect(number(16) == 700 && number(20) == 500)
        #expect(bytes[24] == 8 && bytes[25] == 2)
    }

    @Test("An SVG is well-formed, and every reference has its element")
    func svg() throws {
        final class Reader: NSObject, XMLParserDelegate {
            var names: Set<String> = []
            var references: Set<String> = []
            var root: [String: String] = [:]
            func parser(
                _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
                attributes: [String: String]
            ) {
                if element == "svg" { root = attributes }
                if let id = attributes["id"] { names.insert(id) }
                for value in attributes.values {
                    if value.hasPrefix("#") { references.insert(String(value.dropFirst())) }
                    if value.hasPrefix("url(#") { references.insert(String(value.dropFirst(5).dropLast())) }
                }
            }
        }
        let reader = Reader()
        let parser = XMLParser(data: Data(FigureFile.bytes(Self.figure, .svg)))
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(!reader.references.isEmpty && reader.references.isSubset(of: reader.names))
        #expect(reader.root["viewBox"] == "0 0 504 360")
    }

    @Test("A PDF does not say when it was made")
    func pdf() {
        let bytes = FigureFile.bytes(Self.figure, .pdf)
        let isDated = bytes.firstRange(of: Array("/CreationDate (20000101000000Z)".utf8)) != nil
        #expect(bytes.starts(with: "%PDF".utf8) && isDated)
    }

    @Test("Names in SVG are numbered as they are defined, whatever they were")
    func names() {
        let text = ##"<g id="clip17"/><g id="i9"/><use href="#i9"/><g clip-path="url(#clip17)"/><a b="#c"/>"##
        #expect(
            String(decoding: SVGNames.numberedInOrder(Array(text.utf8)), as: UTF8.self)
                == ##"<g id="n0"/><g id="n1"/><use href="#n1"/><g clip-path="url(#n0)"/><a b="#c"/>"##)
    }

    @Test("The ending of the name decides; others, and places that cannot be written, are refused")
    func files() throws {
        let folder = try TemporaryFolder()
        let small = Figure(width: 72, height: 36, panels: [])
        for name in ["a.png", "a.SVG", "a.pdf"] { try FigureFile.write(small, to: folder.file(name)) }
        #expect(folder.names == ["a.SVG", "a.pdf", "a.png"])
        #expect(throws: UserError.self) { try FigureFile.write(small, to: folder.file("a.jpg")) }
        #expect(throws: UserError.self) { try FigureFile.write(small, to: folder.file("a")) }
        #expect(throws: UserError.self) { try FigureFile.write(small, to: folder.file("a.png/b.png")) }
        #expect(folder.names == ["a.SVG", "a.pdf", "a.png"])
    }

    @Test("Long captions are broken between words")
    func wrapping() {
        let measure = { (text: String) in Double(text.count) }
        #expect(
            FigureRenderer.wrapped("one two three\nfour", width: 8, measure: measure) == ["one two", "three", "four"])
        #expect(FigureRenderer.wrapped("immeasurable", width: 3, measure: measure) == ["immeasurable"])
    }

    @Test("A panel of a proportion is the largest that fits, in the middle")
    func proportion() {
        let frame = Rectangle(x: 0, y: 0, width: 200, height: 100)
        #expect(FigureRenderer.shaped(frame, aspect: 1) == Rectangle(x: 50, y: 0, width: 100, height: 100))
        #expect(FigureRenderer.shaped(frame, aspect: 4) == Rectangle(x: 0, y: 25, width: 200, height: 50))
        #expect(FigureRenderer.shaped(frame, aspect: nil) == frame)
    }

    @Test("Colours of a scale begin and end where they should, and grow lighter in between")
    func colors() {
        #expect(ColorMap.sequential.color(0) == Color(hex: 0x440154))
        #expect(ColorMap.sequential.color(1) == Color(hex: 0xFDE725))
        #expect(ColorMap.sequential.color(7) == ColorMap.sequential.color(1))
        let luminance = (0...32).map { part in
            let color = ColorMap.sequential.color(Double(part) / 32)
            return 0.2126 * color.red + 0.7152 * color.green + 0.0722 * color.blue
        }
        for (darker, lighter) in zip(luminance, luminance.dropFirst()) { #expect(darker < lighter) }
        #expect(Set(Palette.colors).count == 8)
    }
}
