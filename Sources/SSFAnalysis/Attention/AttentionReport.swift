import Foundation

/// What models looked at in images, in numbers.
public struct AttentionReport: Sendable, Encodable {
    /// How the maps were made.
    public struct Settings: Sendable, Encodable {
        /// Name and version.
        public var program: String
        public var method: String
        /// `mean`, `each`, or the number of a head from 0.
        public var heads: String
        public var interpolation: AttentionPicture.Interpolation

        /// Percent of the patches that share the last colour.
        public var saturate: Double
        /// What the images came from, and which part of it; files that were named have no parts.
        public var split: String?
        public var data: String
        public var limit: Int?
        public var seed: UInt64
        /// Of products with frozen weights.
        public var precision: String

        public init(
            program: String, method: String, heads: String, interpolation: AttentionPicture.Interpolation,
            saturate: Double, split: String?, data: String, limit: Int?, seed: UInt64, precision: String
        ) {
            (self.program, self.method, self.heads, self.interpolation) = (program, method, heads, interpolation)
            (self.saturate, self.split, self.data) = (saturate, split, data)
            (self.limit, self.seed, self.precision) = (limit, seed, precision)
        }
    }

    /// A model of the grid.
    public struct Model: Sendable, Encodable {
        public var name: String
        public var path: String
        /// From 0; of a rollout the last one.
        public var block: Int
        /// Of patches.
        public var rows: Int
        public var columns: Int

        public init(name: String, path: String, block: Int, rows: Int, columns: Int) {
            (self.name, self.path, self.block) = (name, path, block)
            (self.rows, self.columns) = (rows, columns)
        }
    }

    /// What one model made of one image.
    public struct Entry: Sendable, Encodable {
        public var image: String
        public var model: String
        public var predicted: String?
        /// Softmax over all classes, in 0...1.
        public var probability: Double?
        /// The image's own class; nil where it is not known.
        public var label: String?
        public var isRight: Bool?
        /// The part of the image that the model was shown, in pixels of the image.
        public var region: ImageRegion
        /// The part of the attention that goes to patches, for each map; the rest goes to the class token and its like.
        public var onPatches: [Double]
        /// The file of the maps' numbers, under the folder of the report.
        public var maps: String

        public init(
            image: String, model: String, predicted: String?, probability: Double?, label: String?, isRight: Bool?,
            region: ImageRegion, onPatches: [Double], maps: String
        ) {
            (self.image, self.model, self.predicted, self.probability) = (image, model, predicted, probability)
            (self.label, self.isRight, self.region) = (label, isRight, region)
            (self.onPatches, self.maps) = (onPatches, maps)
        }
    }

    public var settings: Settings
    public var models: [Model]
    public var entries: [Entry]

    public init(settings: Settings, models: [Model], entries: [Entry]) {
        (self.settings, self.models, self.entries) = (settings, models, entries)
    }
}
