/// A case under the name by which benchmarks print and filter it.
public struct NamedCase: Sendable {
    /// Model and images, layer and pass, shape, type: `ViT-B/16 x16, fc1 forward, 3152x3072x768, f32`.
    public let name: String
    public let kernel: any KernelCase

    /// A case that is none of a kernel.
    public init(name: String, _ measured: any KernelCase) {
        self.name = name
        kernel = measured
    }

    /// - Parameters:
    ///   - model: and images.
    ///   - layer: and pass, and the shape of its arrays.
    ///   - line: the case, as `KernelCaseRegistry.make` reads it; a mistake in it stops the program.
    init(_ model: String, _ layer: String, _ line: String) {
        do {
            kernel = try KernelCaseRegistry.make(line)
        } catch {
            fatalError("\(line): \(error)")
        }
        let type = kernel.work == .time ? nil : line.contains("dtype=bf16") ? "bf16" : "f32"
        name = [model, layer, type].compactMap(\.self).joined(separator: ", ")
    }
}
