import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

struct NPYTests {
    @Test(arguments: ["arrays.npz", "compressed.npz"])
    func readsArchives(_ name: String) throws {
        let arrays = try Goldens.arrays("checkpoints/" + name)
        #expect(arrays.count == 7)
        #expect(arrays["matrix"]?.shape == [3, 4])
        #expect(arrays["matrix"]?.values == (0..<12).map(Float.init))
        #expect(arrays["scalar"]?.shape == [])
        #expect(arrays["scalar"]?.values == [2.5])
        #expect(arrays["half"]?.values == [0.5, -2])
        #expect(arrays["bytes"]?.bytes.elementsEqual((0..<300).map { UInt8(truncatingIfNeeded: $0) }) == true)
        #expect(arrays["empty"]?.shape == [0, 3])
        #expect(arrays["flags"]?.dtype == .bool)
        let long = try #require(arrays["long"])
        #expect(long.shape == [2, 1] && long.dtype == .i64)
        #expect(long.rawPointer.loadUnaligned(fromByteOffset: 8, as: Int64.self) == 1 << 40)
    }

    @Test func readsColumnMajorArrays() throws {
        let tensor = try NPY.read(Goldens.path("checkpoints/fortran.npy"))
        #expect(tensor.shape == [2, 3, 4])
        let values = (0..<24).map { tensor.rawPointer.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
        #expect(values == (0..<24).map(Int32.init))
    }

    @Test func readsVersion2() throws {
        #expect(try NPY.read(Goldens.path("checkpoints/version2.npy")).values == [0, 1, 2, 3])
    }

    @Test(arguments: [Shape([]), [5], [2, 3], [0, 4]])
    func writesWhatItReads(_ shape: Shape) throws {
        let folder = try TemporaryFolder()
        let tensor = Tensor((0..<shape.count).map(Float.init), shape: shape)
        try NPY.write(tensor, to: folder.file("a.npy"))
        let again = try NPY.read(folder.file("a.npy"))
        #expect(again.shape == shape && again.values == tensor.values)
        // NumPy maps arrays only where they begin at a multiple of 64.
        #expect(again.byteOffset % 64 == 0)
    }

    @Test func survivesRandomDamage() throws {
        let folder = try TemporaryFolder()
        var random = RandomGenerator(seed: 0, stream: "damage")
        for name in ["arrays.npz", "compressed.npz", "fortran.npy"] {
            let original = try Data(contentsOf: Goldens.url("checkpoints/" + name))
            let path = folder.file(name)
            var refused = 0
            for _ in 0..<400 {
                var bytes = original
                if random.next() % 4 == 0 { bytes = bytes.prefix(Int(random.next() % UInt64(bytes.count))) }
                for _ in 0..<4 where !bytes.isEmpty {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                try bytes.write(to: URL(filePath: path))
                do {
                    let arrays = name.hasSuffix(".npz") ? try NPZ.read(path) : ["": try NPY.read(path)]
                    _ = Checksum.of(arrays)
                } catch is UserError {
                    refused += 1
                }
            }
            #expect(refused > 50, "\(name)")
        }
    }

    @Test(.needsData("models/vit_tiny_tin200/reference.npz"))
    func readsTheReferenceOfARealModel() throws {
        let arrays = try NPZ.read(TestData.path("models/vit_tiny_tin200/reference.npz"))
        #expect(arrays["images"]?.shape == [3, 224, 224, 3] && arrays["images"]?.dtype == .u8)
        #expect(arrays["logits"]?.shape == [3, 200] && arrays["logits"]?.dtype == .f64)
        #expect(arrays["cls_after_block"]?.shape == [3, 12, 192])
    }
}
