import KernelCases
import SSFCheckpoints
import SSFKernels
import SSFModels
import SSFTuning

/// A training step or an inference pass of a whole model over one batch of images that stay the same.
///
///     train model=vit_base_patch16_224 batch=16 method=ssf precision=bf16 recompute=no
///     infer model=/models/vit_tiny batch=64 size=64
///
/// `model` is a name of timm's, with random weights, or a checkpoint's folder. A training step is a forward pass, a
/// backward pass of the mean loss, and AdamW on everything that `method` trains. Inference runs the base model's
/// operations, as a merged model does.
public struct StepCase: KernelCase {
    public static let operation = "train"

    enum Kind: String {
        case train, infer
    }

    enum Choice: String, CaseIterable {
        case yes, no
    }

    let kind: Kind
    let model: String
    let method: String
    let batch: Int
    /// Height and width of the images, in pixels.
    let size: Int
    let classCount: Int
    let precision: Precision
    let recomputes: Bool

    /// - Throws: `CaseError` where the line names no step.
    public init(line: String) throws {
        var parameters = try Parameters(line)
        try self.init(&parameters)
        try parameters.finish()
    }

    public init(_ parameters: inout Parameters) throws {
        guard let kind = Kind(rawValue: parameters.operation) else {
            throw CaseError("no step \(parameters.operation); there are: train, infer")
        }
        self.kind = kind
        model = parameters.word("model", "vit_base_patch16_224")
        method = kind == .train ? parameters.word("method", "ssf") : "linear"
        batch = try parameters.count("batch")
        size = try parameters.count("size", 224)
        classCount = try parameters.count("classes", 100)
        precision = try parameters.choice("precision", .float32)
        recomputes = kind == .train ? try parameters.choice("recompute", Choice.no) == .yes : false
    }

    public var work: Work {
        do {
            return .operations(Double(try flops(recomputing: false)), precision)
        } catch {
            fatalError("\(error)")
        }
    }

    /// - Precondition: the model is there.
    public func prepare() -> () -> Void {
        do {
            return try prepareStep().run
        } catch {
            fatalError("\(error)")
        }
    }
}
