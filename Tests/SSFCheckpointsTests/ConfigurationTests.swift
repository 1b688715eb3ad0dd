import Foundation
import SSFCheckpoints
import SSFTensors
import SSFTestSupport
import Testing

struct ConfigurationTests {
    // MARK: Hugging Face

    @Test func readsViT() throws {
        let configuration = try Checkpoint.load(Goldens.path("checkpoints/huggingface/vit")).configuration
        #expect(configuration.family == .vit)
        #expect(configuration.headCount == 2)
        #expect(configuration.depth == 2)
        #expect(configuration.numFeatures == 16)
        #expect(configuration.mlpRatio == 3)
        #expect(configuration.imageSize == [8, 8])
        #expect(configuration.patchSize == [4, 4])
        #expect(configuration.layerNormEpsilon == 3e-5)
        #expect(configuration.activation == "gelu")
        #expect(configuration.qkvBias == true)
        #expect(configuration.globalPool == "token")
        // The weights hold no classifier, whatever the labels.
        #expect(configuration.numClasses == 0)
        #expect(configuration.labelNames == nil)
        #expect(
            configuration.preprocessing
                == Preprocessing(
                    inputSize: [3, 8, 8], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], interpolation: "bicubic",
                    cropFraction: 1, cropMode: "squash"))
        #expect(configuration.sources.count == 2)
    }

    @Test func readsDeiT() throws {
        let configuration = try Checkpoint.load(Goldens.path("checkpoints/huggingface/deit")).configuration
        #expect(configuration.family == .deit)
        #expect(configuration.numClasses == 5)
        #expect(configuration.labelNames?.first == "ant")
        #expect(configuration.layerNormEpsilon == 1e-12)
        #expect(configuration.preprocessing?.inputSize == [3, 8, 8])
        #expect(configuration.preprocessing?.cropFraction == 0.8)
        #expect(configuration.preprocessing?.cropMode == "squash")
    }

    @Test func readsDINOv2() throws {
        let configuration = try Checkpoint.load(Goldens.path("checkpoints/huggingface/dinov2")).configuration
        #expect(configuration.family == .dinov2)
        #expect(configuration.mlpRatio == 3)
        #expect(configuration.layerScaleInit == 1)
        #expect(configuration.gatedMLP == false)
        #expect(configuration.noEmbedClass == nil)
        #expect(configuration.preprocessing?.cropFraction == 0.8)
        #expect(configuration.preprocessing?.cropMode == "center")
        let registers = try Checkpoint.load(Goldens.path("checkpoints/huggingface/dinov2-registers")).configuration
        #expect(registers.registerCount == 3)
        #expect(registers.noEmbedClass == true)
        #expect(registers.preprocessing == nil)
        #expect(
            registers.statedPreprocessing.missing == ["--img-size", "--mean", "--std", "--interpolation", "--crop-pct"])
        let gated = try Checkpoint.load(Goldens.path("checkpoints/huggingface/dinov2-swiglu")).configuration
        #expect(gated.gatedMLP == true)
    }

    @Test func madeUpLabelsAreNoNames() throws {
        let configuration = try load(
            #"{"model_type":"vit","id2label":{"1":"LABEL_1","0":"LABEL_0"}}"#, tensors: ["classifier.weight": head(2)]
        ).configuration
        #expect(configuration.numClasses == 2)
        #expect(configuration.labelNames == nil)
        // What a file leaves out has the model type's default.
        #expect(configuration.layerNormEpsilon == 1e-12)
        #expect(configuration.qkvBias == true)
    }

    // MARK: timm

    @Test func readsTimm() throws {
        let configuration = try load(
            #"""
            {"architecture":"vit_small_patch14_reg4_dinov2","num_classes":3,"num_features":384,"global_pool":"token",
             "label_names":{"0":"a","2":"c"},"label_descriptions":{"a":"first"},
             "model_args":{"img_size":[28,42],"reg_tokens":4,"no_embed_class":true,"init_values":1e-5,"num_heads":6,
                           "global_pool":"avg","unknown_to_us":[1,"x",null]},
             "pretrained_cfg":{"input_size":[3,518,518],"mean":[0.1,0.2,0.3],"std":[0.4,0.5,0.6],
                               "interpolation":"bilinear","crop_pct":0.875,"tag":"t"}}
            """#
        ).configuration
        #expect(configuration.architecture == "vit_small_patch14_reg4_dinov2")
        #expect(configuration.family == .dinov2)
        #expect(configuration.numClasses == 3)
        #expect(configuration.labelNames == ["a", "1", "c"])
        #expect(configuration.labelDescriptions == ["a": "first"])
        #expect(configuration.globalPool == "avg")
        #expect(configuration.imageSize == [28, 42])
        #expect(configuration.registerCount == 4)
        #expect(configuration.noEmbedClass == true)
        #expect(configuration.layerScaleInit == 1e-5)
        #expect(configuration.headCount == 6)
        #expect(configuration.layerNormEpsilon == nil)
        #expect(configuration.modelArguments["unknown_to_us"] == [1, "x", .null])
        #expect(configuration.preprocessing?.cropFraction == 0.875)
        #expect(configuration.preprocessing?.cropMode == "center")
        #expect(configuration.pretrainedConfiguration["tag"] == "t")
    }

    @Test func readsOldTimmFilesWithoutPretrainedConfiguration() throws {
        let configuration = try load(
            #"{"architecture":"vit_tiny_patch16_224","num_classes":2,"labels":["x","y"],"input_size":[3,32,32],"mean":[0,0,0]}"#
        ).configuration
        #expect(configuration.labelNames == ["x", "y"])
        #expect(configuration.imageSize == [32, 32])
        #expect(configuration.statedPreprocessing.mean == [0, 0, 0])
        #expect(configuration.statedPreprocessing.missing == ["--std", "--interpolation", "--crop-pct"])
        #expect(configuration.preprocessing == nil)
    }

    /// What is wrong is named with its field.
    @Test(arguments: [
        (#"{"architecture":3}"#, "architecture"),
        (#"{"architecture":"vit","num_classes":"ten"}"#, "num_classes"),
        (#"{"architecture":"vit","num_classes":-1}"#, "num_classes"),
        (#"{"architecture":"vit","label_names":[[]]}"#, "label_names"),
        (#"{"architecture":"vit","label_names":{"a":"b"}}"#, "label_names"),
        (#"{"architecture":"vit","label_names":{"99999999999":"b"}}"#, "label_names"),
        (#"{"architecture":"vit","model_args":[]}"#, "model_args"),
        (#"{"architecture":"vit","model_args":{"img_size":0}}"#, "model_args.img_size"),
        (#"{"architecture":"vit","model_args":{"img_size":[1,2,3]}}"#, "model_args.img_size"),
        (#"{"architecture":"vit","pretrained_cfg":{"input_size":[224,224]}}"#, "pretrained_cfg.input_size"),
        (#"{"architecture":"vit","pretrained_cfg":{"std":[0.5,0,0.5]}}"#, "pretrained_cfg.std"),
        (#"{"architecture":"vit","pretrained_cfg":{"crop_pct":1.5}}"#, "pretrained_cfg.crop_pct"),
        (#"{"model_type":"swin"}"#, "model_type"),
        (#"{"hidden_size":3}"#, "model_type"),
        (#"{"model_type":"vit","layer_norm_eps":"small"}"#, "layer_norm_eps"),
        (#"[1,2]"#, "no JSON object"),
        (#"{"architecture""#, "not valid JSON"),
    ])
    func refuses(_ json: String, _ mentions: String) throws {
        let error = #expect(throws: UserError.self) { try load(json) }
        let text = try #require(error).description
        #expect(text.contains("config.json") && text.contains(mentions), "\(text)")
    }

    @Test(arguments: [
        (#"{"rescale_factor":0.00784}"#, "rescale_factor"), (#"{"resample":9}"#, "resample"),
        (#"{"size":{"width":3}}"#, "size"), (#"{"image_std":[0,1,1]}"#, "image_std"),
        (#"{"image_mean":"x"}"#, "image_mean"),
    ])
    func refusesPreprocessor(_ json: String, _ mentions: String) throws {
        let error = #expect(throws: UserError.self) { try load(#"{"model_type":"vit"}"#, preprocessor: json) }
        let text = try #require(error).description
        #expect(text.contains("preprocessor_config.json") && text.contains(mentions), "\(text)")
    }

    @Test(arguments: [
        (#"{"size":224,"resample":2}"#, [3, 224, 224], Float(1), "squash"),
        (#"{"size":{"shortest_edge":256},"do_center_crop":true,"crop_size":224}"#, [3, 224, 224], 0.875, "center"),
        (#"{"size":{"shortest_edge":224}}"#, [3, 224, 224], 1, "center"),
        (#"{"size":{"height":96,"width":64}}"#, [3, 96, 64], 1, "squash"),
    ])
    func readsPreprocessor(_ json: String, _ size: [Int], _ fraction: Float, _ mode: String) throws {
        let stated = try load(#"{"model_type":"vit"}"#, preprocessor: json).configuration.statedPreprocessing
        #expect(stated.inputSize == size)
        #expect(stated.cropFraction == fraction)
        #expect(stated.cropMode == mode)
        #expect(stated.mean == nil)
    }

    private func head(_ classes: Int) -> Tensor { Tensor(zeros: [classes, 4]) }

    private func load(_ json: String, tensors: [String: Tensor] = [:], preprocessor: String? = nil) throws -> Checkpoint
    {
        let folder = try TemporaryFolder()
        try Safetensors.write(tensors, to: folder.file("model.safetensors"))
        try Data(json.utf8).write(to: URL(filePath: folder.file("config.json")))
        if let preprocessor {
            try Data(preprocessor.utf8).write(to: URL(filePath: folder.file("preprocessor_config.json")))
        }
        return try Checkpoint.load(folder.path)
    }
}
