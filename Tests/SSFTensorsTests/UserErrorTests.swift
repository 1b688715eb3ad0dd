import SSFTensors
import Testing

struct UserErrorTests {
    @Test func rendersWhatIsThere() {
        #expect(UserError("a.png: this is not an image").description == "a.png: this is not an image")
        let error = UserError(
            "head.weight: the shape does not fit", expected: "[100, 768]", found: "[102, 768]",
            remedy: "pass\n--num-classes 102")
        #expect(
            "\(error)" == """
                head.weight: the shape does not fit
                  expected: [100, 768]
                  found:    [102, 768]
                  to mend:  pass
                            --num-classes 102
                """)
    }
}
