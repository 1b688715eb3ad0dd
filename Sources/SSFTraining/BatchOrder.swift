import SSFTensors

/// In which order the images of a training set are shown.
public enum BatchOrder: Sendable {
    /// A permutation for each epoch, drawn from the run's seed and the epoch's number alone: a resumed run goes on in
    /// the order it would have had.
    case shuffled(seed: UInt64)
    /// Given: one row of positions for each epoch.
    case explicit([[Int]])

    /// The positions of `count` images in epoch `epoch`.
    ///
    /// - Precondition: an explicit order has a row for the epoch.
    public func positions(epoch: Int, count: Int) -> [Int] {
        switch self {
        case .shuffled(let seed):
            var generator = RandomGenerator(seed: seed, stream: "order", index: UInt64(epoch))
            return generator.permutation(count)
        case .explicit(let rows):
            precondition(
                rows.indices.contains(epoch), "the order has \(rows.count) epochs, epoch \(epoch) is asked for")
            return rows[epoch]
        }
    }
}
