/// Resizes 8-bit RGB images with antialias, to the byte as Pillow does.
///
/// Pillow's algorithm (`libImaging/Resample.c`): the filter is stretched by the scale when shrinking; weights are
/// normalised in double precision and rounded to 22 fractional bits; rows first, rounded to 8 bits, then columns.
///
/// An object keeps its scratch memory from image to image, so that each thread should have one of its own.
package final class Resampler {
    private static let precisionBits: Int32 = 22
    private static let half: Int32 = 1 << 21

    private var horizontal = AxisWeights()
    private var vertical = AxisWeights()
    private var rows: [UInt8] = []
    private var sums: [Int32] = []

    package init() {}

    /// Resizes `source` to `width` x `height` and writes the part of the result that `window` names, row after row
    /// without gaps; the whole result if there is no window.
    ///
    /// - Precondition: the window lies inside the result; `target` has room for it and is not part of the source.
    package func resize(
        _ source: PixelView, width: Int, height: Int, filter: Interpolation, window: PixelBox? = nil,
        into target: UnsafeMutablePointer<UInt8>
    ) {
        let window = window ?? PixelBox(x: 0, y: 0, width: width, height: height)
        precondition(window.x >= 0 && window.y >= 0 && window.width > 0 && window.height > 0)
        precondition(window.x + window.width <= width && window.y + window.height <= height)
        // An axis whose size does not change is left alone, as in Pillow: no filter, no rounding.
        let resizesColumns = width != source.width
        let resizesRows = height != source.height

        var view = source
        var rowsNeeded = window.y..<(window.y + window.height)
        if resizesRows {
            vertical.compute(source: source.height, target: height, range: rowsNeeded, filter: filter)
            rowsNeeded = vertical.sourceRange
        }
        view = view.cropped(
            to: PixelBox(x: 0, y: rowsNeeded.lowerBound, width: view.width, height: rowsNeeded.count))
        if !resizesColumns {
            view = view.cropped(to: PixelBox(x: window.x, y: 0, width: window.width, height: view.height))
        } else {
            horizontal.compute(
                source: source.width, target: width, range: window.x..<(window.x + window.width), filter: filter)
        }

        switch (resizesColumns, resizesRows) {
        case (false, false): copy(view, into: target)
        case (true, false): filterRows(view, into: target)
        case (false, true): filterColumns(view, into: target)
        case (true, true):
            let byteCount = window.width * view.height * 3
            if rows.count < byteCount { rows = [UInt8](repeating: 0, count: byteCount) }
            rows.withUnsafeMutableBufferPointer { buffer in
                let base = buffer.baseAddress!
                filterRows(view, into: base)
                filterColumns(
                    PixelView(
                        base: UnsafePointer(base), width: window.width, height: view.height,
                        rowStride: window.width * 3),
                    into: target)
            }
        }
    }

    /// Resizes a whole image.
    package func resize(_ image: RGBImage, width: Int, height: Int, filter: Interpolation) -> RGBImage {
        image.withView { view in
            RGBImage(width: width, height: height) {
                resize(view, width: width, height: height, filter: filter, into: $0)
            }
        }
    }

    private func copy(_ view: PixelView, into target: UnsafeMutablePointer<UInt8>) {
        for y in 0..<view.height {
            (target + y * view.width * 3).update(from: view.base + y * view.rowStride, count: view.width * 3)
        }
    }

    /// Every row of `view` through the horizontal weights.
    private func filterRows(_ view: PixelView, into target: UnsafeMutablePointer<UInt8>) {
        let width = horizontal.starts.count
        let taps = horizontal.taps
        horizontal.starts.withUnsafeBufferPointer { starts in
            horizontal.counts.withUnsafeBufferPointer { counts in
                horizontal.weights.withUnsafeBufferPointer { weights in
                    for y in 0..<view.height {
                        let row = view.base + y * view.rowStride
                        var out = target + y * width * 3
                        for x in 0..<width {
                            var pixel = row + starts[x] * 3
                            var weight = weights.baseAddress! + x * taps
                            var red = Resampler.half
                            var green = Resampler.half
                            var blue = Resampler.half
                            for _ in 0..<counts[x] {
                                red &+= Int32(pixel[0]) &* weight.pointee
                                green &+= Int32(pixel[1]) &* weight.pointee
                                blue &+= Int32(pixel[2]) &* weight.pointee
                                pixel += 3
                                weight += 1
                            }
                            out[0] = Resampler.clip(red)
                            out[1] = Resampler.clip(green)
                            out[2] = Resampler.clip(blue)
                            out += 3
                        }
                    }
                }
            }
        }
    }

    /// Every column of `view` through the vertical weights; its first row is the first one that they need.
    private func filterColumns(_ view: PixelView, into target: UnsafeMutablePointer<UInt8>) {
        let rowBytes = view.width * 3
        if sums.count < rowBytes { sums = [Int32](repeating: 0, count: rowBytes) }
        let first = vertical.sourceRange.lowerBound
        sums.withUnsafeMutableBufferPointer { buffer in
            let sums = buffer.baseAddress!
            for y in 0..<vertical.starts.count {
                sums.update(repeating: Resampler.half, count: rowBytes)
                for tap in 0..<vertical.counts[y] {
                    let weight = vertical.weights[y * vertical.taps + tap]
                    let row = view.base + (vertical.starts[y] - first + tap) * view.rowStride
                    for x in 0..<rowBytes { sums[x] &+= Int32(row[x]) &* weight }
                }
                let out = target + y * rowBytes
                for x in 0..<rowBytes { out[x] = Resampler.clip(sums[x]) }
            }
        }
    }

    @inline(__always)
    private static func clip(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: max(0, min(255, sum >> precisionBits)))
    }
}

/// The weights of one axis: which source pixels make each target pixel, and how much of each.
private struct AxisWeights {
    /// Room for the weights of one target pixel.
    private(set) var taps = 0
    /// First source pixel of each target pixel.
    private(set) var starts: [Int] = []
    /// Number of source pixels of each target pixel.
    private(set) var counts: [Int] = []
    /// `taps` fixed-point weights for each target pixel.
    private(set) var weights: [Int32] = []
    /// Every source pixel that any target pixel needs.
    private(set) var sourceRange = 0..<0

    /// Computes the weights of target pixels `range` (`precompute_coeffs` and `normalize_coeffs_8bpc` of Pillow).
    mutating func compute(source: Int, target: Int, range: Range<Int>, filter: Interpolation) {
        let scale = Double(source) / Double(target)
        let filterScale = max(scale, 1)
        let support = filter.support * filterScale
        let inverse = 1 / filterScale
        taps = Int(support.rounded(.up)) * 2 + 1
        starts.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        var lowest = source
        var highest = 0
        var row = [Double](repeating: 0, count: taps)
        for x in range {
            let center = (Double(x) + 0.5) * scale
            let start = max(0, Int(center - support + 0.5))
            let end = min(source, Int(center + support + 0.5))
            let count = end - start
            var total = 0.0
            for i in 0..<count {
                row[i] = filter.weight((Double(i + start) - center + 0.5) * inverse)
                total += row[i]
            }
            for i in 0..<taps {
                guard i < count else {
                    weights.append(0)
                    continue
                }
                let weight = total != 0 ? row[i] / total : row[i]
                weights.append(Int32((weight < 0 ? -0.5 : 0.5) + weight * 4_194_304))
            }
            starts.append(start)
            counts.append(count)
            lowest = min(lowest, start)
            highest = max(highest, end)
        }
        sourceRange = lowest..<highest
    }
}
