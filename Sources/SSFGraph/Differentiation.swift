/// Which gradients a program needs, derived from which parameters are trained.
///
/// A value needs a gradient if a trained parameter comes before it; nothing else is formed, so that the backward pass
/// ends at the first trained site.
struct Differentiation {
    /// Per value.
    let needsGradient: [Bool]
    /// Per operation.
    let needs: [GradientNeed]

    /// - Parameter trains: whether there will be a backward pass.
    init(_ program: Program, trains: Bool) {
        var needsGradient = [Bool](repeating: false, count: program.values.count)
        var needs: [GradientNeed] = []
        for operation in program.operations {
            let wiring = operation.wiring
            let need = GradientNeed(
                inputs: wiring.inputs.map { needsGradient[$0.index] },
                parameters: wiring.parameters.map { trains && program.parameters[$0.index].isTrainable })
            needsGradient[wiring.output.index] = need.any
            needs.append(need)
        }
        self.needsGradient = needsGradient
        self.needs = needs
    }
}
