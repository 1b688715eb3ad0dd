import SSFTensors
import SSFTestSupport
import SSFTraining
import Testing

@Suite("Optimisers beside PyTorch's")
struct OptimizerTests {
    /// Five steps from float32 inputs, each with a handful of roundings of numbers below 4.
    private let tolerance: Float = 2e-6

    private func isClose(_ found: Tensor, _ expected: Tensor?) -> Bool {
        guard let expected, found.count == expected.count else { return false }
        return zip(found.values, expected.values).allSatisfy { abs($0 - $1) <= tolerance }
    }

    /// Runs the golden's five gradients and hands the parameters after each step to `check`.
    private func replay(
        _ golden: [String: Tensor], _ optimizer: any Optimizer, rate: Double,
        check: (_ step: Int, _ parameters: Tensor) -> Void
    ) throws {
        let parameters = try #require(golden["parameters"]).copied()
        let gradients = try #require(golden["gradients"]).values
        let count = parameters.count
        for step in 1...5 {
            let gradient = Tensor(Array(gradients[(step - 1) * count..<step * count]), shape: [count])
            optimizer.update(parameters: parameters, gradients: gradient, learningRate: rate)
            check(step, parameters)
        }
        #expect(optimizer.stepCount == 5)
    }

    @Test("SGD equals torch.optim.SGD, parameters and momentum", arguments: ["nesterov", "classical"], ["0", "0.05"])
    func sgd(form: String, decay: String) throws {
        let golden = try Goldens.tensors("layers/sgd.safetensors")
        let segments = [DecaySegment(range: 0..<37, weightDecay: Float(decay)!)]
        let optimizer = SGDOptimizer(count: 37, segments: segments, isNesterov: form == "nesterov")
        try replay(golden, optimizer, rate: 0.1) { step, parameters in
            #expect(isClose(parameters, golden["parameters.\(form).\(decay).\(step)"]))
            #expect(isClose(optimizer.buffer, golden["buffer.\(form).\(decay).\(step)"]))
        }
    }

    @Test("AdamW equals torch.optim.AdamW, parameters and moments", arguments: ["0", "0.05"])
    func adamW(decay: String) throws {
        let golden = try Goldens.tensors("layers/adamw.safetensors")
        let segments = [DecaySegment(range: 0..<37, weightDecay: Float(decay)!)]
        let optimizer = AdamWOptimizer(count: 37, segments: segments)
        try replay(golden, optimizer, rate: 0.01) { step, parameters in
            #expect(isClose(parameters, golden["parameters.\(decay).\(step)"]))
            #expect(isClose(optimizer.firstMoment, golden["first.\(step)"]))
            #expect(isClose(optimizer.secondMoment, golden["second.\(step)"]))
        }
    }

    @Test("Only the segments that decay do, and a restored optimiser goes on with the same bits")
    func segmentsAndRestoring() {
        let segments = [DecaySegment(range: 0..<1, weightDecay: 0), DecaySegment(range: 1..<2, weightDecay: 0.5)]
        func optimizer() -> SGDOptimizer { SGDOptimizer(count: 2, segments: segments, isNesterov: true) }
        let gradients = Tensor([0.5, 0.5], shape: [2])
        let (first, parameters) = (optimizer(), Tensor([1, 1], shape: [2]))
        first.update(parameters: parameters, gradients: gradients, learningRate: 0.1)
        // 1 - 0.1 * 1.9 * g: the momentum of Nesterov's form looks ahead in the first step too.
        #expect(abs(parameters.values[0] - 0.905) < 1e-6 && abs(parameters.values[1] - 0.81) < 1e-6)

        let (second, others) = (optimizer(), parameters.copied())
        second.restore(moments: first.moments, stepCount: 1)
        for (one, values) in [(first, parameters), (second, others)] {
            one.update(parameters: values, gradients: gradients, learningRate: 0.1)
        }
        #expect(parameters.values == others.values && second.stepCount == 2)
    }
}
