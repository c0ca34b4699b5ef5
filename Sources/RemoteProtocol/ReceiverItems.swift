/// What audispatch-receive says to audispatchd, in packets of whole items.
public enum ReceiverItem: Equatable, Sendable {
  /// A peer is there; `identity` is empty in the clear.
  case opened(peer: UInt32, source: UInt8, address: String, port: UInt16, identity: String)
  /// A sender of ours says who it is, and waits for `has`.
  case named(peer: UInt32, Opening)
  /// A record, of which `ok` is awaited. Records are counted from 1 on, over all peers.
  case record(peer: UInt32, sequence: UInt32, line: [UInt8])
  case closed(peer: UInt32, isFault: Bool, reason: String)
  /// A connection that was not taken.
  case refused(source: UInt8, address: String, reason: String)
  /// What of the settings cannot be used.
  case objection(String)
  /// What will not be usable for long.
  case warning(String)
  /// To a question with that number: it does its work.
  case works(UInt32)
}

/// What audispatchd says to audispatch-receive.
public enum ReceiverOrder: Equatable, Sendable {
  public struct Settings: Equatable, Sendable {
    public var connections: UInt32
    public var perAddress: UInt32
    /// 0: any.
    public var firstPort: UInt16
    public var lastPort: UInt16
    /// 0: without end.
    public var idleMilliseconds: UInt64
    /// The files that are to come, of which some may be missing.
    public var files: [File]

    public init(
      connections: UInt32, perAddress: UInt32, firstPort: UInt16, lastPort: UInt16,
      idleMilliseconds: UInt64, files: [File]
    ) {
      self.connections = connections
      self.perAddress = perAddress
      self.firstPort = firstPort
      self.lastPort = lastPort
      self.idleMilliseconds = idleMilliseconds
      self.files = files
    }
  }

  /// Files that come as descriptors.
  public enum File: UInt8, CaseIterable, Sendable { case certificate, key, authorities, revoked }

  /// Settings follow, and stand instead of those before.
  case begin(Settings)
  /// A range of addresses that may connect; without any all may.
  case network(String)
  /// With a socket that listens.
  case listener(source: UInt8, isSecure: Bool)
  /// With a file that has a key in hexadecimal.
  case sharedKey(identity: String)
  /// With that file.
  case file(File)
  /// All settings are there.
  case apply
  /// All records up to this number are safe.
  case ok(UInt64)
  /// What is there of the sender that a peer named.
  case has(peer: UInt32, UInt64?)
  /// Nothing can be stored now, or again.
  case hold
  case goOn
  /// Take what is there, tell every peer, and end.
  case finish
  /// Say that you do your work.
  case ask(UInt32)
}

extension ReceiverItem {
  public func append(to packet: inout [UInt8]) {
    let start = packet.count
    switch self {
    case .opened(let peer, let source, let address, let port, let identity):
      packet.begin(1)
      packet.add(peer)
      packet.add(source)
      packet.add(port)
      packet.add(address)
      packet.add(identity)
    case .named(let peer, let opening):
      packet.begin(2)
      packet.add(peer)
      packet.add(opening.next)
      packet.add(opening.name)
    case .record(let peer, let sequence, let line):
      packet.begin(3)
      packet.add(peer)
      packet.add(sequence)
      packet += line
    case .closed(let peer, let isFault, let reason):
      packet.begin(4)
      packet.add(peer)
      packet.add(UInt8(isFault ? 1 : 0))
      packet.add(reason)
    case .refused(let source, let address, let reason):
      packet.begin(5)
      packet.add(source)
      packet.add(address)
      packet.add(reason)
    case .objection(let text):
      packet.begin(6)
      packet.add(text)
    case .warning(let text):
      packet.begin(7)
      packet.add(text)
    case .works(let number):
      packet.begin(8)
      packet.add(number)
    }
    packet.finish(from: start)
  }

  /// The same for a record whose line is that of a peer's payload, without making one of it in between.
  public static func appendRecord(
    peer: UInt32, sequence: UInt32, payload: [UInt8], to packet: inout [UInt8]
  ) {
    let start = packet.count
    packet.begin(3)
    packet.add(peer)
    packet.add(sequence)
    PeerText.append(payload, to: &packet)
    packet.finish(from: start)
  }

  /// Takes a packet apart; `nil` when it is no packet of ours.
  public static func all(in packet: ArraySlice<UInt8>) -> [ReceiverItem]? {
    ItemReader.items(in: packet) { kind, item -> ReceiverItem? in
      switch kind {
      case 1:
        guard let peer: UInt32 = item.number(), let source: UInt8 = item.number(),
          let port: UInt16 = item.number(), let address = item.text(), let identity = item.text()
        else { return nil }
        return .opened(
          peer: peer, source: source, address: address, port: port, identity: identity)
      case 2:
        guard let peer: UInt32 = item.number(), let next: UInt64 = item.number(),
          let name = item.text()
        else { return nil }
        return .named(peer: peer, Opening(name: name, next: next))
      case 3:
        guard let peer: UInt32 = item.number(), let sequence: UInt32 = item.number() else {
          return nil
        }
        return .record(peer: peer, sequence: sequence, line: item.rest())
      case 4:
        guard let peer: UInt32 = item.number(), let isFault: UInt8 = item.number(),
          let reason = item.text()
        else { return nil }
        return .closed(peer: peer, isFault: isFault != 0, reason: reason)
      case 5:
        guard let source: UInt8 = item.number(), let address = item.text(),
          let reason = item.text()
        else { return nil }
        return .refused(source: source, address: address, reason: reason)
      case 6: return item.text().map { .objection($0) }
      case 7: return item.text().map { .warning($0) }
      case 8: return item.number().map { .works($0) }
      default: return nil
      }
    }
  }
}

extension ReceiverOrder {
  public func append(to packet: inout [UInt8]) {
    let start = packet.count
    switch self {
    case .begin(let settings):
      packet.begin(1)
      packet.add(settings.connections)
      packet.add(settings.perAddress)
      packet.add(settings.firstPort)
      packet.add(settings.lastPort)
      packet.add(settings.idleMilliseconds)
      packet.add(settings.files.reduce(0) { $0 | 1 << $1.rawValue } as UInt8)
    case .listener(let source, let isSecure):
      packet.begin(2)
      packet.add(source)
      packet.add(UInt8(isSecure ? 1 : 0))
    case .sharedKey(let identity):
      packet.begin(3)
      packet.add(identity)
    case .file(let file):
      packet.begin(4)
      packet.add(file.rawValue)
    case .apply: packet.begin(5)
    case .ok(let number):
      packet.begin(6)
      packet.add(number)
    case .has(let peer, let number):
      packet.begin(7)
      packet.add(peer)
      packet.add(UInt8(number == nil ? 0 : 1))
      packet.add(number ?? 0)
    case .hold: packet.begin(8)
    case .goOn: packet.begin(9)
    case .finish: packet.begin(10)
    case .network(let range):
      packet.begin(11)
      packet.add(range)
    case .ask(let number):
      packet.begin(12)
      packet.add(number)
    }
    packet.finish(from: start)
  }

  /// Takes a packet apart; `nil` when it is no packet of ours.
  public static func all(in packet: ArraySlice<UInt8>) -> [ReceiverOrder]? {
    ItemReader.items(in: packet) { kind, item -> ReceiverOrder? in
      switch kind {
      case 1:
        guard let connections: UInt32 = item.number(), let perAddress: UInt32 = item.number(),
          let first: UInt16 = item.number(), let last: UInt16 = item.number(),
          let idle: UInt64 = item.number(),
          let files: UInt8 = item.number()
        else { return nil }
        return .begin(
          Settings(
            connections: connections, perAddress: perAddress, firstPort: first, lastPort: last,
            idleMilliseconds: idle,
            files: File.allCases.filter { files & 1 << $0.rawValue != 0 }))
      case 2:
        guard let source: UInt8 = item.number(), let isSecure: UInt8 = item.number() else {
          return nil
        }
        return .listener(source: source, isSecure: isSecure != 0)
      case 3: return item.text().map { .sharedKey(identity: $0) }
      case 4:
        let number: UInt8? = item.number()
        return number.flatMap(File.init).map { .file($0) }
      case 5: return .apply
      case 6: return item.number().map { .ok($0) }
      case 7:
        guard let peer: UInt32 = item.number(), let isThere: UInt8 = item.number(),
          let number: UInt64 = item.number()
        else { return nil }
        return .has(peer: peer, isThere == 0 ? nil : number)
      case 8: return .hold
      case 9: return .goOn
      case 10: return .finish
      case 11: return item.text().map { .network($0) }
      case 12: return item.number().map { .ask($0) }
      default: return nil
      }
    }
  }
}
