import SSFKernels

/// Square RGB images as rows of square patches.
///
///     patches batch=16 size=224 patch=16
struct PatchesCase: KernelCase {
    static let operation = "patches"

    let batch, size, patch: Int

    init(_ parameters: inout Parameters) throws {
        batch = try parameters.count("batch")
        size = try parameters.count("size")
        patch = try parameters.count("patch")
        guard size % patch == 0 else { throw CaseError("a patch of \(patch) does not divide \(size)") }
    }

    var work: Work { .floats(2 * batch * 3 * size * size) }

    func prepare() -> () -> Void {
        let (batch, size, patch) = (batch, size, patch)
        let arena = Arena()
        let images = arena.random(batch * 3 * size * size)
        let result = arena.zeros(images.count)
        return {
            withExtendedLifetime(arena) {
                var rows = result.mutableSpan
                Patches.unfold(
                    batch: batch, channels: 3, height: size, width: size, patchHeight: patch, patchWidth: patch,
                    images: images.span, rows: &rows)
            }
        }
    }
}
