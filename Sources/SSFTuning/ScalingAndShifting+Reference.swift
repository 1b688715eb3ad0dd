import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors

/// SSF to and from state dicts of the reference implementation.
extension ScalingAndShifting {
    /// The state dict that the reference implementation loads: backbone, scales, shifts and head, f32. What the options
    /// leave out is there as a scale of 1 and a shift of 0.
    ///
    /// - Throws: `UserError` where the method is not SSF, or the model has a site that the reference's has not.
    public static func referenceTensors(_ model: TunedModel) throws -> [String: Tensor] {
        guard let method = model.method as? ScalingAndShifting else {
            throw UserError(
                "the reference's checkpoint holds scales and shifts", expected: "an adapter made with --method ssf",
                found: model.method.name)
        }
        let adapter = model.adapterTensors()
        let tuned = Set(method.sites(in: model.baseProgram, of: model.model).map(\.name))
        var result: [String: Tensor] = [:]
        for parameter in model.baseProgram.parameters {
            result[parameter.name] = model.parameters.tensor(named: parameter.name)!.reshaped(parameter.shape).copied()
        }
        let whole = try ScalingAndShifting(options: TuningOptions([:], of: ScalingAndShifting.self))
        for site in whole.sites(in: model.baseProgram, of: model.model) {
            guard let scaleName = SSFReferenceKeys.name(of: "\(site.name).scale"),
                let shiftName = SSFReferenceKeys.name(of: "\(site.name).shift")
            else {
                throw UserError("the reference's model has no site \(site.name)", remedy: "merge the adapter instead")
            }
            let (scale, shift) =
                tuned.contains(site.name)
                ? try method.coefficients(of: site, in: adapter)
                : ([Float](repeating: 1, count: site.width), [Float](repeating: 0, count: site.width))
            result[scaleName] = Tensor(scale, shape: [site.width])
            result[shiftName] = Tensor(shift, shape: [site.width])
        }
        return result
    }

    /// The adapter in a state dict of the reference implementation: scales, shifts and head.
    ///
    /// - Parameter base: the tensors of the backbone, which must be those of the state dict.
    /// - Throws: `UserError` that names a tensor of the backbone that differs, or is none of the base's.
    public static func adapter(
        fromReference tensors: [String: Tensor], path: String, base: [String: Tensor], classifierSites: [String]
    ) throws -> [String: Tensor] {
        var (adapter, rest) = try SSFReferenceKeys.separate(tensors, path: path)
        for name in rest.keys.sorted() {
            let tensor = rest[name]!
            if classifierSites.contains(where: { name.hasPrefix($0 + ".") }) {
                adapter[name] = tensor
                continue
            }
            guard let own = base[name] else {
                throw UserError("\(path): \(name) is none of the base's tensors", remedy: "pass its base as --model")
            }
            guard own.count == tensor.count, own.values == tensor.values else {
                throw UserError(
                    "\(path): \(name) differs from the base's: the backbone is another one",
                    remedy: "pass the base that it was tuned on as --model")
            }
        }
        return adapter
    }
}
