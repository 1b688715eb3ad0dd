import SSFTensors

enum SyntheticTask: String, CaseIterable { case location }
enum SyntheticLayout: DatasetLayout {
    static let form = "synthetic:NAME"
    static func recognises(_ location: String) -> Bool { location.hasPrefix("synthetic:") }
    static func open(_ location: String) throws -> DatasetCollection {
        throw UserError("\(location): no such drawn set")
    }
}
