import Linux
import Testing

@testable import SecureChannel

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

  @Test func `is said of each peer once a day, and of too many now and then`() {
    var notices = CertificateNotices()
    func pass(_ identity: String, seconds: Int64) -> UInt64? {
      notices.pass(identity, Moment(nanoseconds: seconds * 1_000_000_000))
    }
    let limit = CertificateNotices.limit
    for day in 0..<2 {
      let dawn = Int64(day) * Self.day
      for peer in 0..<limit { #expect(pass("\(peer)", seconds: dawn) == 0) }
      for peer in 0..<limit { #expect(pass("\(peer)", seconds: dawn + 60) == nil) }
      #expect(pass("more", seconds: dawn + 60) == 0)
      #expect(pass("and more", seconds: dawn + 61) == nil)
      #expect(pass("more", seconds: dawn + 62) == nil)
      #expect(pass("and more", seconds: dawn + 70) == 2)
    }
  }
}
