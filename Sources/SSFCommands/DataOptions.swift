import ArgumentParser

/// Where images come from and how their files are read.
public struct DataOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("data-dir")],
        help: ArgumentHelp(
            "Images: a folder per class (with or without train, val and test), VTAB-1k lists, CIFAR binary files, a CSV "
                + "of path,label, or synthetic:TASK.", valueName: "path"))
    public var data: String?

    @Option(help: "Layout of the data; recognised by itself where it is not given.")
    public var dataFormat: String?

    @Option(help: ArgumentHelp("Part to train on.", valueName: "name"))
    public var trainSplit: String?

    @Option(help: ArgumentHelp("Part by which the best epoch is chosen, or none.", valueName: "name"))
    public var valSplit: String?

    @Option(help: ArgumentHelp("Part that is evaluated once, at the end.", valueName: "name"))
    public var testSplit: String?

    @Option(help: "Orientation of photographs: apply or ignore (default: apply for folders and CSV, else ignore).")
    public var exifOrientation: String?

    @Flag(help: "Leave out images that cannot be read, and count them, instead of stopping.")
    public var skipBadImages = false

    @Option(name: [.customShort("j"), .long], parsing: .unconditional, help: "Threads that decode images ahead.")
    public var workers: Int?

    public init() {}

    public func validate() throws {
        if let workers, workers < 1 { throw ValidationError("--workers must be 1 or more, not \(workers).") }
    }
}
