import Foundation
import SSFAnalysis
import SSFTestSupport
import Testing

@Suite("ssf-analyze tsne, as a user drives it", .serialized)
struct TSNECommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func tsne(_ arguments: String...) throws -> Binary.Result {
        try Binary.run(program: "ssf-analyze", ["tsne"] + arguments, folder: folder.path)
    }

    /// A .npy file, as NumPy writes it.
    private func write<T>(_ name: String, _ type: String, _ shape: [Int], _ values: [T]) throws {
        let sizes = shape.map { "\($0)," }.joined()
        var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
        header += String(repeating: " ", count: (64 - (11 + header.utf8.count) % 64) % 64) + "\n"
        var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]) + Data(header.utf8)
        values.withUnsafeBytes { data.append(contentsOf: $0) }
        try data.write(to: URL(filePath: folder.file(name)))
    }

    /// Three groups of 20 samples, in single and in double precision, and their classes.
    private func writeGroups() throws {
        var values: [Double] = []
        for place in 0..<60 * 5 {
            let group = Double(place / 5 % 3)
            let rest = Double(place * 7919 % 1009) / 1009
            values.append(4 * group + rest)
        }
        let singles: [Float] = values.map { Float($0) }
        try write("x.npy", "<f4", [60, 5], singles)
        try write("y.npy", "<f8", [60, 5], values)
        let labels: [Int64] = (0..<60).map { Int64($0 % 3 + 10) }
        try write("labels.npy", "<i8", [60], labels)
    }

    private func refuse(_ arguments: String..., words: String..., location: SourceLocation = #_sourceLocation) throws {
        let result = try Binary.run(program: "ssf-analyze", ["tsne"] + arguments, folder: folder.path)
        #expect(result.code != 0, "\(result)", sourceLocation: location)
        for word in words { #expect(result.err.contains(word), "\(word): \(result)", sourceLocation: location) }
        #expect(!result.err.contains("Fatal error") && result.out.isEmpty, "\(result)", sourceLocation: location)
    }

    @Test("Matrices side by side: figure, CSV, JSON and NPY, the same again")
    func matrices() throws {
        try writeGroups()
        for output in ["a", "b"] {
            let result = try tsne(
                "--features", "single=x.npy", "--features", "y.npy", "--labels", "labels.npy", "--perplexity", "8",
                "--output", output, "--threads", output == "a" ? "1" : "2")
            #expect(result.code == 0, "\(result)")
            #expect(result.out.contains("trustworthiness") && result.out.contains("barnes-hut"), "\(result)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("a")).sorted()
        #expect(
            names == [
                "tsne-single.npy", "tsne-y.npy", "tsne.csv", "tsne.json", "tsne.pdf", "tsne.png", "tsne.svg",
            ])
        for name in names {
            let (a, b) = (folder.file("a/\(name)"), folder.file("b/\(name)"))
            #expect(FileManager.default.contentsEqual(atPath: a, andPath: b), "\(name)")
        }
        let report = try JSONDecoder().decode(
            Headline.self, from: Data(contentsOf: URL(filePath: folder.file("a/tsne.json"))))
        #expect(report.samples == 60 && report.classes == ["10", "11", "12"] && report.settings.perplexity == 8)
        #expect(report.embeddings.map(\.name) == ["single", "y"])
        for embedding in report.embeddings {
            #expect(embedding.quality.trustworthiness > 0.9 && embedding.kl_divergence > 0)
        }
        let rows = try String(contentsOfFile: folder.file("a/tsne.csv"), encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 121 && rows[0] == "embedding,sample,class,x,y" && rows[1].hasPrefix("single,0,10,"))
    }

    private struct Headline: Decodable {
        struct Embedding: Decodable {
            var name: String
            var kl_divergence: Double
            var quality: EmbeddingQuality
        }
        var samples: Int
        var classes: [String]
        var settings: TSNESettings
        var embeddings: [Embedding]
    }

    @Test("A limit draws samples, and one class is said to be one")
    func limit() throws {
        try writeGroups()
        try write("one.npy", "|u1", [60], [UInt8](repeating: 4, count: 60))
        let result = try tsne(
            "--features", "x.npy", "--labels", "one.npy", "--perplexity", "8", "--limit", "40", "--output", "out",
            "--iterations", "20", "--early-iterations", "20", "--method", "fft")
        #expect(result.code == 0 && result.err.contains("one class: 4"), "\(result)")
        #expect(result.out.contains("fft") && result.out.contains("40"))
    }

    @Test("Mistakes are named")
    func mistakes() throws {
        try writeGroups()
        try refuse("--features", "x.npy", "--output", "out", words: "too large for 60 samples", "--perplexity 19")
        try refuse("--features", "none.npy", "--output", "out", words: "none.npy")
        try refuse("--features", "labels.npy", "--output", "out", words: "a matrix is needed")
        try refuse("--features", "x.npy", "--features", "x.npy", "--output", "out", words: "two matrices are called x")
        try refuse("--features", "x.npy", "--labels", "x.npy", "--output", "out", words: "a class for each sample")
        try refuse("--features", "x.npy", "--model", "m", "--output", "out", words: "exclude each other")
        try refuse("--features", "x.npy", "--data", "d", "--output", "out", words: "--data has no meaning")
        try refuse("--features", "x.npy", "--method", "magic", "--output", "out", words: "--method must be one of")
        try refuse("--output", "out", words: "--model is missing")
        let bad: [Float] = (0..<60).map { $0 == 7 ? .nan : Float($0) }
        try write("bad.npy", "<f4", [60, 1], bad)
        try refuse("--features", "bad.npy", "--perplexity", "5", "--output", "out", words: "bad.npy: row 7, column 0")
        try write("empty.npy", "<f4", [60, 0], [Float]())
        try refuse("--features", "empty.npy", "--perplexity", "5", "--output", "out", words: "60 x 0")
        try write("few.npy", "<f4", [3, 1], [Float(1), 2, 3])
        try refuse("--features", "few.npy", "--output", "out", words: "needs more samples")
        #expect(!folder.names.contains("out"))
    }
}
