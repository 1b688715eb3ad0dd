import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

@Suite("Arrays written row by row")
struct ArrayFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("Rows in any order, the same bytes as the array at once")
    func rows() throws {
        let values = (0..<60).map(Float.init)
        let file = try ArrayFile.npy([5, 3, 4], to: folder.file("a.npy"))
        for row in [3, 0, 4, 1, 2] {
            try Array(values[(row * 12)..<(row * 12 + 12)]).withUnsafeBufferPointer { try file.write($0, row: row) }
        }
        #expect(folder.names.allSatisfy { $0.hasPrefix(".") })
        try file.finish()
        try NPY.write(Tensor(values, shape: [5, 3, 4]), to: folder.file("b.npy"))
        #expect(folder.names == ["a.npy", "b.npy"])
        #expect(
            FileManager.default.contents(atPath: folder.file("a.npy"))
                == FileManager.default.contents(atPath: folder.file("b.npy")))
    }

    @Test("Several arrays as safetensors, the same bytes as the reference writer's order")
    func arrays() throws {
        let tensors = [
            "x": Tensor([1, 2, 3, 4], shape: [2, 2]), "blocks.0": Tensor([5, 6], shape: [2]),
        ]
        let file = try ArrayFile.safetensors(tensors.mapValues(\.shape), to: folder.file("a.safetensors"))
        for (name, tensor) in tensors {
            try tensor.values.withUnsafeBufferPointer { try file.write($0, to: name, row: 0) }
        }
        try file.finish()
        try Safetensors.write(tensors, to: folder.file("b.safetensors"))
        #expect(
            FileManager.default.contents(atPath: folder.file("a.safetensors"))
                == FileManager.default.contents(atPath: folder.file("b.safetensors")))
    }

    @Test("A file that is not finished leaves nothing, and what stood there stays")
    func unfinished() throws {
        try Data("old".utf8).write(to: URL(filePath: folder.file("a.npy")))
        do {
            let file = try ArrayFile.npy([2, 2], to: folder.file("a.npy"))
            try [Float](repeating: 1, count: 2).withUnsafeBufferPointer { try file.write($0, row: 0) }
        }
        #expect(folder.names == ["a.npy"])
        #expect(try String(contentsOfFile: folder.file("a.npy"), encoding: .utf8) == "old")
        let error = #expect(throws: UserError.self) { try ArrayFile.npy([1], to: folder.file("no/where.npy")) }
        #expect(error?.what.contains("no/where.npy") == true)
    }
}
