import Linux

/// A packet between the analyser and its helper: of a request the number of which the answer has
/// too, of a kind, and what belongs to it. Values, as they lie in the packet:
///
///     kind    1 byte
///     number  4 bytes, the lowest first; 0: nobody asked
///     body    the rest
struct HelperPacket: Equatable {
  var kind: UInt8
  var number: UInt32
  var body: [UInt8] = []

  var bytes: [UInt8] { [kind] + HelperNumber.bytes(number) + body }

  init(kind: UInt8, number: UInt32, body: [UInt8] = []) {
    self.kind = kind
    self.number = number
    self.body = body
  }

  init?(_ bytes: some Collection<UInt8>) {
    guard let kind = bytes.first, let number = HelperNumber(bytes.dropFirst().prefix(4)) else {
      return nil
    }
    self.init(kind: kind, number: number.value, body: Array(bytes.dropFirst(5)))
  }
}

/// What the analyser asks for.
enum HelperRequest: Equatable {
  enum Extent: UInt8, CaseIterable { case fileSystem, folder }

  /// A descriptor of fanotify.
  case watch
  /// To have the descriptor that comes with it tell of a folder, or of the file system it is on.
  case mark(FilePath, Extent)
  /// All of the kernel's audit rules, as a file, and whether audit is enabled.
  case rules
  case add(AuditRule)
  /// To have the canary fly in this root, and how it has landed there.
  case fly(FilePath)
  case landed(FilePath)
  /// How many records the kernel has lost.
  case losses
  /// To take rules away, as far as they are there, and add them again.
  case renew([AuditRule])

  func packet(_ number: UInt32) -> HelperPacket {
    switch self {
    case .watch: HelperPacket(kind: 1, number: number)
    case .mark(let path, let extent):
      HelperPacket(kind: 2, number: number, body: [extent.rawValue] + path.bytes)
    case .rules: HelperPacket(kind: 3, number: number)
    case .add(let rule):
      HelperPacket(kind: 4, number: number, body: rule.encoded(isFirst: true))
    case .fly(let root): HelperPacket(kind: 5, number: number, body: root.bytes)
    case .landed(let root): HelperPacket(kind: 6, number: number, body: root.bytes)
    case .losses: HelperPacket(kind: 7, number: number)
    case .renew(let rules):
      HelperPacket(
        kind: 8, number: number,
        body: rules.map { $0.encoded(isFirst: true) }.flatMap {
          HelperNumber.bytes(UInt32($0.count)) + $0
        })
    }
  }

  init?(_ packet: HelperPacket) {
    switch packet.kind {
    case 1 where packet.body.isEmpty: self = .watch
    case 2:
      guard let extent = packet.body.first.flatMap(Extent.init),
        let path = FilePath(sent: packet.body.dropFirst())
      else { return nil }
      self = .mark(path, extent)
    case 3 where packet.body.isEmpty: self = .rules
    case 4:
      // What would hide anything, or is none of ours, is not even understood.
      guard let rule = AuditRule(packet.body), rule.isOurs else { return nil }
      self = .add(rule)
    case 8:
      let rules = AuditRule.all(in: packet.body)
      guard !rules.isEmpty, rules.allSatisfy(\.isOurs) else { return nil }
      self = .renew(rules)
    case 5:
      guard let root = FilePath(sent: packet.body[...]) else { return nil }
      self = .fly(root)
    case 6:
      guard let root = FilePath(sent: packet.body[...]) else { return nil }
      self = .landed(root)
    case 7 where packet.body.isEmpty: self = .losses
    default: return nil
    }
  }
}

/// What the helper says.
enum HelperAnswer: Equatable {
  /// It is done; what was asked for comes with it.
  case done
  case failed(Errno)
  /// With the rules in a file: whether audit is enabled (0, 1, or 2 for locked), where that is known.
  case rules(enabled: UInt32?)
  /// `nil`: the canary flies.
  case landed(CanarySteps.End?)
  case losses(UInt32)
  /// Unasked: it is there, for the first time or again; it has ended, and how.
  case begun
  case ended(String)

  func packet(_ number: UInt32) -> HelperPacket {
    switch self {
    case .done: HelperPacket(kind: 65, number: number)
    case .failed(let errno):
      HelperPacket(
        kind: 66, number: number, body: HelperNumber.bytes(UInt32(bitPattern: errno.number)))
    case .rules(let enabled):
      HelperPacket(
        kind: 67, number: number, body: enabled.map(HelperNumber.bytes) ?? [])
    case .landed(let end):
      HelperPacket(
        kind: 68, number: number,
        body: end.map { HelperNumber.bytes(UInt32(bitPattern: $0.rawValue)) } ?? [])
    case .begun: HelperPacket(kind: 69, number: number)
    case .ended(let how): HelperPacket(kind: 70, number: number, body: Array(how.utf8))
    case .losses(let count):
      HelperPacket(kind: 71, number: number, body: HelperNumber.bytes(count))
    }
  }

  init?(_ packet: HelperPacket) {
    let value = HelperNumber(packet.body)?.value
    guard value != nil || packet.body.isEmpty || packet.kind == 70 else { return nil }
    switch (packet.kind, value) {
    case (65, nil): self = .done
    case (66, let value?): self = .failed(Errno(Int32(bitPattern: value)))
    case (67, let value): self = .rules(enabled: value)
    case (68, nil): self = .landed(nil)
    case (68, let value?):
      guard let end = CanarySteps.End(rawValue: Int32(bitPattern: value)) else { return nil }
      self = .landed(end)
    case (69, nil): self = .begun
    case (70, _): self = .ended(String(decoding: packet.body, as: UTF8.self))
    case (71, let value?): self = .losses(value)
    default: return nil
    }
  }
}

extension AuditRule {
  /// Whether it has our key and can only tell more: what the helper adds for the analyser.
  var isOurs: Bool {
    [Self.ownKey, Self.ownKey + WatchRules.linkedKey].contains(key ?? [])
      && action == Action.always.rawValue
      && (list == List.exit.rawValue || list == List.uring.rawValue)
  }
}

extension FilePath {
  /// `nil` for what no path sent by us is.
  fileprivate init?(sent bytes: ArraySlice<UInt8>) {
    guard bytes.first == 0x2f, !bytes.contains(0) else { return nil }
    self.init(bytes)
  }
}

/// Four bytes, the lowest first.
private struct HelperNumber {
  var value: UInt32

  init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 4 else { return nil }
    value = bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  static func bytes(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
