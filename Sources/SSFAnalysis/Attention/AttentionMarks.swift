import SSFGraph

extension Program {
    /// Gives what each attention reads a name, so that it can be tapped: queries, keys and values behind whatever a
    /// tuning method does to them, and behind `qk_norm`.
    ///
    /// - Returns: in order, the names and how many heads there are.
    public mutating func markAttention() -> [(mark: String, heads: Int)] {
        operations.compactMap { $0 as? AttentionOperation }.map { operation in
            let mark = "\(operation.site).qkv"
            self.mark(mark, operation.wiring.inputs[0])
            return (mark, operation.heads)
        }
    }
}
