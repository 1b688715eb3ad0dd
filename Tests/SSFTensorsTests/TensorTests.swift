import SSFTensors
import Testing

@Suite struct TensorTests {
    @Test(arguments: [DType.f32, .f16, .bf16, .f64])
    func conversionKeepsWhatTheTypeCanHold(_ dtype: DType) {
        let values: [Float] = [0, -0.0, 1, -1.5, 0.25, 1024, -3.140625]
        let tensor = Tensor(values, shape: [7]).converted(to: dtype)
        #expect(tensor.dtype == dtype)
        #expect(tensor.byteCount == 7 * dtype.size)
        #expect(tensor.values.map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test func misalignedTensorIsReadWhole() {
        let storage = Storage(byteCount: 17)
        for (i, value) in [Float(1.5), -2, 3].enumerated() {
            storage.base.storeBytes(of: value, toByteOffset: 1 + 4 * i, as: Float.self)
        }
        let tensor = Tensor(storage: storage, byteOffset: 1, shape: [3], dtype: .f32)
        #expect(tensor.values == [1.5, -2, 3])
        let aligned = tensor.converted(to: .f32)
        #expect(UInt(bitPattern: aligned.rawPointer) % 4 == 0)
        #expect(aligned.values == [1.5, -2, 3])
    }

    @Test func rowsAndReshapesAreViews() {
        let tensor = Tensor((0..<12).map(Float.init), shape: [4, 3])
        let rows = tensor.rows(1..<3)
        #expect(rows.shape == [2, 3])
        #expect(rows.values == [3, 4, 5, 6, 7, 8])
        rows.floats[0] = -1
        #expect(tensor.reshaped([12]).values[3] == -1)
        let copy = tensor.copied()
        copy.floats[3] = 5
        #expect(tensor.values[3] == -1)
    }

    @Test func emptyAndScalarTensorsHaveValues() {
        #expect(Tensor(zeros: [0, 5]).values.isEmpty)
        #expect(Tensor(zeros: []).values == [0])
        #expect(Shape([]).count == 1)
        #expect(Shape([2, 0, 3]).count == 0)
        #expect("\(Shape([16, 197, 768]))" == "[16, 197, 768]")
        #expect(Shape([16, 197, 768])[-1] == 768)
    }

    @Test func tensorPastItsStorageStops() async {
        await #expect(processExitsWith: .failure) {
            _ = Tensor(storage: Storage(byteCount: 8), shape: [3], dtype: .f32)
        }
    }

    @Test func integersAreNotConverted() async {
        await #expect(processExitsWith: .failure) {
            _ = Tensor(zeros: [2], dtype: .i64).converted(to: .f32)
        }
    }
}
