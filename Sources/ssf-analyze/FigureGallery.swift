import Foundation
import SSFAnalysis
import SSFTensors

/// The pictures of a folder that another command of ssf-analyze has written.
struct FigureGallery {
    let section: ReportPage.Section
    let notes: [String]

    /// Beyond this a picture makes the page a burden.
    private static let largestPicture = 20_000_000

    /// - Throws: `UserError` where there is no folder, or no picture in it.
    init(_ path: String) throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw UserError(
                "--figures \(path): there is no such folder", expected: "a folder that ssf-analyze has written")
        }
        let folder = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        let stems = Set(
            names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".svg") || $0.hasSuffix(".png")) }.map { $0.dropLast(4) }
        )
        var pictures: [HTML] = []
        var notes: [String] = []
        for stem in stems.sorted() {
            let found = ["svg", "png"].compactMap { ending -> (name: String, data: Data)? in
                let name = "\(stem).\(ending)"
                return FileManager.default.contents(atPath: folder + "/" + name).map { (name, $0) }
            }
            // A drawing prints best; one that is large, or holds a map, whose cells browsers would blur, is taken as pixels.
            let holdsPixels = found.first?.data.firstRange(of: Data("<image".utf8)) != nil
            let best = found.count == 2 && (holdsPixels || found[0].data.count > 1_000_000) ? found[1] : found.first
            guard let best else { continue }
            guard best.data.count <= Self.largestPicture else {
                notes.append("\(folder)/\(best.name) is larger than 20 MB and was left out")
                continue
            }
            guard let picture = EmbeddedPicture(best.data, description: String(stem)) else {
                notes.append("\(folder)/\(best.name) is no picture and was left out")
                continue
            }
            pictures.append(picture.html)
        }
        guard !pictures.isEmpty else {
            throw UserError(
                "--figures \(path): there is no picture", expected: "files that end in .svg or .png",
                found: notes.first)
        }
        let name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
        section = ReportPage.Section("Figures: \(name)", pictures)
        self.notes = notes
    }
}
