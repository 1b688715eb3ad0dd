import SSFCommands
import SSFTraining
import Testing

@Suite("The learning rate, as it is or from that of another batch size")
struct PeakRateTests {
    private func resolver(file: String = "", resumed: String? = nil) throws -> SettingResolver {
        func settings(_ text: String) throws -> SettingsFile {
            try SettingsFile(text: text, path: "run.yaml", known: TrainSettings.keys)
        }
        return SettingResolver(file: try settings(file), resumed: try resumed.map(settings))
    }

    private func peak(
        _ flags: [String] = [], file: String = "", resumed: String? = nil, _ optimizer: OptimizerChoice = .sgd,
        images: Int = 64
    ) throws -> PeakRate {
        try PeakRate.resolve(
            try OptimizationOptions.parse(flags), try resolver(file: file, resumed: resumed), images: images,
            optimizer: optimizer, standard: 0.005)
    }

    @Test("SGD follows the ratio of the batches, AdamW its root, as timm does; either can be asked for")
    func scales() throws {
        #expect(try peak(["--lr-base", "0.1"]).rate == 0.025)
        #expect(try peak(["--lr-base", "0.1"], .adamw).rate == 0.05)
        #expect(try peak(["--lr-base", "0.1", "--lr-base-scale", "linear"], .adamw).rate == 0.025)
        #expect(try peak(["--lr-base", "0.1", "--lr-base-size", "32"]).rate == 0.2)
        let note = try #require(try peak(["--lr-base", "0.1"], images: 128).note)
        #expect(note.contains("0.1 for 256 images comes to 0.05 for the 128"))
        // Where nobody says anything, AdamW has the rate of the method and SGD timm's.
        #expect(try peak([], .adamw).rate == 0.005)
        #expect(try peak([], .adamw).note == nil)
        #expect(try peak().rate == 0.025)
    }

    @Test("What is stated with more weight wins; both in one place are refused")
    func precedence() throws {
        #expect(try peak(["--lr", "0.5"], file: "lr-base: 0.1\nlr-base-size: 512").rate == 0.5)
        #expect(try peak(["--lr-base", "0.1"], file: "lr: 0.5").rate == 0.025)
        #expect(try peak(file: "lr_base: 0.1", resumed: "lr: 0.5").rate == 0.025)
        #expect(try peak(file: "lr: 0.5", resumed: "lr-base: 0.1\nlr-base-size: 256").rate == 0.5)
        for body in [
            { _ = try peak(["--lr", "0.5", "--lr-base", "0.1"]) }, { _ = try peak(file: "lr: 0.5\nlr-base: 0.1") },
        ] {
            #expect { try body() } throws: { "\($0)".contains("lr and lr-base exclude each other") }
        }
    }

    @Test("What was resolved is resolved to the same again")
    func roundTrip() throws {
        let first = try resolver()
        let options = try OptimizationOptions.parse(["--lr-base", "0.1"])
        let rate = try PeakRate.resolve(options, first, images: 96, optimizer: .sgd, standard: 1).rate
        #expect(try peak(file: first.document, images: 96).rate == rate)
    }

    @Test("Numbers that cannot be used are refused")
    func refusals() {
        for (flags, text) in [
            (["--lr-base", "-1"], "--lr-base cannot be used"), (["--lr-base", "nan"], "--lr-base cannot be used"),
            (["--lr-base", "1", "--lr-base-size", "0"], "--lr-base-size cannot be used"),
            (["--lr-base", "1", "--lr-base-scale", "cubic"], "linear, sqrt"),
            (["--lr", "1", "--lr-base-size", "256"], "`lr-base-size` says nothing without lr-base"),
        ] {
            #expect { try peak(flags) } throws: { "\($0)".contains(text) }
        }
    }
}
