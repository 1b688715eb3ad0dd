import SSFKernels

/// A new array that `fill` writes.
func array(_ count: Int, _ fill: (inout MutableSpan<Float>) -> Void) -> [Float] {
    var array = [Float](repeating: 0, count: count)
    var span = array.mutableSpan
    fill(&span)
    return array
}

/// A vector or matrix that is trained, with the two moments of AdamW.
struct Parameter {
    var values: [Float]
    private var first: [Float]
    private var second: [Float]

    init(_ values: [Float]) {
        self.values = values
        first = Array(repeating: 0, count: values.count)
        second = first
    }

    mutating func update(gradient: [Float], step: Int) {
        adamW(&values, &first, &second, gradient: gradient, step: step)
    }
}

/// A function, because spans of several properties at a time would each take the whole struct.
func adamW(_ values: inout [Float], _ first: inout [Float], _ second: inout [Float], gradient: [Float], step: Int) {
    var p = values.mutableSpan
    var m = first.mutableSpan
    var v = second.mutableSpan
    AdamW.step(
        parameters: &p, gradients: gradient.span, firstMoment: &m, secondMoment: &v, learningRate: 0.01,
        weightDecay: 0.01, step: step)
}

/// logits = V GELU(scale * (W x) + shift) + bias. W [hidden, inputs] stays as it is and is packed once; scale and shift
/// [hidden], V [classes, hidden] and bias [classes] are trained.
struct Network {
    let hidden: Int
    let classes: Int
    let frozen: PackedMatrix
    var scale, shift, head, bias: Parameter
    let workspace = Workspace()

    init(inputs: Int, hidden: Int, classes: Int, weight: [Float], head: [Float]) {
        (self.hidden, self.classes) = (hidden, classes)
        // y = x Wᵀ: the columns of the right-hand matrix are the rows of W.
        frozen = GEMM.pack(k: inputs, n: hidden, b: weight.span, rowStride: 1, columnStride: inputs)
        scale = Parameter(Array(repeating: 1, count: hidden))
        shift = Parameter(Array(repeating: 0, count: hidden))
        self.head = Parameter(head)
        bias = Parameter(Array(repeating: 0, count: classes))
    }

    /// One step of training on x [labels.count, inputs]; returns the mean loss before it.
    mutating func train(x: [Float], labels: [Int32], step: Int) -> Float {
        let rows = labels.count
        // Forward. W x is kept as it is, because the gradient of the scale needs it.
        let h = array(rows * hidden) {
            GEMM.multiply(m: rows, a: x.span, packed: frozen, into: &$0, workspace: workspace)
        }
        let z = array(h.count) {
            ScaleShift.forward(
                rows: rows, channels: hidden, x: h.span, scale: scale.values.span, shift: shift.values.span, y: &$0)
        }
        let a = array(h.count) { GELU.forward(x: z.span, y: &$0) }
        let packedHead = GEMM.pack(k: hidden, n: classes, b: head.values.span, rowStride: 1, columnStride: hidden)
        let logits = array(rows * classes) {
            GEMM.multiply(
                m: rows, a: a.span, packed: packedHead, bias: bias.values.span, into: &$0, workspace: workspace)
        }
        var dLogits = [Float](repeating: 0, count: logits.count)
        var dLogitsSpan = dLogits.mutableSpan
        let losses = array(rows) {
            CrossEntropy.forwardBackward(
                batch: rows, classes: classes, logits: logits.span, labels: labels.span, smoothing: 0.1,
                gradientScale: 1 / Float(rows), losses: &$0, dLogits: &dLogitsSpan)
        }

        // Backward. dV = dLogitsᵀ a: a transposed operand is a matter of strides.
        let dHead = array(classes * hidden) {
            GEMM.multiply(
                m: classes, n: hidden, k: rows, a: dLogits.span, aRowStride: 1, aColumnStride: classes, b: a.span,
                into: &$0, workspace: workspace)
        }
        let dBias = array(classes) {
            ColumnSum.add(rows: rows, channels: classes, x: dLogits.span, into: &$0, workspace: workspace)
        }
        let da = array(h.count) {
            GEMM.multiply(
                m: rows, n: hidden, k: classes, a: dLogits.span, b: head.values.span, into: &$0, workspace: workspace)
        }
        let dz = array(h.count) { GELU.backward(dy: da.span, x: z.span, dx: &$0) }
        var dScale = [Float](repeating: 0, count: hidden)
        var dShift = dScale
        var dScaleSpan = dScale.mutableSpan
        var dShiftSpan = dShift.mutableSpan
        // The gradient of h comes with them; nothing below it is trained.
        _ = array(h.count) {
            ScaleShift.backward(
                rows: rows, channels: hidden, dy: dz.span, x: h.span, scale: scale.values.span, dx: &$0,
                dScale: &dScaleSpan, dShift: &dShiftSpan, workspace: workspace)
        }

        scale.update(gradient: dScale, step: step)
        shift.update(gradient: dShift, step: step)
        head.update(gradient: dHead, step: step)
        bias.update(gradient: dBias, step: step)
        return losses.reduce(0, +) / Float(rows)
    }
}

// Points of four classes: the class is the quadrant of their first two numbers.
func numbers(_ count: Int, within range: Float) -> [Float] {
    (0..<count).map { _ in Float.random(in: -range...range) }
}
let (rows, inputs, hidden, classes) = (256, 16, 64, 4)
var network = Network(
    inputs: inputs, hidden: hidden, classes: classes, weight: numbers(hidden * inputs, within: 0.5),
    head: numbers(classes * hidden, within: 0.2))
for step in 1...200 {
    let x = numbers(rows * inputs, within: 1)
    let labels = (0..<rows).map { Int32((x[$0 * inputs] > 0 ? 2 : 0) + (x[$0 * inputs + 1] > 0 ? 1 : 0)) }
    let loss = network.train(x: x, labels: labels, step: step)
    if step == 1 || step % 50 == 0 { print("step \(step): loss \(loss)") }
}
print("on \(InstructionSet.current.rawValue)")
