import COpenMP
import Synchronization

/// One region on libomp's threads: who runs which chunk.
enum ThreadTeam {
    /// Every thread owns a range of chunks in one atomic word, on cache lines of its own: it takes from the front, and
    /// the others, once they have nothing left, from the back. Ranges only ever shrink, so a thread that has seen them
    /// all empty is done.
    private struct Region {
        var team: Int
        var ranges: UnsafeMutableRawPointer
        var context: UnsafeRawPointer
        var body: Parallel.Body
    }

    /// Two lines of 64 bytes: processors fetch lines in pairs, and those of some arm64 processors have 128.
    private static let lineBytes = 128

    /// The ranges of the region that is active, which is one at a time: memory that stays, so that a region allocates
    /// nothing however large its team is. Whoever entered the region has it alone.
    nonisolated(unsafe) private static var ranges = allocateRanges(16)
    nonisolated(unsafe) private static var rangesCapacity = 16

    private static func allocateRanges(_ team: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer.allocate(byteCount: team * lineBytes, alignment: lineBytes)
    }

    /// - Precondition: no other region is active.
    static func run(chunks: Int, team: Int, context: UnsafeRawPointer, body: Parallel.Body) {
        precondition(chunks <= Int(UInt32.max), "too many chunks: \(chunks)")
        configureWaiting()
        if team > rangesCapacity {
            ranges.deallocate()
            ranges = allocateRanges(team)
            rangesCapacity = team
        }
        for thread in 0..<team {
            let first = chunks * thread / team, end = chunks * (thread + 1) / team
            (ranges + thread * lineBytes).initializeMemory(as: UInt64.self, to: pack(first, end))
        }
        var region = Region(team: team, ranges: ranges, context: context, body: body)
        GOMP_parallel(regionBody, &region, UInt32(team), 0)
    }

    /// What each thread of the team runs. libomp may give fewer threads than were asked for; the ranges of the absent
    /// ones are then taken by the others.
    fileprivate static func work(_ data: UnsafeMutableRawPointer) {
        let region = data.assumingMemoryBound(to: Region.self).pointee
        let slot = Int(omp_get_thread_num())
        while let chunk = take(region.ranges + slot * lineBytes, fromFront: true) {
            region.body(region.context, chunk, slot)
        }
        for distance in 1..<region.team {
            let other = region.ranges + ((slot + distance) % region.team) * lineBytes
            while let chunk = take(other, fromFront: false) {
                region.body(region.context, chunk, slot)
            }
        }
    }

    private static func take(_ word: UnsafeMutableRawPointer, fromFront: Bool) -> Int? {
        // An Atomic is its bits: the words above are laid out as one.
        let range = word.assumingMemoryBound(to: Atomic<UInt64>.self)
        var seen = range.pointee.load(ordering: .relaxed)
        while true {
            let (first, end) = unpack(seen)
            guard first < end else { return nil }
            let rest = fromFront ? pack(first + 1, end) : pack(first, end - 1)
            let (exchanged, original) = range.pointee.weakCompareExchange(
                expected: seen, desired: rest, ordering: .relaxed)
            if exchanged { return fromFront ? first : end - 1 }
            seen = original
        }
    }

    private static func pack(_ first: Int, _ end: Int) -> UInt64 { UInt64(first) << 32 | UInt64(end) }

    private static func unpack(_ word: UInt64) -> (first: Int, end: Int) { (Int(word >> 32), Int(word & 0xffff_ffff)) }

    // MARK: - Waiting

    /// Milliseconds that an idle thread spins before it sleeps: longer than the serial code between two regions of a
    /// step, far shorter than libomp's 200, which would take the core that decodes the next batch.
    private static let spinMilliseconds: Int32 = 1

    /// Whoever sets libomp's own variables is left alone.
    private static let userDecidesWaiting =
        Environment.value("KMP_BLOCKTIME") != nil || Environment.value("OMP_WAIT_POLICY") != nil

    /// libomp keeps the setting per calling thread: a few stores, made anew for each region.
    private static func configureWaiting() {
        _ = unreadableCountIsGone
        if !userDecidesWaiting { kmp_set_blocktime(spinMilliseconds) }
    }

    /// Done once, before libomp reads its variables. It aborts the process over an empty `OMP_NUM_THREADS`, and takes
    /// whatever stood in memory as a count, up to hanging, over one that is no number. `ThreadLimit` ignores such a value;
    /// here it goes.
    private static let unreadableCountIsGone: Void = {
        guard let value = Environment.value("OMP_NUM_THREADS"), !ThreadLimit.isCountList(value) else { return }
        Environment.remove("OMP_NUM_THREADS")
        Environment.writeError("warning: OMP_NUM_THREADS=\(value) is no number of threads, and is ignored\n")
    }()
}

/// In a file without top-level code and outside every actor: libomp's own threads call it.
private func regionBody(_ data: UnsafeMutableRawPointer?) {
    ThreadTeam.work(data!)
}
