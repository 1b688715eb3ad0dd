import SSFCommands
import SSFTensors
import SSFTraining
import Testing

@Suite("Settings: flags over file over defaults")
struct SettingTests {
    private let known = ["lr", "data", "method", "batch-size", "mean", "decay-all", "seed"]

    private func file(_ text: String) throws -> SettingsFile {
        try SettingsFile(text: text, path: "run.yaml", known: known)
    }

    private func error(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test("A flag wins over the file, the file over the resumed run, that over the default")
    func layers() throws {
        let resolver = SettingResolver(
            file: try file("lr: 1e-3\nbatch_size: 16\n"), resumed: try file("lr: 9.0\nseed: 7\nbatch-size: 4\n"))
        #expect(try resolver.value("lr", flag: 0.5, default: 2.0) == 0.5)
        #expect(try resolver.value("batch-size", flag: nil, default: 64) == 16)
        #expect(try resolver.value("seed", flag: nil, default: 0) == 7)
        #expect(try resolver.value("decay-all", flag: nil, default: false) == false)
        #expect(
            resolver.document == """
                lr: 0.5  # flag
                batch-size: 16  # file
                seed: 7  # resumed
                decay-all: false  # default

                """)
    }

    @Test("What was resolved reads back as the same values")
    func roundTrip() throws {
        let resolver = SettingResolver(file: nil)
        _ = try resolver.value("lr", flag: 5e-5, default: 0)
        _ = try resolver.value("data", flag: "a \"b\": #c\\d", default: "")
        _ = try resolver.value("mean", flag: [0.5, 0.25, 0.125], default: [])
        let again = try file(resolver.document)
        #expect(try again.value("lr", as: Double.self) == 5e-5)
        #expect(try again.value("data", as: String.self) == "a \"b\": #c\\d")
        #expect(try again.value("mean", as: [Double].self) == [0.5, 0.25, 0.125])
    }

    @Test("timm's spellings and aliases are understood, null means the default")
    func spellings() throws {
        let settings = try file("data_dir: here\ntuning-mode: ssf\ndecay_all: true\nlr: null\nseed:\n")
        #expect(try settings.value("data", as: String.self) == "here")
        #expect(try settings.value("method", as: String.self) == "ssf")
        #expect(try settings.value("decay-all", as: Bool.self) == true)
        #expect(try settings.value("lr", as: Double.self) == nil)
        #expect(try settings.value("seed", as: Int.self) == nil)
        #expect(try file("").entries.isEmpty)
    }

    @Test("An unknown key is refused with its line and the nearest one")
    func unknownKey() {
        let text = error { _ = try file("lr: 1\nbatch_szie: 3\n") }
        #expect(text.contains("run.yaml, line 2"))
        #expect(text.contains("`batch_szie`"))
        #expect(text.contains("`batch-size`"))
    }

    @Test("A wrong kind of value, a key set twice and text that is not a mapping are refused")
    func wrongValues() {
        #expect(error { _ = try file("lr: fast").value("lr", as: Double.self) }.contains("a number"))
        #expect(error { _ = try file("seed: 1.5").value("seed", as: Int.self) }.contains("a whole number"))
        #expect(error { _ = try file("data: a\ndata_dir: b\n") }.contains("set twice"))
        #expect(error { _ = try file("- a\n- b\n") }.contains("does not hold settings"))
        #expect(error { _ = try file("lr: [1\n") }.contains("not valid YAML"))
    }

    @Test("A choice names what there is and what was meant")
    func choice() throws {
        let resolver = SettingResolver(file: try file("method: stpe"))
        let text = error {
            _ = try resolver.choice("method", flag: nil, default: LearningRateSchedule.Unit.epoch)
        }
        #expect(text.contains("step, epoch"))
    }

    @Test(
        "The nearest word is found only where it is near",
        arguments: [
            ("epohcs", "epochs"), ("learning", nil), ("lrr", "lr"), ("batchsize", "batch-size"), ("x", nil),
        ])
    func suggestion(word: String, expected: String?) {
        #expect(Suggestion.nearest(to: word, among: ["epochs", "lr", "batch-size", "seed"]) == expected)
    }

    @Test(
        "Edits between words",
        arguments: [("", "abc", 3), ("abc", "", 3), ("abcd", "acbd", 1), ("kitten", "sitting", 3)])
    func distance(first: String, second: String, expected: Int) {
        #expect(Suggestion.distance(first, second) == expected)
    }
}
