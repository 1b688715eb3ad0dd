extension Reference {
    /// Images [B, C, H, W] as rows of patches [B * (H / PH) * (W / PW), C * PH * PW], each in the order (channel, y, x).
    package static func unfold(
        batch: Int, channels: Int, height: Int, width: Int, patchHeight: Int, patchWidth: Int, images: [Double]
    ) -> [Double] {
        var rows: [Double] = []
        for b in 0..<batch {
            for top in stride(from: 0, to: height, by: patchHeight) {
                for left in stride(from: 0, to: width, by: patchWidth) {
                    for channel in 0..<channels {
                        for y in top..<top + patchHeight {
                            for x in left..<left + patchWidth {
                                rows.append(images[((b * channels + channel) * height + y) * width + x])
                            }
                        }
                    }
                }
            }
        }
        return rows
    }

    /// The mean over the tokens `first..<tokens` of [B, N, C]: [B, C].
    package static func tokenMean(batch: Int, tokens: Int, first: Int, channels: Int, x: [Double]) -> [Double] {
        (0..<batch * channels).map { i in
            let (b, channel) = (i / channels, i % channels)
            let sum = (first..<tokens).reduce(0) { $0 + x[(b * tokens + $1) * channels + channel] }
            return sum / Double(tokens - first)
        }
    }
}
