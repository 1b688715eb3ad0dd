package enum Patches {
    package static func unfold(
        batch: Int, channels: Int, height: Int, width: Int, patchHeight: Int, patchWidth: Int,
        images: UnsafePointer<Float>, rows: UnsafeMutablePointer<Float>, table: KernelTable = .current
    ) {
        store(
            Reference.unfold(
                batch: batch, channels: channels, height: height, width: width, patchHeight: patchHeight,
                patchWidth: patchWidth, images: doubles(images, batch * channels * height * width)), rows)
    }
}
