package enum CrossEntropy {
    package static func forwardBackward(
        batch: Int, classes: Int, logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, smoothing: Float,
        gradientScale: Float, losses: UnsafeMutablePointer<Float>, dLogits: UnsafeMutablePointer<Float>?,
        table: KernelTable = .current
    ) {
        let r = Reference.crossEntropy(
            batch: batch, classes: classes, logits: doubles(logits, batch * classes),
            targets: Reference.smoothedTargets(
                labels: (0..<batch).map { labels[$0] }, classes: classes, smoothing: Double(smoothing)))
        store(r.losses, losses)
        store(r.dLogits.map { $0 * Double(gradientScale) }, dLogits)
    }

    package static func forwardBackward(
        batch: Int, classes: Int, logits: UnsafePointer<Float>, targets: UnsafePointer<Float>, gradientScale: Float,
        losses: UnsafeMutablePointer<Float>, dLogits: UnsafeMutablePointer<Float>?, table: KernelTable = .current
    ) {
        let r = Reference.crossEntropy(
            batch: batch, classes: classes, logits: doubles(logits, batch * classes),
            targets: doubles(targets, batch * classes))
        store(r.losses, losses)
        store(r.dLogits.map { $0 * Double(gradientScale) }, dLogits)
    }
}
