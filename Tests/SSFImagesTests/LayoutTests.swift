import Foundation
import SSFImages
import SSFTensors
import SSFTestSupport
import Testing

/// A folder in which a test lays out a set of images.
struct Layout {
    let folder: TemporaryFolder
    var path: String { folder.path }

    init() throws { folder = try TemporaryFolder() }

    /// Writes a file and the folders above it.
    func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

    func write(_ name: String, _ data: Data) throws {
        let url = URL(filePath: folder.file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
    }

    /// Writes a flat image of one brightness.
    func image(_ name: String, _ value: UInt8 = 0) throws {
        try write(name, Data(PNG.encode(RGBImage(width: 2, height: 2, pixels: [UInt8](repeating: value, count: 12)))))
    }

    /// Keeps the folder until here: `defer { layout.keep() }`.
    func keep() { withExtendedLifetime(folder) {} }

    /// The error of opening, and of choosing the splits.
    func refusal(_ name: String = "", format: DataFormat? = nil, options: SplitOptions = SplitOptions()) -> UserError? {
        do {
            _ = try DatasetCollection.open(name.isEmpty ? path : folder.file(name), format: format).select(options)
            return nil
        } catch {
            return error as? UserError ?? UserError("another error: \(error)")
        }
    }
}

@Suite struct FolderLayoutTests {
    @Test func classesAreInNaturalOrder() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for name in ["class10", "class2", "Class1", "apple"] { try layout.image("\(name)/1.png") }
        let set = try DatasetCollection.open(layout.path)
        #expect(set.format == .folder && set.classes == ["apple", "Class1", "class2", "class10"])
        #expect(set.splits.map(\.name) == ["all"] && set.splits[0].items.map(\.label) == [0, 1, 2, 3])
    }

    @Test(arguments: [("train", "val", "test"), ("training", "valid", "testing"), ("Train", "Evaluation", "TEST")])
    func splitFoldersOfAnySpelling(train: String, validation: String, test: String) throws {
        let layout = try Layout()
        defer { layout.keep() }
        for (split, count) in [(train, 3), (validation, 2), (test, 1)] {
            for name in ["a", "b"] { for i in 0..<count { try layout.image("\(split)/\(name)/\(i).png") } }
        }
        let chosen = try DatasetCollection.open(layout.path).select()
        #expect(chosen.train.count == 6 && chosen.validation?.count == 4 && chosen.test?.count == 2)
        #expect(chosen.notes.isEmpty)
    }

    @Test func imagesAreFoundByNameAndContentAndDeeper() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.image("cat/1.PNG")
        try layout.image("cat/kittens/2.png")
        try layout.image("cat/unnamed")
        try layout.write("cat/notes.txt", "no image")
        try layout.write("cat/.DS_Store", "no image")
        try layout.image("dog/1.png")
        let set = try DatasetCollection.open(layout.path)
        #expect(set.splits[0].histogram == [3, 1])
        #expect(set.notes == ["1 file that are no images left out"])
    }

    @Test func anEmptyClassFolderIsNamed() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.image("train/cat/1.png")
        try layout.write("train/dog/readme.txt", "soon")
        #expect(layout.refusal()?.what.hasSuffix("train/dog has no images") == true)
    }

    @Test func differingClassListsAreNamed() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for path in ["train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/cow/1.png"] {
            try layout.image(path)
        }
        let error = layout.refusal()
        #expect(error?.what.contains("the classes of test differ") == true)
        #expect(error?.found == "without dog; besides cow")
    }

    @Test func imagesBesideTheClassesAreCounted() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for path in ["stray.png", "train/cat/1.png", "train/stray.png", "test/cat/1.png"] { try layout.image(path) }
        try layout.write("readme.txt", "no image")
        let notes = try DatasetCollection.open(layout.path).notes
        #expect(notes == ["2 images beside the class folders left out: the folder says the class"])
    }

    @Test func aFolderThatLinksToOneAboveItIsNamed() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.image("cat/a/1.png")
        try FileManager.default.createSymbolicLink(
            atPath: layout.folder.file("cat/a/loop"), withDestinationPath: layout.folder.file("cat"))
        let error = layout.refusal()
        #expect(error?.what.contains("cat/a/loop is a link to a folder that it lies in") == true)
        // A link to a folder elsewhere is a folder like any other.
        try FileManager.default.removeItem(atPath: layout.folder.file("cat/a/loop"))
        try FileManager.default.createSymbolicLink(
            atPath: layout.folder.file("dog"), withDestinationPath: layout.folder.file("cat/a"))
        #expect(try DatasetCollection.open(layout.path).splits[0].histogram == [1, 1])
    }

    @Test(.timeLimit(.minutes(1)))
    func aNamedPipeIsNotWaitedFor() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.image("cat/1.png")
        try #require(mkfifo(layout.folder.file("cat/pipe"), 0o600) == 0)
        let set = try DatasetCollection.open(layout.path)
        #expect(set.splits[0].count == 1 && set.notes == ["1 file that are no images left out"])
        try #require(mkfifo(layout.folder.file("list.csv"), 0o600) == 0)
        #expect(layout.refusal("list.csv")?.what.contains("list.csv is not a file") == true)
    }

    @Test(arguments: ["", "cat/"])
    func aNameThatIsNotUTF8IsAnError(place: String) throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.image("cat/1.png")
        let name = Array(layout.folder.file(place).utf8CString.dropLast()) + [0x2F, -23, 0]
        try #require(mkdir(name, 0o700) == 0)
        defer { rmdir(name) }
        let error = layout.refusal()
        #expect(error?.what.contains("holds a file whose name is not UTF-8") == true)
    }

    @Test func foldersWithoutClassesAndMissingFoldersAreErrors() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.write("readme.txt", "nothing here")
        #expect(layout.refusal()?.what.contains("is not a set of images") == true)
        #expect(layout.refusal(format: .folder)?.what.contains("no class folders") == true)
        #expect(layout.refusal("nowhere")?.what.contains("does not exist") == true)
    }

    @Test(.enabled(if: TestData.has("clothing"), "needs the real images: clothing"))
    func realPhotographs() throws {
        let chosen = try DatasetCollection.open(TestData.path("clothing")).select()
        #expect(chosen.train.classes.count == 10 && chosen.test?.count == 713)
        #expect(chosen.train.count + (chosen.validation?.count ?? 0) == 1000)
        #expect(chosen.validation?.histogram.min() ?? 0 >= 1)
    }
}

@Suite struct VTABLayoutTests {
    private func layout(test: String = "images/a b.png 1\n") throws -> Layout {
        let layout = try Layout()
        for name in ["a b", "c", "d"] { try layout.image("images/\(name).png") }
        try layout.write("train800val200.txt", "images/c.png 0\r\nimages/d.png 1\r\n")
        try layout.write("train800.txt", "images/c.png 0\n")
        try layout.write("val200.txt", "images/d.png 1\n")
        try layout.write("test.txt", test)
        return layout
    }

    @Test func listsAreRead() throws {
        let folder = try layout()
        defer { folder.keep() }
        let set = try DatasetCollection.open(folder.path)
        #expect(set.format == .vtab && set.classes == ["0", "1"])
        #expect(set.splits.map(\.name) == ["train800val200", "train800", "val200", "test"])
    }

    @Test func defaultsAreThoseOfTheBenchmark() throws {
        let folder = try layout()
        defer { folder.keep() }
        let set = try DatasetCollection.open(folder.path)
        let whole = try set.select()
        #expect(whole.train.name == "train800val200" && whole.validation == nil && whole.test?.count == 1)
        let chosen = try set.select(SplitOptions(train: "train800"))
        #expect(chosen.validation?.name == "val200" && chosen.test?.name == "test")
        let onTest = try set.select(SplitOptions(validation: "test"))
        #expect(onTest.test == nil && onTest.notes.contains { $0.contains("chosen on it") })
        #expect(folder.refusal(options: SplitOptions(train: "trian"))?.found == "trian")
        #expect(
            folder.refusal(options: SplitOptions(validation: "val200", test: "val200"))?.what.contains("both") == true)
    }

    @Test func listsUnderPlainNamesAreSplitsLikeAnyOther() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for i in 0..<8 { try layout.image("\(i).png") }
        try layout.write("train.txt", (0..<6).map { "\($0).png \($0 % 2)\n" }.joined())
        try layout.write("test.txt", "6.png 0\n")
        let divided = try DatasetCollection.open(layout.path).select()
        #expect(divided.train.count == 4 && divided.validation?.count == 2 && divided.notes.count == 1)
        try layout.write("val.txt", "7.png 1\n")
        let chosen = try DatasetCollection.open(layout.path).select()
        #expect(chosen.train.count == 6 && chosen.validation?.name == "val" && chosen.test?.count == 1)
    }

    @Test func classNamesComeFromTheirFile() throws {
        let folder = try layout()
        defer { folder.keep() }
        try folder.write("classes.json", #"{"classes": ["no", "yes"], "note": "x"}"#)
        #expect(try DatasetCollection.open(folder.path).classes == ["no", "yes"])
        try folder.write("classes.json", #"{"classes": ["only"]}"#)
        let error = folder.refusal()
        #expect(error?.what.contains("train800val200.txt, line 2: label out of range") == true)
        #expect(error?.expected == "0 to 0" && error?.found == "1")
        try folder.write("classes.json", "[]")
        #expect(folder.refusal()?.what.contains("classes.json") == true)
    }

    @Test(arguments: [
        ("images/c.png\n", "test.txt, line 1: no label"),
        ("images/c.png 0\nimages/d.png cat\n", "test.txt, line 2: the label is no whole number"),
        ("images/c.png 20000\n", "test.txt, line 1: label out of range"),
        ("images/c.png 0\n\nimages/d.png -1\n", "test.txt, line 3: label out of range"),
        ("images/c.png 0\nimages/none.png 1\n", "images/none.png (line 2 of"),
        ("", "test.txt lists no images"),
    ])
    func mistakesAreNamedWithTheirLine(list: String, message: String) throws {
        let folder = try layout(test: list)
        defer { folder.keep() }
        let error = folder.refusal()
        #expect(error?.what.contains(message) == true, "\(String(describing: error))")
    }

    @Test func missingFilesCanBeLeftToTheLoader() throws {
        let folder = try layout(test: "images/c.png 0\nimages/none.png 1\n")
        defer { folder.keep() }
        #expect(folder.refusal()?.what.contains("images/none.png (line 2 of") == true)
        let set = try DatasetCollection.open(folder.path).select(SplitOptions(requiresFiles: false))
        let test = try #require(set.test)
        let pipeline = Pipeline(width: 2, height: 2, mean: [0, 0, 0], deviation: [1, 1, 1])
        let loader = ImageLoader(test, batchSize: 2, pipeline: pipeline, skipBadImages: true)
        #expect(try loader.next()?.indices == [0])
        #expect(loader.skipped.first?.error.what.contains("images/none.png (line 2 of") == true)
    }

    @Test func classesWithoutATrainingImageAreNoted() throws {
        let folder = try layout(test: "images/c.png 7\n")
        defer { folder.keep() }
        let notes = try DatasetCollection.open(folder.path).select().notes
        #expect(
            notes.contains {
                $0.hasPrefix("6 of 8 classes without a training image") && $0.hasSuffix("2, 3, 4, 5, 6, ...")
            })
    }

    @Test func tooManyClassNamesAreRefused() throws {
        let folder = try layout()
        defer { folder.keep() }
        let names = (0...20_000).map { "\"c\($0)\"" }.joined(separator: ",")
        try folder.write("classes.json", "{\"classes\": [\(names)]}")
        #expect(folder.refusal()?.what.contains("classes.json has too many classes") == true)
    }

    @Test(
        .enabled(if: TestData.has("vtab"), "needs the real images: vtab"),
        arguments: [("signdigits", 10), ("gtsrb", 43), ("pneumonia", 2), ("coil20_azimuth", 18)])
    func realSets(name: String, classes: Int) throws {
        let chosen = try DatasetCollection.open(TestData.path("vtab/" + name)).select()
        #expect(chosen.train.count == 1000 && chosen.train.classes.count == classes && chosen.test != nil)
    }
}

@Suite struct CIFARLayoutTests {
    /// Records whose planes are flat: red 10, green 20, blue 30.
    private func records(_ labels: [[UInt8]]) -> Data {
        var data = Data()
        for label in labels {
            data += Data(label)
            for value: UInt8 in [10, 20, 30] { data += Data(repeating: value, count: 1024) }
        }
        return data
    }

    @Test func fineLabelsAndPlanes() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.write("train.bin", records([[3, 99], [0, 7]]))
        try layout.write("test.bin", records([[3, 5]]))
        let set = try DatasetCollection.open(layout.path)
        #expect(set.format == .cifar && set.classes.count == 100 && set.notes.count == 1)
        let train = try #require(set.split("train"))
        #expect(train.items.map(\.label) == [99, 7])
        let image = try train.items[1].image(decoder: ImageDecoder())
        #expect(image.width == 32 && Array(image.pixels.prefix(6)) == [10, 20, 30, 10, 20, 30])
    }

    @Test func tenClassesInFiveBatches() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for i in 1...5 {
            try layout.write("cifar-10-batches-bin/data_batch_\(i).bin", records([[UInt8(i)], [UInt8(i)]]))
        }
        try layout.write("cifar-10-batches-bin/test_batch.bin", records([[9]]))
        try layout.write("cifar-10-batches-bin/batches.meta.txt", (0..<10).map { "name\($0)\n" }.joined() + "\n")
        let set = try DatasetCollection.open(layout.path)
        #expect(set.classes.first == "name0" && set.split("train")?.count == 10 && set.split("test")?.count == 1)
        let chosen = try set.select()
        #expect(chosen.train.count == 5 && chosen.validation?.count == 5 && chosen.notes.count == 2)
        #expect(chosen.notes.last?.hasSuffix(": name0, name6, name7, name8, name9") == true)
    }

    @Test func cutFilesAndWrongLabelsAreNamed() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.write("train.bin", records([[3, 99], [0, 7]]).dropLast())
        #expect(layout.refusal()?.found == "6147 bytes")
        try layout.write("train.bin", records([[3, 99], [0, 100]]))
        #expect(layout.refusal()?.what.contains("train.bin#1: label out of range") == true)
        try layout.write("train.bin", records([[3, 99]]))
        try layout.write("fine_label_names.txt", "apple\nbear\n")
        #expect(layout.refusal()?.what.contains("fine_label_names.txt") == true)
    }

    @Test(.enabled(if: TestData.has("cifar-100-binary"), "needs the real images: cifar-100-binary"))
    func realSet() throws {
        let set = try DatasetCollection.open(TestData.path("cifar-100-binary"))
        #expect(set.classes.first == "apple" && set.classes.last == "worm")
        #expect(set.split("train")?.histogram == [Int](repeating: 200, count: 100))
        #expect(set.split("test")?.histogram == [Int](repeating: 20, count: 100))
    }
}

@Suite struct CSVLayoutTests {
    @Test func namesAndSplits() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for name in ["1", "2", "3, 4"] { try layout.image("pictures/\(name).png") }
        try layout.write(
            "labels.csv",
            "Path,Label,Split\npictures/1.png,wolf,train\n\"pictures/3, 4.png\",fox,train\npictures/2.png,fox,test\n")
        let set = try DatasetCollection.open(layout.path)
        #expect(set.format == .csv && set.classes == ["fox", "wolf"])
        #expect(set.split("train")?.items.map(\.label) == [1, 0] && set.split("test")?.count == 1)
        #expect(set.split("train")?.items[1].name.hasSuffix("pictures/3, 4.png") == true)
        #expect(try DatasetCollection.open(layout.folder.file("labels.csv")).splits.count == 2)
    }

    @Test func numbersAreLabels() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for i in 0..<12 { try layout.image("\(i).png") }
        try layout.write(
            "set.csv", "file,class\n" + (0..<12).map { "\($0).png,\($0 % 3 == 0 ? 10 : 2)\n" }.joined())
        let set = try DatasetCollection.open(layout.folder.file("set.csv"))
        #expect(set.classes == (0...10).map(String.init) && set.splits[0].histogram[10] == 4)
    }

    @Test func oneListForEachSplit() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for name in ["a", "b", "c"] { try layout.image("\(name).png") }
        try layout.write("train.csv", "path,label\na.png,x\nb.png,y\n")
        try layout.write("test.csv", "path,label\nc.png,y\n")
        let set = try DatasetCollection.open(layout.path)
        #expect(set.splits.map(\.name).sorted() == ["test", "train"] && set.split("test")?.items[0].label == 1)
    }

    @Test func mistakesAreNamedWithTheirLine() throws {
        let layout = try Layout()
        defer { layout.keep() }
        try layout.image("a.png")
        try layout.write("set.csv", "one,two\na.png,1\n")
        #expect(layout.refusal("set.csv")?.found == "one,two")
        #expect(layout.refusal("set.csv")?.remedy == "add a first line path,label")
        try layout.write("set.csv", "path,label\na.png,20000\n")
        #expect(layout.refusal("set.csv")?.what.contains("line 2: label out of range") == true)
        try layout.write("set.csv", "path,label\n" + (0...20_000).map { "a.png,c\($0)\n" }.joined())
        #expect(layout.refusal("set.csv")?.what.contains("too many classes") == true)
        try layout.write("set.csv", "path,label\na.png,1\nnone.png,1\n")
        #expect(layout.refusal("set.csv")?.what.contains("none.png (line 3 of") == true)
        try layout.write("set.csv", "path,label\na.png,\n")
        #expect(layout.refusal("set.csv")?.what.contains("line 2: no label") == true)
        try layout.write("set.csv", "path,label\na.png,-4\n")
        #expect(layout.refusal("set.csv")?.what.contains("line 2: label out of range") == true)
        try layout.write("set.csv", "path,label\n")
        #expect(layout.refusal("set.csv")?.what.contains("lists no images") == true)
    }
}

@Suite struct SelectionTests {
    private func flat(_ counts: [Int]) throws -> Layout {
        let layout = try Layout()
        for (label, count) in counts.enumerated() {
            for i in 0..<count { try layout.image("class\(label)/\(i).png") }
        }
        return layout
    }

    @Test func flatFoldersAreDividedEvenly() throws {
        let layout = try flat([40, 20, 3])
        defer { layout.keep() }
        let set = try DatasetCollection.open(layout.path)
        let chosen = try set.select()
        #expect(chosen.test?.histogram == [4, 2, 1])
        #expect(chosen.validation?.histogram == [4, 2, 1] && chosen.train.histogram == [32, 16, 1])
        #expect(chosen.notes.count == 2 && chosen.notes[0].contains("seed 0"))
        let names = [chosen.train, chosen.validation!, chosen.test!].flatMap { $0.items.map(\.name) }
        #expect(Set(names).count == 63)
    }

    @Test func theSeedDecides() throws {
        let layout = try flat([30, 30])
        defer { layout.keep() }
        let set = try DatasetCollection.open(layout.path)
        func names(_ seed: UInt64) throws -> [String] {
            try set.select(SplitOptions(seed: seed)).validation!.items.map(\.name)
        }
        #expect(try names(1) == names(1))
        #expect(try names(1) != names(2))
    }

    @Test func partsCanBeDeclined() throws {
        let layout = try flat([10, 10])
        defer { layout.keep() }
        let chosen = try DatasetCollection.open(layout.path).select(SplitOptions(validation: "none", test: "none"))
        #expect(chosen.train.count == 20 && chosen.validation == nil && chosen.test == nil)
        #expect(layout.refusal(options: SplitOptions(validationFraction: 1))?.what.contains("--val-fraction") == true)
    }

    @Test func aSummaryCounts() throws {
        let layout = try flat([3, 1])
        defer { layout.keep() }
        #expect(try DatasetCollection.open(layout.path).splits[0].summary == "4 images, 2 classes, 1 to 3 per class")
    }

    @Test func orientedPhotographsAreCounted() throws {
        let layout = try Layout()
        defer { layout.keep() }
        for i in 1...8 { try layout.write("a/\(i).jpg", Data(ImageGoldens.bytes("orientation\(i).jpg"))) }
        #expect(try DatasetCollection.open(layout.path).splits[0].orientedCount() == 7)
    }
}
