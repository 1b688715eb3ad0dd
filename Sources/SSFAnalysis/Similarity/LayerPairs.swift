/// Which layers are compared: every layer of a reference with every layer of each other model, and each with itself.
///
/// Layers are counted through: those of the reference first, then those of the others in their order.
package struct LayerPairs: Sendable, Equatable {
    /// Layers of the reference, then of each other model.
    package let depths: [Int]

    package init(depths: [Int]) {
        precondition(!depths.isEmpty && depths.allSatisfy { $0 > 0 }, "models with layers")
        self.depths = depths
    }

    /// The models beside the reference.
    package var others: Range<Int> { 1..<depths.count }

    package var layerCount: Int { depths.reduce(0, +) }

    /// The places of a model's layers.
    package func layers(of model: Int) -> Range<Int> {
        let first = depths[..<model].reduce(0, +)
        return first..<first + depths[model]
    }

    /// The reference against each other model.
    var blocks: [GramProducts.Block] {
        others.map { GramProducts.Block(rows: layers(of: 0), columns: layers(of: $0)) }
    }
}
