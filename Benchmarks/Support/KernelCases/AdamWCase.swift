import SSFKernels

/// One step of AdamW. It reads four arrays and writes three of them back.
///
///     adamw count=205824
struct AdamWCase: KernelCase {
    static let operation = "adamw"

    let count: Int

    init(_ parameters: inout Parameters) throws {
        count = try parameters.count("count")
    }

    var work: Work { .floats(7 * count) }

    func prepare() -> () -> Void {
        let arena = Arena()
        let values = arena.random(count)
        let gradients = arena.random(count)
        let first = arena.zeros(count)
        let second = arena.zeros(count)
        return {
            withExtendedLifetime(arena) {
                var parameters = values.mutableSpan
                var firstMoment = first.mutableSpan
                var secondMoment = second.mutableSpan
                AdamW.step(
                    parameters: &parameters, gradients: gradients.span, firstMoment: &firstMoment,
                    secondMoment: &secondMoment, learningRate: 1e-3, weightDecay: 1e-4, step: 1000)
            }
        }
    }
}
