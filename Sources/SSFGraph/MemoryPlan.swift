/// Places buffers with known lifetimes in one slab, so that those that never live at the same time share memory.
///
/// Greedy by size: the largest first, each at the lowest offset that is free for its whole life (as in arXiv
/// 2001.03288). Not optimal, but within a few percent of the lower bound on networks of residual blocks.
struct MemoryPlan {
    struct Request {
        let byteCount: Int
        /// The steps during which the buffer must keep its contents, both ends included.
        let lifetime: ClosedRange<Int>
    }

    /// Bytes; a cache line, so that no two threads ever share one.
    static let alignment = 64

    let offsets: [Int]
    let byteCount: Int
    /// The largest sum of live buffers at any step: no plan can need less.
    let lowerBound: Int

    init(_ requests: [Request]) {
        let sizes = requests.map { ($0.byteCount + Self.alignment - 1) / Self.alignment * Self.alignment }
        var offsets = [Int](repeating: 0, count: requests.count)
        var placed: [Int] = []  // by offset
        var end = 0
        let order = requests.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) }
        for index in order where sizes[index] > 0 {
            var offset = 0
            for other in placed where requests[other].lifetime.overlaps(requests[index].lifetime) {
                if offset + sizes[index] <= offsets[other] { break }
                offset = max(offset, offsets[other] + sizes[other])
            }
            offsets[index] = offset
            end = max(end, offset + sizes[index])
            let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(index, at: position)
        }
        self.offsets = offsets
        byteCount = end

        var changes: [Int: Int] = [:]
        for (index, request) in requests.enumerated() {
            changes[request.lifetime.lowerBound, default: 0] += sizes[index]
            changes[request.lifetime.upperBound + 1, default: 0] -= sizes[index]
        }
        var live = 0
        var highest = 0
        for step in changes.keys.sorted() {
            live += changes[step]!
            highest = max(highest, live)
        }
        lowerBound = highest
    }
}
