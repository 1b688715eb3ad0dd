import SSFTensors

/// How far the scale and the shift of a site have gone from 1 and 0, over its channels.
public struct Modulation: Sendable, Hashable, Encodable {
    /// timm's module name: `patch_embed.proj`, `blocks.3.norm1`, `norm`.
    public let site: String
    /// From 0; nil for a site outside of the blocks.
    public let block: Int?
    /// What it is in its block, or the whole name.
    public let layer: String
    public let channels: Int
    /// Mean and greatest of |scale - 1|; 0 where the site has no scale.
    public let meanScaleChange: Double
    public let largestScaleChange: Double
    /// Mean and greatest of |shift|; 0 where the site has no shift.
    public let meanShift: Double
    public let largestShift: Double

    /// The sites of an SSF adapter, in the order of the model.
    ///
    /// - Parameter adapter: `<site>.scale` and `<site>.shift`, of which one may be missing; a scale may be one number for
    ///   all channels.
    /// - Returns: empty for the adapter of another method.
    /// - Throws: `UserError` for a number that is not finite.
    public static func all(in adapter: [String: Tensor], name: String) throws -> [Modulation] {
        var sites: Set<String> = []
        for tensor in adapter.keys {
            for ending in [".scale", ".shift"] where tensor.hasSuffix(ending) {
                sites.insert(String(tensor.dropLast(ending.count)))
            }
        }
        return try sites.map { site in
            let scale = adapter["\(site).scale"]?.values ?? []
            let shift = adapter["\(site).shift"]?.values ?? []
            guard (scale + shift).allSatisfy(\.isFinite) else {
                throw UserError("\(name): scale or shift of \(site) holds values that are not finite numbers")
            }
            return Modulation(site, scale: scale.map(Double.init), shift: shift.map(Double.init))
        }.sorted { $0.order < $1.order }
    }

    private init(_ site: String, scale: [Double], shift: [Double]) {
        self.site = site
        let parts = site.split(separator: ".")
        block = parts.count > 2 && parts[0] == "blocks" ? Int(parts[1]) : nil
        layer = block == nil ? site : parts.dropFirst(2).joined(separator: ".")
        channels = max(scale.count, shift.count)
        func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
        let scaleChanges = scale.map { abs($0 - 1) }
        let shifts = shift.map { abs($0) }
        meanScaleChange = mean(scaleChanges)
        largestScaleChange = scaleChanges.max() ?? 0
        meanShift = mean(shifts)
        largestShift = shifts.max() ?? 0
    }

    /// The layers of a block, in the order of the data.
    static let layers = ["norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"]

    private var order: (Int, Int, String) {
        let place = Self.layers.firstIndex(of: layer) ?? Self.layers.count
        // What is embedded comes before the blocks, the last norm behind them.
        guard let block else { return (site.hasPrefix("patch_embed") ? -1 : Int.max, 0, site) }
        return (block, place, site)
    }
}
