import Linux

/// A state as bytes, in one way only: what is hashed to know a row that was altered, and what the
/// history keeps.
///
///     state   = version(1) kind(1) mode(4) user(4) group(4) links(4) size(8) inode(8) device(8)
///               special(8) modified(8) changed(8) { field }
///     field   = tag(1) length(4) bytes
///
/// Numbers are little endian. Fields come in the order of their tags, those that are absent not at
/// all. Version 1.
extension FileState {
  private enum Tag: UInt8, CaseIterable {
    case born = 1, target, accessList, defaultList, capabilities, label, extendedName
    case extendedValue, flags, sha256, sha512, blake2b, verity, hashed, unstable, unread
  }

  var encoded: [UInt8] {
    var bytes: [UInt8] = [1, Self.kinds.firstIndex(of: type).map(UInt8.init) ?? 0]
    bytes.reserveCapacity(160)
    for number in [facts.mode, facts.user, facts.group, facts.links] { bytes.append(number) }
    for number in [facts.size, facts.inode, facts.device, facts.special] { bytes.append(number) }
    bytes.append(UInt64(bitPattern: facts.modified))
    bytes.append(UInt64(bitPattern: facts.changed))
    func field(_ tag: Tag, _ value: [UInt8]?) {
      guard let value else { return }
      bytes.append(tag.rawValue)
      bytes.append(UInt32(value.count))
      bytes += value
    }
    func number(_ value: UInt64) -> [UInt8] {
      var bytes: [UInt8] = []
      bytes.append(value)
      return bytes
    }
    field(.born, facts.born.map { number(UInt64(bitPattern: $0)) })
    field(.target, target)
    field(.accessList, accessList)
    field(.defaultList, defaultList)
    field(.capabilities, capabilities)
    field(.label, label)
    for attribute in extended {
      field(.extendedName, attribute.name)
      field(.extendedValue, attribute.value)
    }
    field(.flags, flags.map { number(UInt64($0)) })
    field(.sha256, sha256)
    field(.sha512, sha512)
    field(.blake2b, blake2b)
    field(.verity, verity)
    field(.hashed, hashed.map(number))
    if isUnstable { field(.unstable, []) }
    for reason in unread { field(.unread, Array(reason.utf8)) }
    return bytes
  }

  private static let kinds: [FileType] = [
    .file, .dir, .symlink, .fifo, .socket, .character, .block,
  ]

  /// `nil` for bytes that `encoded` does not give.
  init?(encoded bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    guard reader.byte() == 1, let kind = reader.byte(), Int(kind) < Self.kinds.count,
      let mode = reader.word(), let user = reader.word(), let group = reader.word(),
      let links = reader.word(), let size = reader.long(), let inode = reader.long(),
      let device = reader.long(), let special = reader.long(), let modified = reader.long(),
      let changed = reader.long()
    else { return nil }
    let type = Self.kinds[Int(kind)]
    self.init(
      FileFacts(
        kind: type.kind, mode: mode, user: user, group: group, links: links, size: size,
        inode: inode, device: device, special: special, isBlockDevice: type == .block,
        modified: Int64(bitPattern: modified), changed: Int64(bitPattern: changed)))
    while let tag = reader.byte() {
      guard let tag = Tag(rawValue: tag), let length = reader.word(),
        let value = reader.bytes(Int(length))
      else { return nil }
      take(tag, value)
    }
  }

  private mutating func take(_ tag: Tag, _ value: [UInt8]) {
    var numbers = ByteReader(value)
    switch tag {
    case .born: facts.born = numbers.long().map { Int64(bitPattern: $0) }
    case .target: target = value
    case .accessList: accessList = value
    case .defaultList: defaultList = value
    case .capabilities: capabilities = value
    case .label: label = value
    case .extendedName: extended.append(.init(name: value, value: []))
    case .extendedValue:
      if !extended.isEmpty { extended[extended.count - 1].value = value }
    case .flags: flags = numbers.long().map { UInt32(truncatingIfNeeded: $0) }
    case .sha256: sha256 = value
    case .sha512: sha512 = value
    case .blake2b: blake2b = value
    case .verity: verity = value
    case .hashed: hashed = numbers.long()
    case .unstable: isUnstable = true
    case .unread: unread.append(String(decoding: value, as: UTF8.self))
    }
  }
}

extension FileType {
  var kind: FileKind {
    switch self {
    case .file: .regular
    case .dir: .directory
    case .symlink: .symbolicLink
    case .fifo: .fifo
    case .socket: .socket
    case .character, .block: .device
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: some FixedWidthInteger) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }
}

/// Reads numbers and runs of bytes; `nil` where they end.
private struct ByteReader {
  private let all: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { all = bytes }

  mutating func bytes(_ count: Int) -> [UInt8]? {
    guard count <= all.count - at else { return nil }
    defer { at += count }
    return Array(all[at..<(at + count)])
  }

  mutating func byte() -> UInt8? { bytes(1)?[0] }
  mutating func word() -> UInt32? { number(4).map { UInt32(truncatingIfNeeded: $0) } }
  mutating func long() -> UInt64? { number(8) }

  private mutating func number(_ count: Int) -> UInt64? {
    bytes(count)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
