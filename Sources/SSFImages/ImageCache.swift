import Synchronization

/// Resized images of one set, kept in memory from epoch to epoch, so that each is decoded and resized once.
///
/// Any number of loaders may share it, at the same time too.
public final class ImageCache: @unchecked Sendable {
    private let base: UnsafeMutablePointer<UInt8>
    private let bytesPerImage: Int
    private let count: Int
    /// Whether each image is there. Its release and acquire order the pixels written before.
    private let isFilled: UnsafeMutablePointer<Atomic<UInt8>>

    public static let defaultByteLimit = 1 << 30

    private static let empty: UInt8 = 0
    private static let writing: UInt8 = 1
    private static let full: UInt8 = 2

    /// A cache for the images of a set as a pipeline resizes them; nil if the pipeline crops at random, so that there
    /// is nothing to keep, or if the set needs more than `byteLimit`.
    public init?(imageCount: Int, pipeline: Pipeline, byteLimit: Int = ImageCache.defaultByteLimit) {
        guard pipeline.isCacheable, imageCount > 0, imageCount <= byteLimit / pipeline.byteCount else { return nil }
        count = imageCount
        bytesPerImage = pipeline.byteCount
        // Untouched memory costs nothing until an image is stored there.
        base = .allocate(capacity: imageCount * bytesPerImage)
        isFilled = .allocate(capacity: imageCount)
        for i in 0..<imageCount { (isFilled + i).initialize(to: Atomic(ImageCache.empty)) }
    }

    deinit {
        isFilled.deinitialize(count: count)
        isFilled.deallocate()
        base.deallocate()
    }

    /// The pixels of an image, if they are there; valid as long as the cache lives.
    func pixels(at index: Int) -> UnsafePointer<UInt8>? {
        precondition(index < count)
        guard isFilled[index].load(ordering: .acquiring) == ImageCache.full else { return nil }
        return UnsafePointer(base + index * bytesPerImage)
    }

    /// Keeps the pixels of an image; does nothing if another thread keeps them already.
    func store(_ pixels: UnsafePointer<UInt8>, at index: Int) {
        precondition(index < count)
        let (isMine, _) = isFilled[index].compareExchange(
            expected: ImageCache.empty, desired: ImageCache.writing, ordering: .relaxed)
        guard isMine else { return }
        (base + index * bytesPerImage).update(from: pixels, count: bytesPerImage)
        isFilled[index].store(ImageCache.full, ordering: .releasing)
    }
}
