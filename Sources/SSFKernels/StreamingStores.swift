/// When a kernel had better store its result past the caches.
///
/// A store that goes through the caches first reads the line that it will overwrite. Past them it does not, which is a
/// third of the traffic of a copy, but whoever reads the result next has to fetch it from memory. That is a loss where the
/// result would still be in the last-level cache, and none where it is larger than that cache.
enum StreamingStores {
    /// Bytes of a result from which on streaming pays. 32 MB is what a cluster of cores shares in the larger processors
    /// of today; the system is not asked, because virtual machines answer with the cache of the whole host.
    static let leastBytes = 32 << 20

    /// Whether to stream a result of `count` floats to `address`, row by row of `width` floats. Every row must begin at a
    /// multiple of the widest vector, which the allocations of this package see to.
    static func pay(count: Int, width: Int, at address: UnsafeMutablePointer<Float>?) -> Bool {
        guard let address else { return false }
        return count * MemoryLayout<Float>.stride >= leastBytes && width % 16 == 0 && Int(bitPattern: address) % 64 == 0
    }
}
