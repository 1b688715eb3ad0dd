/// The first bodies of the entries go through the reference.
func doubles(_ x: UnsafePointer<Float>, _ count: Int) -> [Double] { (0..<count).map { Double(x[$0]) } }
func doubles(_ x: UnsafePointer<Float>?, _ count: Int) -> [Double]? { x.map { x in (0..<count).map { Double(x[$0]) } } }
func store(_ values: [Double], _ y: UnsafeMutablePointer<Float>?, adding: Bool = false) {
    guard let y else { return }
    for (i, value) in values.enumerated() { y[i] = (adding ? y[i] : 0) + Float(value) }
}
