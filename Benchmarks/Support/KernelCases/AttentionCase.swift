import SSFKernels

/// Scaled dot-product attention from the output of a qkv projection, [batch, tokens, 3 * heads * width].
///
///     attention batch=16 tokens=197 heads=12 width=64 [pass=forward|backward|both] [dtype=f32|bf16]
///
/// Counts the products alone: 4 N² D operations per head forward, 8 N² D backward; scores that the backward pass computes
/// again are not counted, nor is the softmax. `both` is a forward and a backward pass. With `dtype=bf16` the projection and
/// the result are bfloat16, and so are the factors of the products.
struct AttentionCase: KernelCase {
    static let operation = "attention"

    enum Passes: String, CaseIterable {
        case forward, backward, both
    }

    let batch, tokens, heads, width: Int
    let passes: Passes
    let precision: Precision

    init(_ parameters: inout Parameters) throws {
        batch = try parameters.count("batch")
        tokens = try parameters.count("tokens")
        heads = try parameters.count("heads")
        width = try parameters.count("width")
        passes = try parameters.choice("pass", .forward)
        precision = try parameters.choice("dtype", .float32)
    }

    var work: Work {
        let scores = Double(batch * heads) * Double(tokens * tokens) * Double(width)
        return switch passes {
        case .forward: .operations(4 * scores, precision)
        case .backward: .operations(8 * scores, precision)
        case .both: .operations(12 * scores, precision)
        }
    }

    func prepare() -> () -> Void {
        switch precision {
        case .float32: prepare(Float.self)
        case .bfloat16: prepare(BFloat16.self)
        }
    }

    private func prepare<Element: MatrixElement>(_ type: Element.Type) -> () -> Void {
        let (batch, tokens, heads, width) = (batch, tokens, heads, width)
        let scale = 1 / Float(width).squareRoot()
        let arena = Arena()
        let workspace = Workspace()
        let qkv = arena.random(type, batch * tokens * 3 * heads * width)
        let result = arena.zeros(type, batch * tokens * heads * width)
        let logSumExp = arena.zeros(batch * heads * tokens)
        let forward = {
            withExtendedLifetime(arena) {
                var out = result.mutableSpan
                var sums = logSumExp.mutableSpan
                Attention.forward(
                    batch: batch, tokens: tokens, heads: heads, headWidth: width, scale: scale, qkv: qkv.span,
                    out: &out, logSumExp: &sums, precision: Element.precision, workspace: workspace)
            }
        }
        if passes == .forward { return forward }
        forward()
        let dOut = arena.random(batch * tokens * heads * width)
        let gradient = arena.zeros(batch * tokens * 3 * heads * width)
        let backward = {
            withExtendedLifetime(arena) {
                var dQKV = gradient.mutableSpan
                Attention.backward(
                    batch: batch, tokens: tokens, heads: heads, headWidth: width, scale: scale, qkv: qkv.span,
                    logSumExp: logSumExp.span, dOut: dOut.span, dQKV: &dQKV,
                    precision: Element.precision, workspace: workspace)
            }
        }
        if passes == .backward { return backward }
        return {
            forward()
            backward()
        }
    }
}
