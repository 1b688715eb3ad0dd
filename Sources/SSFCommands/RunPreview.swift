import SSFGraph
import SSFKernels
import SSFModels
import SSFTensors
import SSFTraining

/// What is known of a run before it begins: its size, its arithmetic, and which images it has.
struct RunPreview {
    let trainable: Int
    let parameters: Int
    let model: any Model
    let imageSize: (height: Int, width: Int)
    let classes: Int
    let batchSize: Int
    let precision: Precision
    let trainImages: Int
    let validationImages: Int
    let testImages: Int
    let epochs: Int
    let steps: Int
    /// Floating-point operations of a step, and of an image shown to the finished model.
    let stepFLOPs: Int
    let imageFLOPs: Int
    /// Whether the features of every image are computed once.
    let keepsFeatures: Bool

    /// Refuses what the run itself would refuse; computes nothing.
    init(_ run: TrainingRun) throws {
        let trainer = try run.makeTrainer()
        let training = run.settings.training
        trainable = run.model.parameters.layout.count
        parameters = run.model.parameters.specifications.reduce(0) { $0 + $1.shape.count }
        model = run.model.model
        imageSize = (run.preprocessing.height, run.preprocessing.width)
        classes = run.model.classes.count
        batchSize = training.batchSize
        precision = run.settings.precision
        trainImages = run.data.training.count
        validationImages = run.data.validation?.count ?? 0
        testImages = run.data.test?.count ?? 0
        epochs = training.totalEpochs
        steps = training.totalEpochs * training.stepsPerEpoch(images: run.data.training.count)
        let flops = try trainer.flopsPerStep()
        stepFLOPs = flops.forward + flops.backward
        imageFLOPs = try run.model.program(batch: 1, mode: .inference).forwardFLOPs
        if case .kept = trainer.featureUse { keepsFeatures = true } else { keepsFeatures = false }
    }

    /// Floating-point operations of the whole run.
    var work: Double {
        let features = keepsFeatures ? trainImages + validationImages : 0
        let evaluations = (keepsFeatures ? 0 : epochs * validationImages) + testImages
        return Double(steps) * Double(stepFLOPs) + Double(features + evaluations) * Double(imageFLOPs)
    }
}
