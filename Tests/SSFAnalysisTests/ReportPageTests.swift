import Foundation
import SSFAnalysis
import Testing

@Suite("Pages of reports")
struct ReportPageTests {
    private static let hostile = #"<script>alert("1")</script> & 'x' </td><img src=x onerror=y>"#

    @Test("Text cannot become markup, and what no document may hold is replaced")
    func escaping() {
        let source = HTML(Self.hostile).source
        #expect(!source.contains("<") && !source.contains(">") && !source.contains("\"") && !source.contains("'"))
        #expect(source.hasPrefix("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;"))
        #expect(HTML("a\u{0}b\u{202E}c\u{8}").source == "a\u{FFFD}b\u{FFFD}c\u{FFFD}")
        #expect(HTML("größe 猫").source == "größe 猫")
        let link = HTML.element("a", [("href", "\" onclick=\"x")], "\(Self.hostile)")
        #expect(link.source.hasPrefix("<a href=\"&quot; onclick=&quot;x\">&lt;script"))
    }

    @Test("A page loads nothing and runs nothing, and what is opened is closed")
    func page() throws {
        var table = HTMLTable(["class \(Self.hostile)", "images"], caption: Self.hostile)
        table.add([Self.hostile, "12"])
        table.add(["b", "-3"])
        let figure = Figure(panels: [[Panel(marks: [Line([DataPoint(0, 1), DataPoint(1, 2)], color: Palette.blue)])]])
        let page = ReportPage(
            title: Self.hostile, subtitle: Self.hostile, highlights: [("1 %", Self.hostile)],
            sections: [
                .init(Self.hostile, [table.html]), .init("Empty", []),
                .init("Picture", [EmbeddedPicture(figure, description: Self.hostile).html]),
            ], origin: Self.hostile)
        let document = page.document
        #expect(document.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"))
        #expect(document.contains("default-src &#39;none&#39;; img-src data:"))
        #expect(document.contains("<td class=\"n\">12</td>") && document.contains("src=\"data:image/svg+xml;base64,"))
        #expect(!document.contains("<script") && !document.contains("onerror=y>") && !document.contains("Empty"))
        #expect(!document.contains("http://") && !document.contains("https://") && !document.contains("url("))

        var open: [Substring] = []
        for match in document.matches(of: /<(\/?)([a-z0-9]+)[^>]*>/) where !["meta", "img"].contains(match.2) {
            if match.1.isEmpty { open.append(match.2) } else { #expect(open.popLast() == match.2) }
        }
        #expect(open.isEmpty)
    }

    @Test("Comma-separated values: quotes, line ends and ragged rows")
    func commaSeparated() throws {
        let table = try #require(CommaSeparated("a,b\r\n\"x,1\",\"say \"\"hi\"\"\nthere\"\r\n\n3\n4,5,6"))
        #expect(table.header == ["a", "b"])
        #expect(table.rows == [["x,1", "say \"hi\"\nthere"], ["3", ""], ["4", "5"]])
        #expect(table.column("b") == ["say \"hi\"\nthere", "", "5"] && table.column("c") == nil)
        #expect(CommaSeparated("") == nil && CommaSeparated("\n\n") == nil)
    }

    @Test("Pictures are known by their bytes")
    func pictures() {
        let png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0])
        #expect(EmbeddedPicture(png, description: "p")!.html.source.contains("data:image/png;base64,iVBORw0KGgoA"))
        let figure = Figure(width: 360, height: 72, panels: [[Panel(marks: [HeatMap([1, 2], columns: 2, title: "")])]])
        #expect(EmbeddedPicture(figure, description: "f").html.source.contains(" width=\"480\""))
        #expect(EmbeddedPicture(Data("<?xml version=\"1.0\"?>\n<svg/>".utf8), description: "s") != nil)
        #expect(EmbeddedPicture(Data("<html><script>".utf8), description: "h") == nil)
        #expect(EmbeddedPicture(Data(), description: "e") == nil)
    }

    @Test("Curves and matrices are drawn from what there is")
    func figures() throws {
        let header = "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr,images_per_second\n"
        let whole = try #require(CommaSeparated(header + "0,1.5,1.4,40,90,0.1,5\n1,1.0,1.1,50,95,0.05,5\n"))
        #expect(RunFigures.curves(whole)?.panels[0].count == 3)
        // Without a validation part.
        let part = try #require(CommaSeparated(header + "0,1.5,,,,0.1,5\n"))
        #expect(RunFigures.curves(part)?.panels[0].count == 2)
        #expect(RunFigures.curves(try #require(CommaSeparated(header))) == nil)

        let square = try #require(CommaSeparated("t,a,b\na,3,1\nb,0,0\n"))
        let map = try #require(RunFigures.confusion(square)?.panels[0][0].marks[0] as? HeatMap)
        #expect(Array(map.values.prefix(2)) == [75, 25] && map.values.suffix(2).allSatisfy { $0.isNaN })
        #expect(RunFigures.confusion(try #require(CommaSeparated("t,a,b\na,3,1\n"))) == nil)
        #expect(RunFigures.confusion(try #require(CommaSeparated("t,a\na,x\n"))) == nil)
    }
}
