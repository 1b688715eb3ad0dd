package enum Attention {
    package static func forward(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, q: UnsafePointer<Float>,
        k: UnsafePointer<Float>, v: UnsafePointer<Float>, rowStride: Int, out: UnsafeMutablePointer<Float>,
        logSumExp: UnsafeMutablePointer<Float>?, workspace: Workspace, table: KernelTable = .current
    ) {
        let width = heads * headWidth
        func gather(_ x: UnsafePointer<Float>) -> [Double] {
            (0..<batch * tokens * width).map { Double(x[$0 / width * rowStride + $0 % width]) }
        }
        let r = Reference.attention(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: Double(scale), q: gather(q),
            k: gather(k), v: gather(v))
        store(r.out, out)
        store(r.logSumExp, logSumExp)
    }

    package static func backward(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, q: UnsafePointer<Float>,
        k: UnsafePointer<Float>, v: UnsafePointer<Float>, rowStride: Int, out: UnsafePointer<Float>,
        logSumExp: UnsafePointer<Float>, dOut: UnsafePointer<Float>, dq: UnsafeMutablePointer<Float>,
        dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>, gradientRowStride: Int,
        workspace: Workspace, table: KernelTable = .current
    ) {
        let width = heads * headWidth
        func gather(_ x: UnsafePointer<Float>) -> [Double] {
            (0..<batch * tokens * width).map { Double(x[$0 / width * rowStride + $0 % width]) }
        }
        let r = Reference.attentionBackward(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: Double(scale), q: gather(q),
            k: gather(k), v: gather(v), dOut: doubles(dOut, batch * tokens * width))
        for i in 0..<batch * tokens * width {
            let j = i / width * gradientRowStride + i % width
            dq[j] = Float(r.dq[i])
            dk[j] = Float(r.dk[i])
            dv[j] = Float(r.dv[i])
        }
    }
}
