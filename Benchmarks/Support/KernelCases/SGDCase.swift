import SSFKernels

/// One step of gradient descent with Nesterov's momentum. It reads three arrays and writes two of them back.
///
///     sgd count=205824
struct SGDCase: KernelCase {
    static let operation = "sgd"

    let count: Int

    init(_ parameters: inout Parameters) throws {
        count = try parameters.count("count")
    }

    var work: Work { .floats(5 * count) }

    func prepare() -> () -> Void {
        let arena = Arena()
        let values = arena.random(count)
        let gradients = arena.random(count)
        let momentum = arena.zeros(count)
        return {
            withExtendedLifetime(arena) {
                var parameters = values.mutableSpan
                var buffer = momentum.mutableSpan
                SGD.step(
                    parameters: &parameters, gradients: gradients.span, buffer: &buffer, learningRate: 1e-6,
                    isNesterov: true, weightDecay: 1e-4)
            }
        }
    }
}
