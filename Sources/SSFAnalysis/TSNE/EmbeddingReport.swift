import Foundation

/// One or several embeddings of the same samples, with everything that says how they came about: what
/// `ssf-analyze tsne` writes. The same samples and settings give the same report.
public struct EmbeddingReport: Codable, Sendable {
    /// The features of one model, or of one file, in the plane.
    public struct Embedding: Codable, Sendable {
        public var name: String
        /// The model or the file.
        public var path: String
        /// The model's layer, and which of its tokens; nil for a file.
        public var layer: String?
        public var tokens: String?
        /// Numbers of a sample.
        public var features: Int
        /// How repulsion was computed.
        public var method: TSNESettings.Method
        /// Kullback-Leibler divergence in nats.
        public var divergence: Double
        /// Samples whose perplexity could not be reached.
        public var missedPerplexities: Int
        public var quality: EmbeddingQuality
        /// [samples, 2]; not in the JSON, but in a file of its own.
        public var points: [Float] = []

        public init(
            name: String, path: String, layer: String?, tokens: String?, features: Int, result: TSNE.Result,
            quality: EmbeddingQuality
        ) {
            (self.name, self.path, self.layer, self.tokens) = (name, path, layer, tokens)
            (self.features, self.quality) = (features, quality)
            (method, divergence, missedPerplexities) = (result.method, result.divergence, result.missedPerplexities)
            points = result.points
        }

        enum CodingKeys: String, CodingKey {
            case name, path, layer, tokens, features, method, quality
            case divergence = "kl_divergence"
            case missedPerplexities = "missed_perplexities"
        }
    }

    /// The program with its version.
    public var program: String
    /// What `--data` named; nil for features from files.
    public var data: String?
    public var samples: Int
    /// Of all that there were: those that `--limit` left were drawn from the seed.
    public var available: Int
    /// The class of every sample, or empty; not in the JSON, but in the CSV.
    public var labels: [Int] = []
    /// What stands for every sample, such as its file, or its number.
    public var names: [String] = []
    public var classes: [String]
    public var settings: TSNESettings
    public var embeddings: [Embedding]

    public init(
        program: String, data: String?, available: Int, names: [String], labels: [Int], classes: [String],
        settings: TSNESettings, embeddings: [Embedding]
    ) {
        (self.program, self.data, self.available) = (program, data, available)
        (self.names, self.labels, self.classes) = (names, labels, classes)
        (self.settings, self.embeddings) = (settings, embeddings)
        samples = names.count
    }

    enum CodingKeys: String, CodingKey {
        case program, data, samples, available, classes, settings, embeddings
    }

    /// A row for each sample of each embedding, with a heading.
    public func csv() -> String {
        func field(_ text: String) -> String {
            text.contains(where: { ",\"\n\r".contains($0) })
                ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
        }
        var lines = ["embedding,sample,class,x,y"]
        lines.reserveCapacity(samples * embeddings.count + 1)
        let classes = classes.map(field)
        let names = names.map(field)
        for embedding in embeddings {
            let name = field(embedding.name)
            for i in 0..<samples {
                let label = labels.isEmpty ? "" : classes[labels[i]]
                lines.append("\(name),\(names[i]),\(label),\(embedding.points[2 * i]),\(embedding.points[2 * i + 1])")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The embeddings side by side.
    public func figure() -> Figure {
        EmbeddingFigure(
            maps: embeddings.map { embedding in
                EmbeddingFigure.Map(
                    title: embedding.name, points: embedding.points,
                    caption: String(
                        format: "KL %.3f, recall@%d %.2f, trustworthiness %.3f", embedding.divergence,
                        embedding.quality.neighbors, embedding.quality.recall, embedding.quality.trustworthiness))
            },
            labels: labels, classes: classes, title: "t-SNE of \(samples) samples",
            caption: String(
                format:
                    "Perplexity %g, %d + %d iterations, seed %d. Each map is an embedding of its own: distances are "
                    + "not comparable between maps, nor far apart within one.", settings.perplexity,
                settings.earlyIterations, settings.iterations, Int(truncatingIfNeeded: settings.seed))
        ).figure()
    }
}
