import SSFGraph
import SSFKernels
import SSFModels
import SSFTensors
import SSFTuning

/// What a method costs as far as it can be counted: parameters, operations, and bytes of the plan. Touches no data.
public struct CostCounts: Codable, Sendable, Equatable {
    /// Trained numbers, the classifier's among them.
    public var trainable: Int
    /// Of the model with the method attached and the classifier.
    public var parameters: Int
    /// Numbers that training has and the base with its classifier has not.
    public var extraTrainingParameters: Int
    /// The same at test: none where the method merges.
    public var extraInferenceParameters: Int
    /// Whether the tuned model is tested as the base is, with other numbers in it.
    public var merges: Bool
    /// Floating-point operations of one step of training: forward and backward of the batch.
    public var trainingFLOPs: Int
    /// Of the tested model for a batch.
    public var inferenceFLOPs: Int
    /// Of the tested model beyond those of the base, for one image; and of the model in training, forward.
    public var extraInferenceFLOPs: Int
    public var extraTrainingFLOPs: Int
    /// Multiply-adds beyond those of the base, for one image, forward: products of matrices, scales and shifts.
    public var extraInferenceMultiplyAdds: Int
    public var extraTrainingMultiplyAdds: Int
    /// Multiply-adds of the base with its classifier, for one image.
    public var baseMultiplyAdds: Int
    /// What Table 2 of the paper says; nil for methods that it does not have.
    public var published: PublishedComplexity?
    /// Bytes of the slab that holds inputs, activations and gradients of a step; and of a batch at test.
    public var trainingPlannedBytes: Int
    public var inferencePlannedBytes: Int
    /// About what the process of each needs in all, for the question whether it can be run.
    public var trainingBytes: Int
    public var inferenceBytes: Int

    enum CodingKeys: String, CodingKey {
        case trainable, parameters, merges, published
        case extraTrainingParameters = "extra_parameters_training"
        case extraInferenceParameters = "extra_parameters_inference"
        case trainingFLOPs = "training_flops"
        case inferenceFLOPs = "inference_flops"
        case extraInferenceFLOPs = "extra_flops_inference"
        case extraTrainingFLOPs = "extra_flops_training"
        case extraInferenceMultiplyAdds = "extra_multiply_adds_inference"
        case extraTrainingMultiplyAdds = "extra_multiply_adds_training"
        case baseMultiplyAdds = "base_multiply_adds"
        case trainingPlannedBytes = "training_planned_bytes"
        case inferencePlannedBytes = "inference_planned_bytes"
        case trainingBytes = "training_estimated_bytes"
        case inferenceBytes = "inference_estimated_bytes"
    }

    /// Counts a method on a model.
    ///
    /// - Throws: `UserError` where the method does not fit the model, or the image size does not fit the architecture.
    public init(_ tuning: TuningConfiguration, of model: any Model, setting: CostSetting) throws {
        try self.init(
            tuning, of: model, batch: setting.batch, imageSize: (setting.imageSize, setting.imageSize),
            classes: setting.classes, precision: setting.precision)
    }

    /// Counts a method on a model.
    ///
    /// - Parameters:
    ///   - batch: images of a step, and of a batch at test.
    ///   - imageSize: in pixels.
    ///   - classes: rows of the classifier.
    /// - Throws: as the other.
    public init(
        _ tuning: TuningConfiguration, of model: any Model, batch: Int, imageSize: (height: Int, width: Int),
        classes: Int, precision: Precision
    ) throws {
        let method = try TuningRegistry.method(tuning)
        func base(batch: Int) throws -> Program {
            try model.record(
                RecordingOptions(
                    batch: batch, imageHeight: imageSize.height, imageWidth: imageSize.width, classCount: classes))
        }
        func attached(batch: Int) throws -> Program {
            var program = try base(batch: batch)
            try method.attach(to: &program, of: model)
            return program
        }
        let (plain, own) = (try base(batch: 1), try attached(batch: 1))
        merges = method.mergeObstacle == nil
        trainable = own.trainableCount
        parameters = own.parameters.reduce(0) { $0 + $1.shape.count }
        let names = Set(plain.parameters.map(\.name))
        extraTrainingParameters = own.parameters.reduce(0) {
            $0 + ($1.isTrainable && !names.contains($1.name) ? $1.shape.count : 0)
        }
        extraInferenceParameters = merges ? 0 : extraTrainingParameters
        extraTrainingFLOPs = own.forwardFLOPs - plain.forwardFLOPs
        extraInferenceFLOPs = merges ? 0 : extraTrainingFLOPs
        baseMultiplyAdds = plain.multiplyAdds
        extraTrainingMultiplyAdds = own.multiplyAdds - plain.multiplyAdds
        extraInferenceMultiplyAdds = merges ? 0 : extraTrainingMultiplyAdds
        published = try PublishedComplexity.Sizes(plain).flatMap { try PublishedComplexity.of(tuning, $0) }

        let training = try attached(batch: batch)
        let test = merges ? try base(batch: batch) : training
        trainingFLOPs = training.forwardFLOPs + training.backwardFLOPs
        inferenceFLOPs = test.forwardFLOPs
        let trainingNeed = MemoryNeed(
            of: training, mode: .training, precision: precision, handsOverGradients: true)
        let inferenceNeed = MemoryNeed(of: test, mode: .inference, precision: precision)
        (trainingPlannedBytes, inferencePlannedBytes) = (trainingNeed.buffers, inferenceNeed.buffers)
        // The program itself; trained numbers have two moments.
        let program = 32 << 20
        trainingBytes =
            program + trainingNeed.buffers + trainingNeed.packedWeights + trainingNeed.scratch + 3 * 4 * trainable
        inferenceBytes = program + inferenceNeed.buffers + inferenceNeed.packedWeights + inferenceNeed.scratch
    }
}

extension Program {
    /// Multiply-adds of products of matrices (linear layers, attention) and of scales and shifts, over the batch.
    ///
    /// - Precondition: the program is not fused, so that such an operation does nothing else.
    var multiplyAdds: Int {
        operations.reduce(0) { total, operation in
            guard
                operation is LinearOperation || operation is GroupedLinearOperation || operation is AttentionOperation
                    || operation is ScaleAndShiftOperation
            else { return total }
            return total
                + operation.forwardFLOPs(
                    shapes: operation.wiring.inputs.map(shape(of:)), output: shape(of: operation.wiring.output)) / 2
        }
    }
}
