package enum Tokens {
    package static func mean(
        batch: Int, tokens: Int, first: Int, channels: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        table: KernelTable = .current
    ) {
        store(
            Reference.tokenMean(
                batch: batch, tokens: tokens, first: first, channels: channels,
                x: doubles(x, batch * tokens * channels)), y)
    }

    package static func meanBackward(
        batch: Int, tokens: Int, first: Int, channels: Int, dy: UnsafePointer<Float>,
        dx: UnsafeMutablePointer<Float>, accumulate: Bool, table: KernelTable = .current
    ) {
        let factor = 1 / Float(tokens - first)
        for i in 0..<batch * tokens * channels {
            let token = i / channels % tokens
            let value = token < first ? 0 : factor * dy[i / channels / tokens * channels + i % channels]
            dx[i] = (accumulate ? dx[i] : 0) + value
        }
    }
}
