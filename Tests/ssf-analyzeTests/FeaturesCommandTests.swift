import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

@Suite("ssf-analyze features, as a user drives it", .serialized)
struct FeaturesCommandTests {
    private let folder: TemporaryFolder
    private let golden: [String: Tensor]

    init() throws {
        folder = try TemporaryFolder()
        golden = try Goldens.tensors("similarity/features.safetensors")
    }

    private func features(_ options: [String]) throws -> Binary.Result {
        try Binary.run(
            program: "ssf-analyze",
            [
                "features", "--model", "small=\(Goldens.path("vit/vit"))", "--data", Goldens.path("similarity/images"),
                "--crop-pct", "1", "--output", "out",
            ] + options, folder: folder.path)
    }

    /// The golden is float64; float32 through two blocks stays within 1e-5 of the largest value.
    private func check(_ seen: Tensor, _ expected: [Float], _ shape: Shape, _ what: String) {
        #expect(seen.shape == shape, "\(what)")
        let largest = expected.reduce(1) { max($0, abs($1)) }
        let worst = zip(seen.values, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(worst <= 1e-5 * largest, "\(what): off by \(worst)")
    }

    @Test("From image files to arrays: what timm has after each block", arguments: ["1", "3", "64"])
    func tokens(batch: String) throws {
        let result = try features(["--tokens", "all", "--layers", "blocks,norm,logits", "--batch-size", batch])
        #expect(result.code == 0, "\(result)")
        for (layer, name) in [("blocks.0", "block.0"), ("blocks.1", "block.1"), ("norm", "norm"), ("logits", "logits")]
        {
            let expected = golden[name]!
            check(try NPY.read(folder.file("out/small.\(layer).npy")), expected.values, expected.shape, layer)
        }
        #expect(try NPY.read(folder.file("out/labels.npy")).shape == [4])
        let rows = try String(contentsOfFile: folder.file("out/images.csv"), encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 5 && rows[0] == "image,file,label,class,predicted by small")
        let logits = golden["logits"]!.values
        for (index, file) in ["a/0.png", "a/1.png", "b/0.png", "b/1.png"].enumerated() {
            let row = rows[index + 1].split(separator: ",")
            let best = (0..<5).max { logits[5 * index + $0] < logits[5 * index + $1] }!
            #expect(row[1].hasSuffix(file) && row[2] == (index < 2 ? "0" : "1") && row[3] == file.prefix(1))
            #expect(row[4] == ["ant", "bee", "cicada", "dragonfly", "earwig"][best])
        }
    }

    @Test("Class tokens and means of patches, as one safetensors file")
    func pooled() throws {
        let tokens = golden["block.1"]!.values
        for choice in ["class", "mean"] {
            #expect(try features(["--tokens", choice, "--format", "safetensors", "--quiet"]).code == 0)
            let tensors = try Safetensors.read(folder.file("out/small.safetensors")).tensors
            #expect(tensors.keys.sorted() == ["blocks.0", "blocks.1", "norm"])
            let expected = (0..<4 * 24).map { e -> Float in
                let image = e / 24 * 17 * 24 + e % 24
                return choice == "class"
                    ? tokens[image] : (1..<17).reduce(0) { $0 + tokens[image + 24 * $1] } / 16
            }
            check(tensors["blocks.1"]!, expected, [4, 24], choice)
        }
        let json = try String(contentsOfFile: folder.file("out/features.json"), encoding: .utf8)
        #expect(json.contains("\"tokens\" : \"mean\"") && json.contains("\"images\" : 4"))
    }

    @Test("What is not there is named, and nothing is left behind")
    func mistakes() throws {
        let layer = try features(["--layers", "blocks.7"])
        #expect(layer.code == 1 && layer.err.contains("small has no layer blocks.7"), "\(layer)")
        #expect(layer.err.contains("blocks.0, blocks.1"))
        let none = try features(["--layers", ""])
        #expect(none.code == 1 && none.err.contains("--layers names none"), "\(none)")
        try FileManager.default.createDirectory(
            atPath: folder.file("out/small.norm.npy"), withIntermediateDirectories: true)
        let taken = try features([])
        #expect(taken.code == 1 && taken.err.contains("small.norm.npy"), "\(taken)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")) == ["small.norm.npy"])
    }
}
