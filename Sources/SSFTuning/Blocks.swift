import SSFGraph
import SSFTensors

/// A block of the backbone: what timm calls `blocks.3` or `layers.1.blocks.0`.
struct Block {
    let name: String
    /// What its first operation reads.
    let input: ValueID
    /// What its last operation makes.
    let output: ValueID
}

extension Program {
    /// The blocks of a program as a model records it, in order.
    var blocks: [Block] {
        var blocks: [Block] = []
        for operation in operations {
            guard let name = Self.blockName(of: operation.site) else { continue }
            if let last = blocks.last, last.name == name {
                blocks[blocks.count - 1] = Block(name: name, input: last.input, output: operation.wiring.output)
            } else {
                blocks.append(Block(name: name, input: operation.wiring.inputs[0], output: operation.wiring.output))
            }
        }
        return blocks
    }

    /// How many blocks there are.
    public var blockCount: Int { blocks.count }

    /// The block to which a site belongs: `blocks.3` of `blocks.3.mlp.fc1`; nil for others.
    static func blockName(of site: String) -> String? {
        let parts = site.split(separator: ".")
        guard let index = parts.firstIndex(of: "blocks"), index + 1 < parts.count,
            parts[index + 1].allSatisfy(\.isNumber)
        else { return nil }
        return parts[...(index + 1)].joined(separator: ".")
    }

    /// The linear operations `<block>.<suffix>` of all blocks, in order.
    ///
    /// - Throws: `UserError` where there is none.
    func blockLinears(_ suffix: String, for method: String) throws -> [LinearOperation] {
        let found = operations.compactMap { $0 as? LinearOperation }.filter { operation in
            Self.blockName(of: operation.site).map { operation.site == "\($0).\(suffix)" } ?? false
        }
        guard !found.isEmpty else {
            throw UserError(
                "\(method) does not fit this model", expected: "blocks with \(suffix)", found: "none",
                remedy: "choose another method")
        }
        return found
    }

    /// K of a linear operation `x W^T`.
    func inputChannels(of operation: LinearOperation) -> Int { shape(of: operation.wiring.inputs[0])[-1] }

    /// `factor * value`, with a constant that does not train; the value itself for a factor of 1.
    mutating func scaled(_ value: ValueID, by factor: Double, site: String) -> ValueID {
        guard factor != 1 else { return value }
        let scale = parameter("\(site).factor", shape: [shape(of: value)[-1]], initializer: .constant(factor))
        return append(ScaleAndShiftOperation(site: site, input: value, scale: scale, shift: nil))
    }

    /// Lets the parameters of sites train: matrices decay by default, vectors do not.
    mutating func train(sites: [String]) {
        for parameter in parameters(ofSites: sites) {
            train(parameter, decays: parameters[parameter.index].shape.rank > 1)
        }
    }
}

extension Initializer {
    /// `torch.nn.init.kaiming_uniform_` with a = sqrt 5, with which `torch.nn.Linear` begins: U(-b, b), b = 1 / sqrt K.
    static func kaimingUniform(inputs: Int) -> Initializer { .uniform(bound: 1 / Double(inputs).squareRoot()) }

    /// `torch.nn.init.xavier_uniform_`: U(-b, b), b = sqrt(6 / (K + N)).
    static func xavierUniform(inputs: Int, outputs: Int) -> Initializer {
        .uniform(bound: (6 / Double(inputs + outputs)).squareRoot())
    }
}
