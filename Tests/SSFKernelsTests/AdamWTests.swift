import SSFKernels
import Testing

@Suite struct AdamWTests {
    @Test(arguments: KernelCase.all(edgeCounts))
    func severalStepsAgreeWithTheReference(_ test: KernelCase<Int>) {
        for shift in [0, 1] {
            let start = numbers(test.size, seed: 1)
            let parameters = TestFloats(start, misalignedBy: shift)
            let first = TestFloats(Array(repeating: 0, count: test.size), misalignedBy: shift)
            let second = TestFloats(Array(repeating: 0, count: test.size), misalignedBy: shift)
            var expected = start
            var (m, v) = (first.values, second.values)
            for step in 1...5 {
                // Gradients away from zero: there the update is the sign of a gradient, whatever its size.
                let gradient = TestFloats(
                    numbers(test.size, seed: UInt64(step), from: 0.5, to: 1).enumerated().map {
                        $0 % 3 == 0 ? -$1 : $1
                    }, misalignedBy: shift)
                AdamW.step(
                    count: test.size, parameters: parameters.pointer, gradients: gradient.pointer,
                    firstMoment: first.pointer, secondMoment: second.pointer, learningRate: 0.01, beta1: 0.9,
                    beta2: 0.999, epsilon: 1e-8, weightDecay: 0.05, step: step, gradientScale: 0.5, table: test.table)
                let gradients = gradient.values
                for i in 0..<test.size {
                    Reference.adamW(
                        parameter: &expected[i], gradient: gradients[i] * 0.5, firstMoment: &m[i], secondMoment: &v[i],
                        learningRate: Double(Float(0.01)), beta1: Double(Float(0.9)), beta2: Double(Float(0.999)),
                        epsilon: 1e-8, weightDecay: Double(Float(0.05)), step: step)
                }
            }
            // Five steps, each with two roundings of a number below 1.1 and a few of an update of 0.01.
            #expect(worstError(parameters.values, expected, magnitude: 1) < 5 * 3 && parameters.isIntact)
            #expect(worstError(first.values, m, magnitude: 0.5) < 5 * 3 && first.isIntact)
            #expect(worstError(second.values, v, magnitudes: v) < 5 * 4 && second.isIntact)
        }
    }

    @Test func firstStepMovesByTheLearningRate() {
        // Bias correction makes m = g and v = g^2, so that the first step has the size of the learning rate.
        var parameter: Float = 1
        var (m, v): (Float, Float) = (0, 0)
        AdamW.step(
            count: 1, parameters: &parameter, gradients: [1e-3], firstMoment: &m, secondMoment: &v,
            learningRate: 0.125, beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0, step: 1)
        #expect(abs(parameter - 0.875) < 1e-6)
    }
}
