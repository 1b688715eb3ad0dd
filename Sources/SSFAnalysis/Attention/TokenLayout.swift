/// Which token of a block is what, in this order: the class token and what else stands before the patches
/// (distillation, registers), prompts of visual prompt tuning, and the patches row by row.
public struct TokenLayout: Sendable, Hashable {
    /// The class token, which is token 0, and the others before prompts and patches.
    public var prefix: Int
    public var prompts: Int
    public var rows: Int
    public var columns: Int

    /// - Precondition: there is a class token and at least one patch.
    public init(prefix: Int, prompts: Int = 0, rows: Int, columns: Int) {
        precondition(prefix >= 1 && prompts >= 0 && rows > 0 && columns > 0)
        (self.prefix, self.prompts, self.rows, self.columns) = (prefix, prompts, rows, columns)
    }

    public var patches: Int { rows * columns }
    public var count: Int { prefix + prompts + patches }
    public var promptRange: Range<Int> { prefix..<prefix + prompts }
    public var patchRange: Range<Int> { prefix + prompts..<count }
}
