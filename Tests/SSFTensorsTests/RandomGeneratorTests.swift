import SSFTensors
import Testing

@Suite struct RandomGeneratorTests {
    /// The first outputs of SplitMix64 for the seed 1234567, as its authors' program gives them.
    @Test func streamIsSplitMix64() {
        var random = RandomGenerator(seed: 1_234_567)
        let seen = (0..<5).map { _ in random.next() }
        #expect(
            seen == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func streamsOfOneSeedDiffer() {
        var firsts: Set<UInt64> = []
        for stream in ["init", "order", "augment"] {
            for index in 0..<50 as Range<UInt64> {
                var random = RandomGenerator(seed: 0, stream: stream, index: index)
                firsts.insert(random.next())
            }
        }
        #expect(firsts.count == 150)
    }

    @Test func normalHasItsMoments() {
        var random = RandomGenerator(seed: 7)
        let values = (0..<100_000).map { _ in random.normal() }
        let mean = values.reduce(0, +) / 100_000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
        let fourth = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) } / 100_000
        // Four standard errors each: 1, sqrt 2 and sqrt 96 over the square root of the count.
        #expect(abs(mean) < 0.0127)
        #expect(abs(variance - 1) < 0.0179)
        #expect(abs(fourth - 3) < 0.124)
    }

    @Test func uniformStaysInItsRange() {
        var random = RandomGenerator(seed: 8)
        for _ in 0..<10_000 {
            let value = random.uniform(-2..<3)
            #expect(value >= -2 && value < 3)
        }
    }

    @Test func truncatedNormalStaysWithinTwo() {
        var random = RandomGenerator(seed: 9)
        let values = (0..<20_000).map { _ in random.truncatedNormal(deviation: 1.5) }
        #expect(values.allSatisfy { abs($0) <= 2 })
        #expect(values.contains { abs($0) > 1.9 })
    }

    @Test func permutationHoldsEveryIndexOnceAndEveryOrder() {
        var random = RandomGenerator(seed: 10)
        #expect(random.permutation(0).isEmpty)
        #expect(random.permutation(1) == [0])
        #expect(random.permutation(1000).sorted() == Array(0..<1000))
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[random.permutation(3), default: 0] += 1 }
        // Six orders of 1,000 expected draws each; 29 is a standard deviation.
        #expect(counts.count == 6)
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 150 })
    }
}
