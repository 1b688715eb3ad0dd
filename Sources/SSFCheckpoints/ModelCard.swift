/// The README.md of an adapter or merged folder, with the front matter that the Hugging Face hub reads.
public struct ModelCard: Sendable {
    public var title: String
    /// What the weights are, in a sentence or two.
    public var summary: String
    /// Path or name of the model that was tuned.
    public var baseModel: String?
    public var datasets: [String] = []
    /// As the hub spells it, such as `apache-2.0`; nobody but the owner of base and data can state it.
    public var license: String?
    public var tags: [String] = []
    /// Names and values to be shown, such as `top-1` and `86.3 %`.
    public var metrics: [(name: String, value: String)] = []
    /// What was set for the run, in order.
    public var recipe: [(name: String, value: String)] = []
    public var classes: [String] = []
    /// Commands that use the folder, one to a line.
    public var usage: [String] = []

    public init(title: String, summary: String) {
        self.title = title
        self.summary = summary
    }

    /// How the method is cited.
    private static let citation = """
        @inproceedings{lian2022scaling,
          title = {Scaling \\& Shifting Your Features: A New Baseline for Efficient Model Tuning},
          author = {Lian, Dongze and Zhou, Daquan and Feng, Jiashi and Wang, Xinchao},
          booktitle = {Advances in Neural Information Processing Systems},
          year = {2022}
        }
        """

    /// Most cards need not list a thousand names; the configuration has them all.
    private static let listedClasses = 50

    public var markdown: String {
        // A JSON string is a YAML string, whatever characters are in it.
        func quoted(_ text: String) -> String { JSONValue.string(text).text }
        func list(_ key: String, _ items: [String]) -> [String] {
            items.isEmpty ? [] : ["\(key):"] + items.map { "- \(quoted($0))" }
        }

        var lines = ["---", "library_name: ssf", "pipeline_tag: image-classification"]
        lines += list("tags", ["image-classification"] + tags)
        if let license { lines.append("license: \(quoted(license))") }
        if let baseModel { lines.append("base_model: \(quoted(baseModel))") }
        lines += list("datasets", datasets)
        lines += ["---", "", "# \(title)", "", summary]
        lines += section(
            "Details", [("Base model", baseModel), ("Data", datasets.isEmpty ? nil : datasets.joined(separator: ", "))])
        lines += table("Results", ("Metric", "Value"), metrics)
        lines += table("Recipe", ("Setting", "Value"), recipe)
        if !classes.isEmpty {
            let listed = classes.prefix(Self.listedClasses).map(Self.escaped).joined(separator: ", ")
            let rest = classes.count > Self.listedClasses ? ", and \(classes.count - Self.listedClasses) more" : ""
            lines += ["", "## Classes", "", "\(classes.count): \(listed)\(rest)."]
        }
        if !usage.isEmpty { lines += ["", "## Use", "", "```sh"] + usage + ["```"] }
        lines += ["", "## Citation", "", "```bibtex", Self.citation, "```"]
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ title: String, _ rows: [(String, String?)]) -> [String] {
        let stated = rows.compactMap { name, value in value.map { "- \(name): \(Self.escaped($0))" } }
        return stated.isEmpty ? [] : ["", "## \(title)", ""] + stated
    }

    private func table(_ title: String, _ head: (String, String), _ rows: [(name: String, value: String)]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let body = rows.map { "| \(Self.escaped($0.name)) | \(Self.escaped($0.value)) |" }
        return ["", "## \(title)", "", "| \(head.0) | \(head.1) |", "| --- | --- |"] + body
    }

    /// Text that stays text in a table of Markdown.
    private static func escaped(_ text: String) -> String {
        String(text.flatMap { "|\\`*_<>".contains($0) ? ["\\", $0] : [$0.isNewline ? " " : $0] })
    }
}
