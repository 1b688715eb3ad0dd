import SSFKernels
import SSFTensors

/// Cuts images into patches, so that a convolution whose stride is its size becomes a linear operation.
///
/// - Shapes: images [B, channels, H, W]; rows [B, (H / p) (W / p), channels p p], elements in the order
///   (channel, y, x) of a convolution weight seen as [O, channels p p].
/// - Source: timm's `PatchEmbed`.
public struct PatchesOperation: Operation {
    public var wiring: Wiring
    let patchSize: Int

    init(site: String, input: ValueID, patchSize: Int) {
        self.patchSize = patchSize
        wiring = Wiring(site: site, inputs: [input])
    }

    public func outputShape(_ inputs: [Shape]) -> Shape {
        let images = inputs[0]
        precondition(
            images.rank == 4 && images[2] % patchSize == 0 && images[3] % patchSize == 0,
            "images \(images) do not divide into patches of \(patchSize)")
        return [images[0], (images[2] / patchSize) * (images[3] / patchSize), images[1] * patchSize * patchSize]
    }

    public func forwardFLOPs(shapes: [Shape], output: Shape) -> Int { 0 }

    public func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention {
        Retention(inputs: [false])
    }

    public func forward(_ context: OperationContext) {
        let images = context.inputShapes[0]
        Patches.unfold(
            batch: images[0], channels: images[1], height: images[2], width: images[3], patchHeight: patchSize,
            patchWidth: patchSize, images: context.inputs[0], rows: context.output)
    }

    /// Images have no gradient.
    public func backward(_ context: OperationContext) {}
}

extension Program {
    public mutating func patches(_ images: ValueID, site: String, patchSize: Int) -> ValueID {
        append(PatchesOperation(site: site, input: images, patchSize: patchSize))
    }
}
