import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

struct NPYTests {
    @Test(.needsData("models/vit_tiny_tin200"))
    func readsADeflatedArchive() throws {
        let arrays = try NPZ.read(TestData.path("models/vit_tiny_tin200/reference.npz"))
        #expect(arrays["logits"]?.shape == [3, 200])
        #expect(arrays["images"]?.dtype == .u8)
    }
}
