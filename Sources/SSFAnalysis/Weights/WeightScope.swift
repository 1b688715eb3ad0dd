import SSFTensors

/// A linear layer of a block, by the names of its tensors: `blocks.3.attn.qkv` is layer `attn.qkv` of block 3.
public struct WeightSite: Sendable, Hashable {
    /// timm's module name.
    public let name: String
    /// From 0, in the order of the model.
    public let block: Int
    /// What it is in its block.
    public let layer: String

    /// The linear layers of all blocks of a model, block by block, each in the order of the names that are known.
    ///
    /// A layer is a tensor `blocks.<number>.<layer>.weight` with two axes.
    public static func all(in tensors: [String: Tensor]) -> [WeightSite] {
        let sites = tensors.compactMap { name, tensor -> WeightSite? in
            let parts = name.split(separator: ".")
            guard tensor.shape.rank == 2, parts.count > 3, parts[0] == "blocks", parts[parts.count - 1] == "weight",
                let block = Int(parts[1])
            else { return nil }
            return WeightSite(
                name: String(name.dropLast(".weight".count)), block: block,
                layer: parts[2..<(parts.count - 1)].joined(separator: "."))
        }
        return sites.sorted { ($0.block, order(of: $0.layer), $0.layer) < ($1.block, order(of: $1.layer), $1.layer) }
    }

    /// The way of the data through a block.
    private static func order(of layer: String) -> Int {
        ["attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"].firstIndex(of: layer) ?? 4
    }
}

/// Weights or biases.
public enum WeightPart: String, Sendable, Hashable, Codable, CaseIterable {
    case weight, bias

    /// For people, of many.
    public var plural: String { self == .weight ? "weights" : "biases" }
}

/// Whose numbers are taken together.
public struct WeightScope: Sendable, Hashable, Encodable {
    /// `blocks.3.attn.qkv`, `attn.qkv` for that layer of all blocks, or `all` for all layers of all blocks.
    public let name: String
    public let part: WeightPart
    public let sites: [WeightSite]

    enum CodingKeys: CodingKey {
        case name, part
    }

    /// The scopes of a model: all layers, each layer over all blocks, each layer of each block.
    public static func all(of sites: [WeightSite], part: WeightPart) -> [WeightScope] {
        var layers: [String] = []
        for site in sites where !layers.contains(site.layer) { layers.append(site.layer) }
        return [WeightScope(name: "all", part: part, sites: sites)]
            + layers.map { layer in WeightScope(name: layer, part: part, sites: sites.filter { $0.layer == layer }) }
            + sites.map { WeightScope(name: $0.name, part: part, sites: [$0]) }
    }

    public var tensorNames: [String] { sites.map { "\($0.name).\(part.rawValue)" } }
}
