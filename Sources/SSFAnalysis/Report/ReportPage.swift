/// A page that needs nothing but itself: no script, no network, pictures in the text.
public struct ReportPage: Sendable {
    public struct Section: Sendable {
        public var title: String
        public var content: [HTML]

        public init(_ title: String, _ content: [HTML]) {
            (self.title, self.content) = (title, content)
        }
    }

    public var title: String
    /// Below the title: what it is about, in a line.
    public var subtitle: String
    /// What matters most, as number and what it is: `76.4 %`, `top-1 on the test part`.
    public var highlights: [(value: String, meaning: String)]
    public var sections: [Section]
    /// At the end: who made it, when and from what.
    public var origin: String

    public init(
        title: String, subtitle: String, highlights: [(value: String, meaning: String)] = [], sections: [Section] = [],
        origin: String
    ) {
        (self.title, self.subtitle, self.highlights) = (title, subtitle, highlights)
        (self.sections, self.origin) = (sections, origin)
    }

    /// The document, HTML 5 in UTF-8.
    public var document: String {
        let shown = sections.filter { !$0.content.isEmpty }
        var header: [HTML] = [.element("h1", HTML(title)), .element("p", HTML(subtitle))]
        if shown.count > 1 {
            let links = shown.enumerated().map { index, section in
                HTML.element("a", [("href", "#s\(index + 1)")], HTML(section.title))
            }
            header.append(.element("nav", HTML(links)))
        }
        var body: [HTML] = [.element("header", HTML(header))]
        if !highlights.isEmpty {
            let marks = highlights.map { mark in
                HTML.element("div", .element("b", HTML(mark.value)) + .element("span", HTML(mark.meaning)))
            }
            body.append(.element("div", [("class", "marks")], HTML(marks)))
        }
        for (index, section) in shown.enumerated() {
            let content: [HTML] = [.element("h2", HTML(section.title))] + section.content
            body.append(.element("section", [("id", "s\(index + 1)")], HTML(content)))
        }
        body.append(.element("footer", HTML(origin)))
        let head: [HTML] = [
            .void("meta", [("charset", "utf-8")]),
            // Nothing is to be fetched or run, whatever a picture may hold.
            .void(
                "meta",
                [
                    ("http-equiv", "Content-Security-Policy"),
                    ("content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'"),
                ]),
            .void("meta", [("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
            .void("meta", [("name", "color-scheme"), ("content", "light dark")]),
            .element("title", HTML(title)), .element("style", Self.style),
        ]
        return "<!DOCTYPE html>\n"
            + HTML.element(
                "html", [("lang", "en")], HTML([.element("head", HTML(head)), .element("body", HTML(body))])
            ).source + "\n"
    }

    /// Figures are drawn on white: they keep it where the page is dark.
    private static let style: HTML = .literal(
        """
        :root{color-scheme:light dark;--ink:#1c1c1c;--soft:#5f6368;--line:#d9dce0;--paper:#fff;--shade:#f4f6f8;--link:#0b57a4}
        @media (prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#a5abb3;--line:#3c4148;--paper:#17191c;--shade:#22262b;--link:#8ab4f8}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:72rem;padding:1.5rem;font:16px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif;color:var(--ink);background:var(--paper)}
        h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem;overflow-wrap:anywhere}
        h2{font-size:1.2rem;margin:2.2rem 0 .7rem;padding-bottom:.2rem;border-bottom:1px solid var(--line)}
        p{margin:.4rem 0;overflow-wrap:anywhere}
        header p,footer,figcaption,caption{color:var(--soft)}
        nav a{margin-right:1.1rem;color:var(--link);text-decoration:none}
        .marks{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}
        .marks div{background:var(--shade);border:1px solid var(--line);border-radius:.4rem;padding:.6rem 1rem}
        .marks b{display:block;font-size:1.4rem;line-height:1.2}
        .marks span{color:var(--soft);font-size:.85rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;font-size:.9rem;margin:.4rem 0}
        caption{text-align:left;font-size:.85rem;padding-bottom:.3rem}
        th,td{text-align:left;padding:.22rem .8rem .22rem 0;border-bottom:1px solid var(--line);vertical-align:top;max-width:36rem;overflow-wrap:break-word}
        thead th{color:var(--soft);font-weight:600}
        .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        figure{margin:1rem 0}
        figure img{display:block;max-width:100%;height:auto;background:#fff;border:1px solid var(--line);border-radius:.3rem}
        figcaption{font-size:.85rem;margin-top:.3rem}
        footer{margin-top:3rem;font-size:.85rem}
        @media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--shade:#f4f6f8}body{max-width:none;padding:0;font-size:11pt}nav{display:none}.scroll{overflow:visible}h2{break-after:avoid}figure,tr,.marks div{break-inside:avoid}}
        """)
}
