import SSFAnalysis
import SSFTensors
import SSFTestSupport
import Testing

/// Histograms against numpy's, distances and divergences against scipy's.
@Suite struct WeightDistanceTests {
    static let cases = ["scaled", "moved", "same", "apart", "ties", "one"]
    private static let goldens = Result { try Goldens.tensors("weights/distances.safetensors") }

    /// A number that stands as two.
    private func number(_ tensor: Tensor) -> Double { tensor.values.reduce(0) { $0 + Double($1) } }

    @Test(arguments: cases)
    func distanceEqualsScipy(_ name: String) throws {
        let golden = try Self.goldens.get()
        let (before, after) = (golden["\(name).before"]!, golden["\(name).after"]!)
        let expected = number(golden["\(name).wasserstein"]!)
        let seen = WassersteinDistance.between([before], [after])
        #expect(abs(seen - expected) <= 1e-12 * max(expected, 1), "\(seen), scipy \(expected)")
        #expect(WassersteinDistance.between([after], [before]) == seen)
        // In parts, as where there is more than fits at once, and over several tensors.
        let half = after.count / 2
        let pieces = [after.rows(0..<half), after.rows(half..<after.count)].filter { $0.count > 0 }
        for limit in [1, 7, 500] {
            let parted = WassersteinDistance.between([before], pieces, numbersAtOnce: limit)
            #expect(abs(parted - seen) <= 1e-12 * max(seen, 1), "at most \(limit) at once: \(parted), not \(seen)")
        }
    }

    @Test(arguments: cases)
    func histogramEqualsNumpy(_ name: String) throws {
        let golden = try Self.goldens.get()
        let bounds = golden["\(name).bounds"]!.values.map(Double.init)
        let edges = golden["\(name).edges"]!.values
        let bins = HistogramBins(lower: bounds[0], upper: bounds[1], count: edges.count - 1)
        for (seen, expected) in zip(bins.edges, edges) { #expect(Float(seen) == expected) }
        func histogram(_ kind: String) -> Histogram {
            let values = golden["\(name).\(kind)"]!
            let histogram = Histogram(bins, of: [values])
            let seen = [histogram.below] + histogram.counts + [histogram.above]
            let expected = whole(golden["\(name).counts.\(kind)"]!)
            #expect(seen.elementsEqual(expected), "\(kind): \(seen), numpy \(expected)")
            #expect(histogram.total == values.count)
            return histogram
        }
        func whole(_ tensor: Tensor) -> [Int] {
            withExtendedLifetime(tensor) { tensor.bytes.bindMemory(to: Int32.self).map(Int.init) }
        }
        let divergence = histogram("after").divergence(from: histogram("before"), smoothing: 0.5)
        let expected = number(golden["\(name).divergence"]!)
        #expect(abs(divergence - expected) <= 1e-12 * max(expected, 1), "\(divergence), scipy \(expected)")
    }

    @Test func densityHasAnAreaOfOneWithWhatLiesOutside() {
        let values = Tensor([-3, 0.1, 0.2, 0.9, 5], shape: [5])
        let histogram = Histogram(HistogramBins(lower: 0, upper: 1, count: 4), of: [values])
        #expect(histogram.counts == [2, 0, 0, 1] && histogram.below == 1 && histogram.above == 1)
        #expect(histogram.density == [1.6, 0, 0, 0.8])
    }
}
