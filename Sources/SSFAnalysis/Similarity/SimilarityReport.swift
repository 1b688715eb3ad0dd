/// How similar the layers of models are to those of a reference, with everything that the numbers depend on.
package struct SimilarityReport: Codable, Sendable, Equatable {
    package struct Setting: Codable, Sendable, Equatable {
        package var program: String
        package var data: String
        package var split: String
        package var images: Int
        package var classes: Int
        /// `class`, `mean` or `all`.
        package var tokens: String
        package var measures: [SimilarityMeasure]
        package var batchSize: Int
        package var limit: Int?
        package var seed: UInt64
        package var precision: String
        package var replicates: Int
        package var instructionSet: String
        package var threads: Int

        package init(
            program: String, data: String, split: String, images: Int, classes: Int, tokens: String,
            measures: [SimilarityMeasure], batchSize: Int, limit: Int?, seed: UInt64, precision: String,
            replicates: Int, instructionSet: String, threads: Int
        ) {
            (self.program, self.data, self.split, self.images) = (program, data, split, images)
            (self.classes, self.tokens, self.measures, self.batchSize) = (classes, tokens, measures, batchSize)
            (self.limit, self.seed, self.precision, self.replicates) = (limit, seed, precision, replicates)
            (self.instructionSet, self.threads) = (instructionSet, threads)
        }
    }

    /// What a model is there for.
    package enum Role: String, Codable, Sendable {
        case reference, compared
        /// The reference's method from another seed: how similar two runs of the same can be.
        case ceiling
        /// The pre-trained model: how similar a model is that was not tuned.
        case floor
    }

    package struct Model: Codable, Sendable, Equatable {
        package var name: String
        package var role: Role
        package var path: String?
        /// The tuning method; nil for a checkpoint.
        package var method: String?
        package var blocks: Int
        package var width: Int
        /// Tokens of an image, without prompts.
        package var tokens: Int
        package var imageSize: [Int]

        package init(
            name: String, role: Role, path: String?, method: String?, blocks: Int, width: Int, tokens: Int,
            imageSize: [Int]
        ) {
            (self.name, self.role, self.path, self.method) = (name, role, path, method)
            (self.blocks, self.width, self.tokens, self.imageSize) = (blocks, width, tokens, imageSize)
        }
    }

    /// Block against the same block of the reference.
    package struct Curve: Codable, Sendable, Equatable {
        package var model: String
        package var measure: SimilarityMeasure
        /// Of block 1, 2, ...; nil where the features of a block do not vary.
        package var values: [Double?]
    }

    /// Every block against every block.
    package struct Map: Codable, Sendable, Equatable {
        package var model: String
        package var measure: SimilarityMeasure
        /// Rows: the reference's blocks.
        package var values: [[Double?]]
    }

    package var setting: Setting
    /// The reference first.
    package var models: [Model]
    package var curves: [Curve]
    package var maps: [Map]
    /// Which model is nearest to the reference in the last block, one answer for each measure.
    package var claims: [SimilarityClaim]
    /// What could not be compared, and why.
    package var notes: [String]

    /// Puts names to the values.
    ///
    /// - Parameters:
    ///   - models: in the order in which the values were made.
    ///   - subject: the name of the model of which it is asked whether it is the nearest; nil to ask nothing.
    package init(setting: Setting, models: [Model], values: SimilarityValues, subject: String?, notes: [String]) {
        self.setting = setting
        self.models = models
        self.notes = notes
        let others = models.dropFirst()
        curves = setting.measures.flatMap { measure in
            zip(others, values.curves[measure] ?? []).compactMap { model, curve in
                curve.map { Curve(model: model.name, measure: measure, values: $0.map(Self.known)) }
            }
        }
        maps = setting.measures.flatMap { measure in
            zip(others, values.maps[measure] ?? []).map { model, rows in
                Map(model: model.name, measure: measure, values: rows.map { $0.map(Self.known) })
            }
        }
        claims = []
        for measure in setting.measures {
            let claim = subject.flatMap { subject in
                SimilarityClaim(
                    measure, subject: subject, models: Array(others), estimates: estimates(measure, values),
                    replicates: values.replicates[measure] ?? [])
            }
            if let claim { claims.append(claim) }
        }
    }

    /// JSON has no numbers for what is none.
    private static func known(_ value: Double) -> Double? { value.isFinite ? value : nil }

    /// The last blocks, of each model beside the reference.
    private func estimates(_ measure: SimilarityMeasure, _ values: SimilarityValues) -> [Double] {
        models.dropFirst().indices.map { index in
            let place = index - 1
            if let map = values.maps[measure] { return map[place].last?.last ?? .nan }
            return values.curves[measure]?[place]?.last ?? .nan
        }
    }
}
