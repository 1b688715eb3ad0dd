import SSFParallel

/// A parallel region whose chunks do nothing, one for each thread: what entering and leaving one costs.
///
///     region
struct RegionCase: KernelCase {
    static let operation = "region"

    init(_ parameters: inout Parameters) throws {}

    var work: Work { .time }

    func prepare() -> () -> Void {
        let threads = Parallel.threads
        return { Parallel.run(chunks: threads, team: threads, context: 0) { _, _, _ in } }
    }
}
