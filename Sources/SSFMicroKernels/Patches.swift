/// One row of patches of one image [channels, height, width]: `width / patchWidth` rows of
/// `channels * patchHeight * patchWidth` elements in the order (channel, y, x).
///
/// - Parameters:
///   - image: the first row of pixels of the patches, in the first channel.
///   - channelStride: elements from one channel to the next.
public func unfoldPatches(
    channels: Int, channelStride: Int, width: Int, patchHeight: Int, patchWidth: Int, image: UnsafePointer<Float>,
    rows: UnsafeMutablePointer<Float>
) {
    var y = rows
    for patch in 0..<width / patchWidth {
        for channel in 0..<channels {
            for line in 0..<patchHeight {
                let x = image + channel * channelStride + line * width + patch * patchWidth
                var i = 0
                while i < patchWidth {
                    let part = patchWidth - i < laneCount ? patchWidth - i : 0
                    store(load(x + i, part: part), y + i, part: part)
                    i += laneCount
                }
                y += patchWidth
            }
        }
    }
}
