import SSFTensors

extension VisionTransformer {
    /// Widths, blocks and heads by the size in timm's names.
    private static let sizes: [(name: String, width: Int, depth: Int, heads: Int)] = [
        ("tiny", 192, 12, 3), ("small", 384, 12, 6), ("base", 768, 12, 12), ("large", 1024, 24, 16),
        ("huge", 1280, 32, 16),
    ]

    /// The plain vision transformer of a timm name, such as `vit_base_patch16_224`, without weights: any patch size and
    /// image size that go together.
    ///
    /// - Throws: `UserError` for other names.
    public init(timmName name: String) throws {
        func refuse(_ found: String) -> UserError {
            UserError(
                "\(name) names no vision transformer that is known here",
                expected: "vit_SIZE_patchP_S with SIZE one of \(Self.sizes.map(\.name).joined(separator: ", ")), "
                    + "P and S in pixels", found: found, remedy: "vit_base_patch16_224, for example")
        }
        let parts = name.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "vit" || parts[0] == "deit", parts[2].hasPrefix("patch") else {
            throw refuse(name)
        }
        guard let size = Self.sizes.first(where: { $0.name == parts[1] }) else { throw refuse("the size \(parts[1])") }
        guard let patch = Int(parts[2].dropFirst("patch".count)), (1...256).contains(patch),
            let image = Int(parts[3]), (1...4096).contains(image)
        else { throw refuse("\(parts[2]) and \(parts[3])") }
        guard image % patch == 0 else {
            throw UserError(
                "\(name): the image does not divide into patches", expected: "a multiple of \(patch)", found: "\(image)"
            )
        }
        self.init(
            Configuration(
                width: size.width, depth: size.depth, heads: size.heads, patchSize: patch, imageHeight: image,
                imageWidth: image))
    }
}
