import SecureChannel
import Testing

@Suite("That what TLS rests on ends")
struct ValidityTests {
  private static let day: Int64 = 86_400

  @Test func `is said from thirty days before on, and when it has ended`() {
    let cases: [(seconds: Int64, text: String?)] = [
      (30 * Self.day, nil), (30 * Self.day - 1, "it ends in 29 days"),
      (2 * Self.day, "it ends in 2 days"), (2 * Self.day - 1, "it ends in 1 day"),
      (Self.day - 1, "it ends within a day"), (0, "it ends within a day"), (-1, "it has ended"),
      (-Self.day * 400, "it has ended"),
    ]
    for (seconds, text) in cases {
      #expect(Validity("it", left: .seconds(seconds)).warning == text, "\(seconds)")
    }
  }

  @Test func `is looked at daily, and right after the end`() {
    let cases: [(seconds: Int64, pause: Int64)] = [
      (400 * Self.day, Self.day), (Self.day, Self.day), (Self.day - 2, Self.day - 1), (0, 1),
      (-1, Self.day),
    ]
    for (seconds, pause) in cases {
      #expect(Validity("it", left: .seconds(seconds)).pause == .seconds(pause), "\(seconds)")
    }
  }
}
