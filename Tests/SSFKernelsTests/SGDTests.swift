import SSFKernels
import Testing

@Suite struct SGDTests {
    @Test(arguments: KernelCase.all(edgeCounts))
    func severalStepsAgreeWithTheReference(_ test: KernelCase<Int>) {
        for (shift, isNesterov) in [(0, false), (1, false), (0, true), (1, true)] {
            let start = numbers(test.size, seed: 1)
            let parameters = TestFloats(start, misalignedBy: shift)
            let buffer = TestFloats(Array(repeating: 0, count: test.size), misalignedBy: shift)
            var expected = start
            var momentum = buffer.values
            for step in 1...5 {
                let gradient = TestFloats(numbers(test.size, seed: UInt64(step)), misalignedBy: shift)
                SGD.step(
                    count: test.size, parameters: parameters.pointer, gradients: gradient.pointer,
                    buffer: buffer.pointer, learningRate: 0.01, momentum: 0.9, isNesterov: isNesterov,
                    weightDecay: 0.05, gradientScale: 0.5, table: test.table)
                let gradients = gradient.values
                for i in 0..<test.size {
                    Reference.sgd(
                        parameter: &expected[i], gradient: gradients[i] * 0.5, buffer: &momentum[i],
                        learningRate: Double(Float(0.01)), momentum: Double(Float(0.9)), isNesterov: isNesterov,
                        weightDecay: Double(Float(0.05)))
                }
            }
            // Five steps. A parameter, below 1.1, is rounded twice in each, beside an update of less than 0.05; the
            // buffer, below 2.6, has four roundings in each.
            #expect(worstError(parameters.values, expected, magnitude: 1.1) < 5 * 3 && parameters.isIntact)
            #expect(worstError(buffer.values, momentum, magnitude: 2.6) < 5 * 4 && buffer.isIntact)
        }
    }

    @Test func withoutMomentumTheStepIsTheGradient() {
        for isNesterov in [false, true] {
            var parameter: Float = 1
            var buffer: Float = 7
            SGD.step(
                count: 1, parameters: &parameter, gradients: [2], buffer: &buffer, learningRate: 0.125, momentum: 0,
                isNesterov: isNesterov, weightDecay: 0)
            #expect(parameter == 0.75)
        }
    }
}
