import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

struct SafetensorsTests {
    @Test func readsEveryTypeOfTheReferenceWriter() throws {
        let tensors = try Goldens.tensors("checkpoints/reference.safetensors")
        #expect(tensors.count == 13)
        #expect(tensors["scalar"]?.shape == [])
        #expect(tensors["scalar"]?.values == [2.5])
        #expect(tensors["empty"]?.shape == [0, 4])
        #expect(tensors["quo\"te/ü"]?.bytes.elementsEqual([0, 1, 2]) == true)
        let exact = try #require(tensors["z.float64"]).values
        #expect(exact.count == 15)
        for (name, dtype, relative) in [
            ("z.float32", DType.f32, Float(0)), ("z.float16", .f16, 0x1p-11), ("z.bfloat16", .bf16, 0x1p-8),
        ] {
            let tensor = try #require(tensors[name])
            #expect(tensor.dtype == dtype && tensor.shape == [3, 5])
            #expect(zip(tensor.values, exact).allSatisfy { abs($0 - $1) <= relative * abs($1) }, "\(name)")
        }
        for (name, dtype) in [
            ("z.int64", DType.i64), ("z.int32", .i32), ("z.int16", .i16), ("z.int8", .i8), ("z.uint8", .u8),
        ] {
            let tensor = try #require(tensors[name])
            #expect(tensor.dtype == dtype)
            let first = tensor.rawPointer.loadUnaligned(as: UInt8.self)
            #expect(Int(first) == Int(exact[0]), "\(name)")
        }
        #expect(tensors["z.bool"]?.dtype == .bool)
    }

    @Test func writesTheBytesOfTheReferenceWriter() throws {
        let folder = try TemporaryFolder()
        let path = Goldens.path("checkpoints/reference.safetensors")
        let contents = try Safetensors.read(path)
        try Safetensors.write(contents.tensors, metadata: contents.metadata, to: folder.file("copy.safetensors"))
        #expect(FileManager.default.contentsEqual(atPath: folder.file("copy.safetensors"), andPath: path))
    }

    @Test func checksumAgreesWithPythonAndWithEveryCopy() throws {
        struct Golden: Decodable { var checksum: String }
        let contents = try Safetensors.read(Goldens.path("checkpoints/reference.safetensors"))
        let golden = try JSONDecoder().decode(Golden.self, from: Data(try #require(contents.metadata["golden"]).utf8))
        #expect(Checksum.of(contents.tensors) == golden.checksum)

        let folder = try TemporaryFolder()
        try Safetensors.write(contents.tensors, metadata: ["format": "pt", "other": "header"], to: folder.file("a"))
        #expect(Checksum.of(try Safetensors.read(folder.file("a")).tensors) == golden.checksum)
        #expect(Checksum.of([:]) == "crc32:00000000")
    }

    @Test func metadataIsOptionalAndDefaultsToPyTorch() throws {
        let folder = try TemporaryFolder()
        try Safetensors.write(["a": Tensor([1], shape: [1])], to: folder.file("a"))
        #expect(try Safetensors.read(folder.file("a")).metadata == ["format": "pt"])
        try Safetensors.write([:], metadata: [:], to: folder.file("empty"))
        let empty = try Safetensors.read(folder.file("empty"))
        #expect(empty.metadata.isEmpty && empty.tensors.isEmpty)
    }

    @Test func replacesTheFileItsTensorsAreMappedFrom() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        try Safetensors.write(["a": Tensor((0..<5000).map(Float.init), shape: [5000])], to: path)
        let mapped = try Safetensors.read(path).tensors
        try Safetensors.write(mapped.merging(["b": Tensor([1], shape: [1])]) { a, _ in a }, to: path)
        let again = try Safetensors.read(path).tensors
        #expect(again["a"]?.values == (0..<5000).map(Float.init))
        #expect(again["b"]?.values == [1])
        #expect(folder.names == ["a.safetensors"])
    }

    @Test func aFileLargerThanMemoryIsNotReadInFull() throws {
        // 256 GB with a hole in place of the numbers; only the header and the last page are ever touched.
        let folder = try TemporaryFolder()
        let count = 1 << 38
        let header = #"{"x":{"dtype":"U8","shape":[\#(count)],"data_offsets":[0,\#(count)]}}"#
        let path = folder.file("large.safetensors")
        try MalformedSafetensors.file(header: header, data: []).write(to: URL(filePath: path))
        #expect(truncate(path, off_t(8 + header.utf8.count + count)) == 0)
        let tensor = try #require(try Safetensors.read(path).tensors["x"])
        #expect(tensor.byteCount == count)
        #expect(tensor.bytes[count - 1] == 0)
    }

    @Test(arguments: MalformedSafetensors.table)
    func refuses(_ file: MalformedSafetensors) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.safetensors")
        try file.bytes.write(to: URL(filePath: path))
        let error = #expect(throws: UserError.self) { try Safetensors.read(path) }
        let text = try #require(error).description
        #expect(text.hasPrefix(path), "the error names the file: \(text)")
        #expect(text.contains(file.mentions), "the error says what is wrong: \(text)")
    }

    @Test func acceptsWhatTheReferenceAccepts() throws {
        let folder = try TemporaryFolder()
        let headers = [
            #"{}"#, #"{"__metadata__":null}"#,
            "{\n\t\"a\" : {\"dtype\":\"U8\",\"shape\":[0,9],\"data_offsets\":[0,0]} }   ",
            #"{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"extra":[1,{"k":"}\"{"}]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}"#,
        ]
        for (index, header) in headers.enumerated() {
            let path = folder.file("\(index)")
            try MalformedSafetensors.file(header: header, data: index == 3 ? [7] : []).write(to: URL(filePath: path))
            #expect(throws: Never.self, "\(header)") { try Safetensors.read(path) }
        }
    }

    /// Damage in any byte is either refused or harmless; it never ends the program.
    @Test func survivesRandomDamage() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("f.safetensors")
        let original = try Data(contentsOf: Goldens.url("checkpoints/reference.safetensors"))
        let headerEnd = 8 + Int(original.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
        var random = RandomGenerator(seed: 0, stream: "damage")
        var refused = 0
        for _ in 0..<2000 {
            var bytes = original
            switch random.next() % 4 {
            case 0: bytes = bytes.prefix(Int(random.next() % UInt64(bytes.count)))
            case 1: bytes[Int(random.next() % 8)] = UInt8(truncatingIfNeeded: random.next())
            default:
                for _ in 0...(random.next() % 3) {
                    let digits = Array("0123456789-,:[]{}\"eE.".utf8)
                    bytes[8 + Int(random.next() % UInt64(headerEnd - 8))] =
                        digits[Int(random.next() % UInt64(digits.count))]
                }
            }
            try bytes.write(to: URL(filePath: path))
            do {
                // A harmless change must leave tensors whose every byte can be read.
                _ = Checksum.of(try Safetensors.read(path).tensors)
            } catch is UserError {
                refused += 1
            }
        }
        #expect(refused > 1000)
    }

    @Test func unwritablePathsAreNamedAndLeaveNothing() throws {
        let folder = try TemporaryFolder()
        let missing = folder.file("no/such/folder/a.safetensors")
        let error = #expect(throws: UserError.self) { try Safetensors.write([:], to: missing) }
        #expect(error?.description.contains(missing) == true)
        try FileManager.default.createDirectory(atPath: folder.file("taken"), withIntermediateDirectories: true)
        #expect(throws: UserError.self) { try Safetensors.write([:], to: folder.file("taken")) }
        #expect(folder.names == ["taken"])
    }

    @Test func foldersAndPipesAreNoFiles() throws {
        let folder = try TemporaryFolder()
        #expect(throws: UserError.self) { try Safetensors.read(folder.path) }
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(throws: UserError.self) { try Safetensors.read(folder.file("pipe")) }
    }
}
