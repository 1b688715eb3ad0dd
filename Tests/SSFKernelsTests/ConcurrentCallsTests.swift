import SSFKernels
import Testing

/// Calls of several threads at once, each with a workspace of its own and one packed matrix for all.
@Suite struct ConcurrentCallsTests {
    @Test func productsOfSeveralTasksAreThoseOfOne() async {
        let (m, n, k) = (150, 200, 170)
        let a = numbers(m * k, seed: 1).map { Float($0) }
        let b = numbers(k * n, seed: 2).map { Float($0) }
        let packed = GEMM.pack(k: k, n: n, b: b.span)
        @Sendable func product(_ workspace: Workspace) -> [Float] {
            var c = [Float](repeating: 0, count: m * n)
            var out = c.mutableSpan
            GEMM.multiply(m: m, a: a.span, packed: packed, into: &out, workspace: workspace)
            return c
        }
        let expected = product(Workspace())
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let workspace = Workspace()
                    return (0..<50).allSatisfy { _ in product(workspace) == expected }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
