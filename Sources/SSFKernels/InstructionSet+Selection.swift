#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension InstructionSet {
    /// Which instruction set the kernels of this process use, and what was wrong with the wish for another.
    public struct Selection: Sendable, Equatable {
        public let set: InstructionSet
        /// Where `SSF_ISA` names a set that does not exist or that this machine lacks: what was found, what is expected.
        /// Programs stop with it at their start; the library itself says it once on the error stream and goes on with
        /// the widest set.
        public let problem: String?

        /// The rule, as a function of what it looks at.
        ///
        /// - Parameters:
        ///   - wish: the variable `SSF_ISA`; absent or empty for no wish.
        ///   - available: what this machine can run, narrowest first, at least one.
        public init(wish: String?, available: [InstructionSet]) {
            precondition(!available.isEmpty)
            let names = available.map { $0.rawValue }.joined(separator: ", ")
            let widest = available[available.count - 1]
            guard let wish, !wish.isEmpty else {
                set = widest
                problem = nil
                return
            }
            guard let wanted = InstructionSet(rawValue: wish.lowercased()) else {
                set = widest
                problem = "SSF_ISA=\(wish) is not an instruction set of this build; this machine has: \(names)"
                return
            }
            if available.contains(wanted) {
                set = wanted
                problem = nil
            } else {
                set = widest
                problem = "SSF_ISA=\(wish): this machine lacks it; it has: \(names)"
            }
        }
    }

    /// The selection of this process, made once, at the first use. `SSF_ISA=baseline|avx2|avx512|avx512bf16` overrides the choice
    /// of the widest set.
    public static let selection = Selection(
        wish: getenv("SSF_ISA").map { String(cString: $0) }, available: allCases.filter { $0.isAvailable })

    /// The instruction set of `KernelTable.current`. Reports are to name it.
    public static let current: InstructionSet = {
        if let problem = selection.problem {
            let line = "warning: \(problem); using \(selection.set.rawValue)\n"
            // One call, so that the line stays whole when threads write.
            _ = line.withCString { write(2, $0, strlen($0)) }
        }
        return selection.set
    }()
}
