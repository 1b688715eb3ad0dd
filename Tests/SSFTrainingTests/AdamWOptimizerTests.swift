import SSFTensors
import SSFTraining
import Testing

@Suite("AdamW over a flat vector")
struct AdamWOptimizerTests {
    @Test("Neighbours under one decay are joined")
    func segments() {
        let optimizer = AdamWOptimizer(
            count: 10,
            segments: [
                .init(range: 0..<2, weightDecay: 0), .init(range: 2..<5, weightDecay: 0),
                .init(range: 5..<5, weightDecay: 1), .init(range: 5..<10, weightDecay: 0.1),
            ])
        #expect(
            optimizer.segments == [.init(range: 0..<5, weightDecay: 0), .init(range: 5..<10, weightDecay: 0.1)])
    }

    /// The first AdamW step moves every number by the learning rate against the sign of its gradient, after decay.
    @Test("The first step is the learning rate against the gradient's sign, and only what decays decays")
    func firstStep() {
        let optimizer = AdamWOptimizer(
            count: 4, segments: [.init(range: 0..<2, weightDecay: 0), .init(range: 2..<4, weightDecay: 0.5)])
        let parameters = Tensor([1, -1, 1, -1], shape: [4])
        optimizer.update(
            parameters: parameters, gradients: Tensor([0.3, -0.2, 0.1, 4], shape: [4]), learningRate: 0.1)
        for (value, expected) in zip(parameters.values, [0.9, -0.9, 0.85, -1.05] as [Float]) {
            #expect(abs(value - expected) < 1e-6)
        }
        #expect(optimizer.stepCount == 1)
    }

    @Test("A scaled gradient has the moments of the scaled gradient")
    func gradientScale() {
        let optimizer = AdamWOptimizer(count: 1, segments: [.init(range: 0..<1, weightDecay: 0)])
        optimizer.update(
            parameters: Tensor([0], shape: [1]), gradients: Tensor([8], shape: [1]), learningRate: 0.1,
            gradientScale: 0.25)
        #expect(abs(optimizer.firstMoment.values[0] - 0.2) < 1e-6)
        #expect(abs(optimizer.secondMoment.values[0] - 0.004) < 1e-7)
    }

    @Test("Clipping scales a long gradient to the limit and leaves a short one")
    func clipping() {
        #expect(GradientClipping.norm(Tensor([3, 4], shape: [2])) == 5)
        #expect(abs(GradientClipping.factor(norm: 5, limit: 1) - 0.2) < 1e-6)
        #expect(GradientClipping.factor(norm: 0.5, limit: 1) == 1)
        #expect(GradientClipping.factor(norm: 1e9, limit: nil) == 1)
    }
}
