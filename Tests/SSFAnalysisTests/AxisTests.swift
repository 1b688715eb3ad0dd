import SSFAnalysis
import Testing

@Suite("Axes") struct AxisTests {
    @Test("Values lie where their scale says, either way round")
    func parts() {
        #expect(Axis().part(2.5, of: 0...10) == 0.25)
        #expect(abs(Axis(scale: .logarithmic).part(10, of: 1...100) - 0.5) < 1e-15)
        #expect(Axis(isReversed: true).part(2.5, of: 0...10) == 0.75)
        #expect(Axis(scale: .categories(["a", "b"])).resolvedRange(nil) == -0.5...1.5)
    }

    @Test("There is room around the data, and a range that is asked for is kept")
    func ranges() {
        let linear = Axis().resolvedRange(0...100)
        #expect(linear.lowerBound < 0 && linear.upperBound > 100)
        let logarithmic = Axis(scale: .logarithmic).resolvedRange(1...1000)
        #expect(logarithmic.lowerBound < 1 && logarithmic.lowerBound > 0 && logarithmic.upperBound > 1000)
        #expect(Axis(range: 0...1).resolvedRange(-5...5) == 0...1)
        #expect(Axis().resolvedRange(nil) == 0...1)
        #expect(Axis().resolvedRange(3...3).contains(3))
    }

    @Test("Of many names every second, third, ... is shown")
    func categories() {
        let axis = Axis(scale: .categories((0..<25).map { "block \($0)" }))
        #expect(axis.resolvedTicks(-0.5...24.5, count: 25).count == 25)
        #expect(axis.resolvedTicks(-0.5...24.5, count: 9).map(\.value) == stride(from: 0.0, to: 25, by: 3).map { $0 })
    }
}
