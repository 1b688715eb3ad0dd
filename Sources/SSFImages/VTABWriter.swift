import Foundation
import SSFTensors

/// Writes sets of images in the form that `VTABLayout` reads.
public enum VTABWriter {
    /// Writes every split: `images/<split>/000000.png` and so on, `<split>.txt` with lines `path label`, and
    /// `classes.json`. Pixels are kept exactly.
    ///
    /// - Parameter folder: An empty folder that exists.
    /// - Throws: `UserError` naming an image that cannot be read or a file that cannot be written.
    public static func write(_ collection: DatasetCollection, to folder: String) throws {
        let decoder = ImageDecoder()
        for split in collection.splits {
            let place = FileSystem.join("images", split.name)
            do {
                try FileManager.default.createDirectory(
                    atPath: FileSystem.join(folder, place), withIntermediateDirectories: true)
            } catch {
                throw UserError("\(folder): the folder \(place) cannot be made", found: error.localizedDescription)
            }
            var list = ""
            for (index, item) in split.items.enumerated() {
                let number = String(index)
                let name = String(repeating: "0", count: max(0, 6 - number.count)) + number + ".png"
                let path = FileSystem.join(place, name)
                try save(Data(PNG.encode(try item.image(decoder: decoder))), folder, path)
                list += "\(path) \(item.label)\n"
            }
            try save(Data(list.utf8), folder, split.name + ".txt")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try save(try encoder.encode(["classes": collection.classes]), folder, "classes.json")
    }

    private static func save(_ data: Data, _ folder: String, _ name: String) throws {
        let path = FileSystem.join(folder, name)
        do {
            try data.write(to: URL(filePath: path))
        } catch {
            throw UserError("\(path) cannot be written", found: error.localizedDescription)
        }
    }
}
