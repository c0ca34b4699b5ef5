import Glibc
import Linux
import Testing

@testable import audispatch_integrity

@Suite("What the helper is asked, and says")
struct HelperWordsTests {
  private static let folder = AuditRule.Field.folder(Array("/watched".utf8))
  private static let key = AuditRule.Field.key(Array(IntegrityOptions.ownKey.utf8))
  private static let path = FilePath([0x2f, 0xff, 0x20, 0x0a])

  private static let requests: [HelperRequest] =
    HelperRequest.Extent.allCases.map { .mark(path, $0) } + [
      .watch, .rules, .losses, .fly(.root), .fly(path), .landed(path),
      .add(AuditRule(.exit, fields: [folder, .permissions(10), key])),
      .add(AuditRule(.uring, calls: [1, 70], fields: [folder, key])),
      .renew([
        AuditRule(.exit, fields: [folder, .permissions(10), key]),
        AuditRule(.uring, fields: [folder, key]),
      ]),
    ]

  private static let answers: [HelperAnswer] =
    CanarySteps.End.allCases.map { .landed($0) } + [0, 1, 2, .max].map { .rules(enabled: $0) } + [
      .losses(0), .losses(.max), .done, .failed(.invalidArgument), .rules(enabled: nil),
      .landed(nil), .begun, .ended(""),
      .ended("signal 9"),
    ]

  @Test func `comes back as it was sent`() {
    for (index, request) in Self.requests.enumerated() {
      let packet = request.packet(UInt32(index) << 24 | 7)
      #expect(HelperPacket(packet.bytes) == packet)
      #expect(HelperRequest(packet) == request)
      #expect(HelperAnswer(packet) == nil)
    }
    for answer in Self.answers {
      let packet = answer.packet(.max)
      #expect(HelperPacket(packet.bytes) == packet)
      #expect(HelperAnswer(packet) == answer)
      #expect(HelperRequest(packet) == nil)
    }
  }

  @Test func `is not understood where it is cut or makes no sense`() {
    for count in 0..<5 { #expect(HelperPacket([1, 2, 3, 4, 5].prefix(count)) == nil) }
    for kind in UInt8.min...UInt8.max where !(1...8).contains(kind) {
      #expect(HelperRequest(HelperPacket(kind: kind, number: 1)) == nil)
    }
    let rows: [(UInt8, [UInt8])] = [
      (1, [0]), (2, []), (2, [0]), (2, [2, 0x2f]), (2, [0, 0x61]), (2, [0, 0x2f, 0]), (3, [1]),
      (4, []), (4, [UInt8](repeating: 0, count: 2000)), (5, []), (5, [0x61]), (6, [0x2f, 0]),
      (7, [0]),
    ]
    for (kind, body) in rows {
      #expect(HelperRequest(HelperPacket(kind: kind, number: 1, body: body)) == nil, "\(kind)")
    }
    let answers: [(UInt8, [UInt8])] = [
      (64, []), (65, [1, 0, 0, 0]), (66, []), (66, [1]), (67, [1, 2]), (68, [99, 0, 0, 0]),
      (69, [1, 0, 0, 0]), (71, []),
    ]
    for (kind, body) in answers {
      #expect(HelperAnswer(HelperPacket(kind: kind, number: 1, body: body)) == nil, "\(kind)")
    }
  }

  @Test func `has no rule that hides something, or is another's`() {
    let others = [
      AuditRule(.exit, .never, fields: [Self.folder, Self.key]),
      AuditRule(.task, .never, fields: [Self.key]), AuditRule(.task, fields: [Self.key]),
      AuditRule(.exit, fields: [Self.folder]),
      AuditRule(.exit, fields: [Self.folder, .key(Array("other".utf8))]),
    ]
    for rule in others {
      for request in [HelperRequest.add(rule), .renew([rule])] {
        #expect(HelperRequest(request.packet(1)) == nil)
      }
    }
  }

  @Test func `a helper that ends again and again is started less and less often`() {
    var pause = HelperPause()
    let pauses = [0, 0, 59, 1, 0, 0, 0, 0, 60, 0].map { life in
      Int(pause.next(after: .seconds(life)) / .seconds(1))
    }
    #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 1, 2])
  }

  @Test func `a helper that hangs is not asked until it says something, or for a minute`() {
    var silence = HelperSilence()
    #expect(!silence.holds(at: .zero))
    silence.begin(at: .seconds(5))
    #expect(silence.holds(at: .seconds(64)) && !silence.holds(at: .seconds(65)))
    silence.end()
    #expect(!silence.holds(at: .seconds(6)))
  }

  @Test func `a file system that cannot be marked whole is not tried again for each folder`() {
    let rows: [(failure: Int32?, isMarked: Bool?)] = [
      (nil, true), (EXDEV, false), (ENODEV, false), (EOPNOTSUPP, false), (ETIMEDOUT, nil),
      (ECONNRESET, nil), (EAGAIN, nil), (ENOENT, nil),
    ]
    for (failure, isMarked) in rows {
      var devices = MarkedDevices()
      let noted = devices.note(7, failure.map { Errno($0) })
      #expect(noted == (failure == nil))
      #expect(devices.isMarked(7) == isMarked, "\(failure ?? 0)")
      #expect(devices.isMarked(8) == nil)
      devices.forgetRefusals()
      #expect(devices.isMarked(7) == (failure == nil ? true : nil))
    }
  }
}
