import SSFAnalysis
import SSFKernels
import Testing

@Suite("What kernels cost") struct KernelCatalogTests {
    /// Worked out by hand from the shapes.
    private static let expected: [(name: String, flops: Int, bytes: Int)] = [
        // 2 * 3152 * 2304 * 768; 4 * (3152 * 768 + 768 * 2304 + 3152 * 2304 + 2304)
        ("gemm.qkv", 11_154_751_488, 45_818_880),
        // The same, with W in two bytes a number
        ("gemm.bf16.qkv", 11_154_751_488, 42_279_936),
        ("gemm.one-image", 232_390_656, 3_572_736),
        // dy, x and dW, without a bias
        ("gemm.dW", 14_873_001_984, 57_851_904),
        // 8 * 3152 * 768; 4 * (2 * 3152 * 768 + 2 * 768 + 2 * 3152)
        ("layernorm.forward", 19_365_888, 19_397_248),
        ("layernorm.backward", 31_469_568, 29_089_408),
        ("softmax.forward", 104_318_592, 59_610_624),
        ("softmax.backward", 29_805_312, 89_415_936),
        ("gelu.forward", 193_658_880, 77_463_552),
        ("gelu.backward", 222_707_712, 116_195_328),
        // 4 * 16 * 12 * 197 * 197 * 64; q, k, v, the result and one number for each row and head
        ("attention.forward", 1_907_539_968, 38_883_072),
        // q, k, v, dy and the gradients of the first three, and that number
        ("attention.backward", 4_768_849_920, 67_931_904),
        ("adamw", 106_168_320, 198_180_864), ("sgd", 63_700_992, 141_557_760),
    ]

    @Test("Operations and bytes are exact", arguments: expected.indices)
    func counts(index: Int) throws {
        let expected = Self.expected[index]
        let kernel = try #require(KernelCatalog.all.first { $0.name == expected.name })
        #expect(kernel.flops == expected.flops)
        #expect(kernel.bytes == expected.bytes)
        #expect(kernel.intensity == Double(expected.flops) / Double(expected.bytes))
    }

    @Test("Names are different, and every family is there")
    func names() {
        #expect(Set(KernelCatalog.all.map(\.name)).count == KernelCatalog.all.count)
        #expect(Set(KernelCatalog.all.map(\.family)) == Set(KernelCase.Family.allCases))
    }

    @Test("A pattern is a part of a name, or the whole of it with stars")
    func patterns() {
        #expect(KernelCatalog.matching("backward").count == 4)
        #expect(KernelCatalog.matching("*.backward").count == 4)
        #expect(KernelCatalog.matching("GELU").map(\.name) == ["gelu.forward", "gelu.backward"])
        #expect(KernelCatalog.matching("s*x.f*d").map(\.name) == ["softmax.forward"])
        #expect(KernelCatalog.matching("*").count == KernelCatalog.all.count)
        #expect(KernelCatalog.matching("backward*").isEmpty)
        #expect(KernelCatalog.matching("sofmax").isEmpty)
        #expect(KernelCatalog.matches("aXbXc", "a*c") && !KernelCatalog.matches("ab", "ab*b"))
    }
}
