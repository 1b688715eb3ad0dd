import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFTensors

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a run or a comparison on one page of HTML that needs nothing but itself.",
        discussion: """
            Of a run folder of `ssf train`: settings, curves of loss and accuracy, classes, confusion matrix, trained \
            numbers, machine, time and memory. Of a folder of `ssf compare`: the table, the picture, differences \
            between methods, and every trial. --figures adds the pictures of folders that other commands of ssf-analyze \
            have written (similarity, tsne, attention, weights, cost).

            Pictures are a part of the page, which loads and runs nothing; it can be sent, printed and kept as it is.
            """)

    @Argument(help: ArgumentHelp("Folder of a run or of a comparison.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("File to write (default: report.html in the folder).", valueName: "file"))
    var output: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Folder with pictures of other analyses; once for each.", valueName: "folder"))
    var figures: [String] = []

    @Option(help: ArgumentHelp("Title of the page (default: from the folder).", valueName: "text"))
    var title: String?

    @Flag(help: "Say nothing but warnings and errors.")
    var quiet = false

    func validate() throws {
        if let output, !output.lowercased().hasSuffix(".html") && !output.lowercased().hasSuffix(".htm") {
            throw ValidationError("--output must end in .html, not \(output).")
        }
    }

    func run() throws {
        let console = Console(quiet: quiet)
        let contents = try ReportedFolder(folder)
        var page: ReportPage
        switch contents.kind {
        case .run: page = try RunPage(contents).page
        case .comparison: page = try ComparisonPage(contents).page
        }
        if let title { page.title = title }
        for path in figures {
            let gallery = try FigureGallery(path)
            page.sections.append(gallery.section)
            for note in gallery.notes { console.warning(note) }
        }
        for note in contents.notes { console.warning(note) }
        let path = output ?? contents.path + "/report.html"
        let data = Data(page.document.utf8)
        try AtomicFile.write(data, to: path)
        try StandardOutput.line("\(path)  \(Formatting.bytes(data.count))")
    }
}
