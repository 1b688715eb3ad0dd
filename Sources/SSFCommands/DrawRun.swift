import ArgumentParser
import SSFCheckpoints
import SSFImages
import SSFTensors

/// Everything that `ssf draw` takes.
public struct DrawOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Set to draw: synthetic:TASK?train=1000&val=200&test=1000&size=32&seed=0.", valueName: "set")
    )
    public var set: String

    @Option(help: ArgumentHelp("Folder to write.", valueName: "path"))
    public var output: String

    @Flag(help: "Say nothing but warnings and errors.")
    public var quiet = false

    public init() {}
}

/// `ssf draw`: the images of a drawn set as files, to be looked at, predicted on, or used by other programs.
public struct DrawRun {
    private let options: DrawOptions
    private let console: Console

    public init(options: DrawOptions, console: Console) {
        self.options = options
        self.console = console
    }

    /// Draws every split into a folder of VTAB-1k lists; writes the whole folder or nothing.
    public func run() throws {
        let location = options.set.contains(":") ? options.set : "synthetic:" + options.set
        let collection = try DatasetCollection.open(location, format: .synthetic)
        try AtomicFolder.write(to: options.output) { try VTABWriter.write(collection, to: $0) }
        for split in collection.splits { console.line("\(split.name): \(split.summary)") }
        console.line("drawn into \(options.output): images, lists and class names")
        console.next("ssf train --model MODEL --data \(Shell.quoted(options.output))")
    }
}
