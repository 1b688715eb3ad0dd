import Foundation
import SSFImages
import SSFTensors
import SSFTestSupport
import Testing

@Suite struct VTABWriterTests {
    @Test func writtenSetReadsBackEqual() throws {
        let drawn = try DatasetCollection.open("synthetic:count?train=7&val=2&test=3&size=24&seed=4")
        let folder = try TemporaryFolder()
        try VTABWriter.write(drawn, to: folder.path)

        let read = try DatasetCollection.open(folder.path)
        #expect(read.format == .vtab)
        #expect(read.classes == drawn.classes)
        #expect(read.splits.map(\.name) == drawn.splits.map(\.name))
        let decoder = ImageDecoder()
        for (a, b) in zip(read.splits, drawn.splits) {
            #expect(a.items.map(\.label) == b.items.map(\.label))
            for (file, picture) in zip(a.items, b.items) {
                #expect(try file.image(decoder: decoder) == picture.image(decoder: decoder), "\(file.name)")
            }
        }
    }

    @Test func unwritableFolderIsNamed() throws {
        let drawn = try DatasetCollection.open("synthetic:count?train=1&val=0&test=0")
        let folder = try TemporaryFolder()
        // A file where the folder should be.
        try Data().write(to: URL(filePath: folder.file("images")))
        let error = #expect(throws: UserError.self) { try VTABWriter.write(drawn, to: folder.path) }
        #expect(error?.description.contains(folder.path) == true)
    }
}
