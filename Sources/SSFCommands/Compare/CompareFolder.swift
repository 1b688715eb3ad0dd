import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFTensors

/// The folder of a comparison: a folder for each run, and the report.
struct CompareFolder {
    let path: String

    func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    func trial(_ trial: CompareTrial) -> TrialFolder { TrialFolder(path: file(trial.path)) }

    /// The settings of the YAML file that are for every run.
    var settingsFile: String { file("settings.yaml") }

    private static let mark = "trials.csv"

    /// Makes the folder, or takes it over.
    ///
    /// - Throws: `UserError` where there is something in it and nobody asked to go on.
    func open(resumes: Bool, file settings: SettingsFile?) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if !names.isEmpty {
            guard names.contains(Self.mark) else {
                throw UserError(
                    "--output \(path) holds something else than a comparison", expected: "a new folder",
                    found: names.sorted().prefix(3).joined(separator: ", "), remedy: "choose another --output")
            }
            guard resumes else {
                throw UserError(
                    "--output \(path) holds a comparison", remedy: "pass --resume to go on with it, or another --output"
                )
            }
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw UserError(
                "--output \(path): the folder cannot be made", found: SystemReason.of(error),
                remedy: "pass a folder you may write to")
        }
        if !names.contains(Self.mark) { try write(TrialResult.csv([], choices: [:]), to: Self.mark) }
        if let settings { try write(try settings.document(), to: "settings.yaml") }
    }

    func makeParent(of trial: CompareTrial) throws {
        do {
            try FileManager.default.createDirectory(atPath: file(trial.folder), withIntermediateDirectories: true)
        } catch {
            throw UserError("\(file(trial.folder)): the folder cannot be made", found: SystemReason.of(error))
        }
    }

    /// Removes what a run that was ended by force has left.
    func remove(_ trial: CompareTrial) throws {
        do {
            try FileManager.default.removeItem(atPath: file(trial.path))
        } catch {
            throw UserError("\(file(trial.path)): an unfinished run cannot be removed", found: SystemReason.of(error))
        }
    }

    /// What a run that has ended said goes into its folder.
    func keepLog(_ log: String, of trial: CompareTrial) {
        try? FileManager.default.moveItem(atPath: log, toPath: file(trial.path) + "/log.txt")
    }

    func write(_ text: String, to name: String) throws {
        try AtomicFile.write(Data(text.utf8), to: file(name))
    }

    /// Writes the report in all its forms.
    ///
    /// - Returns: the names of the files.
    func write(_ report: ComparisonReport) throws -> [String] {
        let texts = [
            ("comparison.md", ComparisonMarkdown.document(report)), ("comparison.csv", ComparisonText.csv(report)),
            ("comparison.json", try JSONText.of(report)),
            ("differences.md", ComparisonMarkdown.differences(report)),
            ("differences.json", try JSONText.of(report.differences)),
        ]
        for (name, text) in texts { try write(text, to: name) }
        var pictures: [String] = []
        for (name, figure) in [("accuracy", report.figure()), ("accuracy-sets", report.figureOfSets())] {
            guard let figure else { continue }
            for format in FigureFile.Format.allCases {
                pictures.append("\(name).\(format.rawValue)")
                try FigureFile.write(figure, to: file(pictures[pictures.count - 1]))
            }
        }
        return texts.map(\.0) + pictures + ["trials.csv"]
    }
}
