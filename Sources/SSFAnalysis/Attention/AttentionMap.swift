import SSFKernels

/// How much each patch of an image counts: a number for every patch, rows from the top.
public struct AttentionMap: Sendable, Hashable {
    public let rows: Int
    public let columns: Int
    /// [rows, columns]
    public let values: [Double]

    /// - Precondition: there are `rows` x `columns` values, at least one.
    public init(_ values: [Double], rows: Int, columns: Int) {
        precondition(rows > 0 && columns > 0 && values.count == rows * columns, "\(rows) x \(columns) patches")
        (self.values, self.rows, self.columns) = (values, rows, columns)
    }

    /// The part of all attention that goes to patches; the rest goes to the class token and its like.
    public var total: Double { values.reduce(0, +) }

    public var isFinite: Bool { values.allSatisfy(\.isFinite) }

    /// The least value, and that which a part of the values, the greatest, lie above: a few patches often take so much
    /// that nothing else would be seen.
    ///
    /// - Parameter part: in 0..<1; 0 for the greatest value.
    public func range(above part: Double) -> ClosedRange<Double> {
        let sorted = values.sorted()
        let last = sorted.count - 1 - min(Int(part * Double(sorted.count)), sorted.count - 1)
        return sorted[0]...sorted[last]
    }

    /// The mean of maps of one size.
    ///
    /// - Precondition: there is one at least.
    public static func mean(_ maps: [AttentionMap]) -> AttentionMap {
        let first = maps[0]
        return AttentionMap(
            first.values.indices.map { i in maps.reduce(0) { $0 + $1.values[i] } / Double(maps.count) },
            rows: first.rows, columns: first.columns)
    }
}

extension AttentionMap {
    /// What the class token looks at in one block, for each head.
    ///
    /// The row of the class token without the columns of prompts, divided by its new sum: prompts are no part of the
    /// image. The columns of class token, distillation token and registers stay in the sum and are not shown.
    ///
    /// - Precondition: the layout has as many tokens as there are.
    public static func classToken(_ block: QueryKeyValues, layout: TokenLayout) -> [AttentionMap] {
        precondition(layout.count == block.tokens, "\(block.tokens) tokens in a layout of \(layout.count)")
        let workspace = Workspace()
        return (0..<block.heads).map { head in
            map(of: block.probabilities(of: 0..<1, head: head, workspace: workspace).map(Double.init), layout)
        }
    }

    /// Attention rollout: how much of what the class token holds after the last block comes from each patch, where every
    /// block is taken for `0.5 A + 0.5 I` with the mean of the heads for A, and blocks are multiplied.
    ///
    /// Only the class token's row of the product is computed, from the last block down, so that no matrix of the size of
    /// A is ever stored.
    ///
    /// Prompts: at the first block they are parameters, none of the image, and their columns are dropped at the end, as
    /// in `classToken`. Deep prompts are parameters at every block: what a block makes of them is thrown away and others
    /// take their place. A path through them therefore ends there, and their columns are dropped at every block; the row
    /// is divided by its sum once, at the end.
    ///
    /// - Parameters:
    ///   - blocks: from the first of the model on.
    ///   - replacesPrompts: whether every block has prompts of its own (VPT-Deep).
    /// - Precondition: every block has the layout's tokens.
    /// - Source: Abnar and Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020 (arXiv 2005.00928).
    public static func rollout(
        _ blocks: [QueryKeyValues], layout: TokenLayout, replacesPrompts: Bool = false
    ) -> AttentionMap {
        var row = [Double](repeating: 0, count: layout.count)
        row[0] = 1
        for block in blocks.reversed() {
            precondition(layout.count == block.tokens, "\(block.tokens) tokens in a layout of \(layout.count)")
            row = step(row, through: block)
            if replacesPrompts { for prompt in layout.promptRange { row[prompt] = 0 } }
        }
        return map(of: row, layout)
    }

    /// Queries whose probabilities are computed at a time.
    private static let queriesAtOnce = 64

    /// `row (0.5 A + 0.5 I)`.
    private static func step(_ row: [Double], through block: QueryKeyValues) -> [Double] {
        let workspace = Workspace()
        var result = row.map { 0.5 * $0 }
        for start in stride(from: 0, to: row.count, by: queriesAtOnce) {
            let queries = start..<min(start + queriesAtOnce, row.count)
            // In the last block the class token alone counts.
            guard queries.contains(where: { row[$0] != 0 }) else { continue }
            for head in 0..<block.heads {
                let probabilities = block.probabilities(of: queries, head: head, workspace: workspace)
                for (i, query) in queries.enumerated() where row[query] != 0 {
                    let factor = 0.5 * row[query] / Double(block.heads)
                    for key in result.indices { result[key] += factor * Double(probabilities[i * row.count + key]) }
                }
            }
        }
        return result
    }

    /// The patches of a row over all tokens, once prompts are dropped and the rest is divided by its sum.
    private static func map(of row: [Double], _ layout: TokenLayout) -> AttentionMap {
        let sum = row[..<layout.prefix].reduce(0, +) + row[layout.patchRange].reduce(0, +)
        return AttentionMap(row[layout.patchRange].map { $0 / sum }, rows: layout.rows, columns: layout.columns)
    }
}
