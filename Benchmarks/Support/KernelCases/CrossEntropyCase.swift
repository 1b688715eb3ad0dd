import SSFKernels

/// Cross-entropy with label smoothing, loss and gradient.
///
///     cross-entropy batch=64 classes=1000
struct CrossEntropyCase: KernelCase {
    static let operation = "cross-entropy"

    let batch, classes: Int

    init(_ parameters: inout Parameters) throws {
        batch = try parameters.count("batch")
        classes = try parameters.count("classes")
    }

    var work: Work { .floats(2 * batch * classes) }

    func prepare() -> () -> Void {
        let (batch, classes) = (batch, classes)
        let arena = Arena()
        let logits = arena.random(batch * classes)
        let labels = arena.allocate(Int32.self, batch)
        for i in labels.indices { labels[i] = Int32(i * 7 % classes) }
        let losses = arena.zeros(batch)
        let gradient = arena.zeros(batch * classes)
        return {
            withExtendedLifetime(arena) {
                var loss = losses.mutableSpan
                var dLogits = gradient.mutableSpan
                CrossEntropy.forwardBackward(
                    batch: batch, classes: classes, logits: logits.span, labels: labels.span, smoothing: 0.1,
                    gradientScale: 1 / Float(batch), losses: &loss, dLogits: &dLogits)
            }
        }
    }
}
