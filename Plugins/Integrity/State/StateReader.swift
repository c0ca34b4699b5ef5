import Glibc
import Linux

/// Reads the state of files, one at a time; each thread has a reader of its own.
///
/// It opens regular files and folders alone: opening a FIFO could wait, and a device could do
/// something. A file that changes while it is read is read again, three times in all, and then
/// marked as unstable.
struct StateReader {
  /// Bytes of a file that are hashed at the most; a larger one has no hash, and that is said.
  var largest: UInt64
  private var buffer = [UInt8](repeating: 0, count: 128 << 10)

  init(largest: UInt64) { self.largest = largest }

  /// - Parameters:
  ///   - wanted: the attributes to read; those of `statx` are always there.
  ///   - spend: called before so many bytes are read: where reading is slowed down.
  mutating func state(
    of name: FileName, in folder: Folder, _ wanted: AttributeSet, spend: (Int) -> Void = { _ in }
  ) throws(Errno) -> FileState {
    var state = FileState(try folder.facts(of: name))
    switch state.facts.kind {
    case .regular where wanted.needsOpening, .directory where wanted.needsOpening:
      let file: OpenFile
      do throws(Errno) {
        file =
          try state.facts.kind == .regular ? folder.open(name) : Folder(name, in: folder).asFile()
      } catch {
        if error == .noSuchFile { throw error }
        state.unread.append("content and attributes: \(error)")
        return state
      }
      try read(file, wanted, into: &state, spend)
    case .symbolicLink:
      if wanted.contains(.target) { state.target = try folder.target(of: name) }
      readExtended(
        of: &state, wanted,
        names: { () throws(Errno) in
          try folder.attributeNames(of: name)
        }, value: { attribute throws(Errno) in try folder.attribute(attribute, of: name) })
    case .fifo, .socket, .device:
      readExtended(
        of: &state, wanted,
        names: { () throws(Errno) in
          try folder.attributeNames(of: name)
        }, value: { attribute throws(Errno) in try folder.attribute(attribute, of: name) })
    case .regular, .directory: break
    }
    return state
  }

  /// Of a file that is open: what was there by the name before may be another one by now.
  private mutating func read(
    _ file: borrowing OpenFile, _ wanted: AttributeSet, into state: inout FileState,
    _ spend: (Int) -> Void
  ) throws(Errno) {
    state.facts = try file.facts()
    let hashes = wanted.intersection(.hashes)
    for attempt in 1...3 {
      state.unread.removeAll()
      state.extended.removeAll()
      if wanted.contains(.flags) {
        state.flags =
          note("flags", &state) { () throws(Errno) in
            try file.inodeFlags()
          } ?? nil
      }
      readExtended(
        of: &state, wanted,
        names: { () throws(Errno) in
          try file.attributeNames()
        }, value: { attribute throws(Errno) in try file.attribute(attribute) })
      guard state.facts.kind == .regular else { return }
      if wanted.contains(.verity) {
        state.verity =
          (note("verity", &state) { () throws(Errno) in
            try file.verityDigest()
          } ?? nil)?.digest
      }
      if !hashes.isEmpty || wanted.contains(.growing) {
        hash(file, wanted.contains(.growing) ? hashes.union(.sha256) : hashes, &state, spend)
      }
      let after = try file.facts()
      let isSame =
        after.changed == state.facts.changed && after.modified == state.facts.modified
        && after.size == state.facts.size
      state.facts = after
      if isSame { return }
      state.isUnstable = attempt == 3
      if attempt < 3 { try file.rewind() }
    }
  }

  private mutating func hash(
    _ file: borrowing OpenFile, _ hashes: AttributeSet, _ state: inout FileState,
    _ spend: (Int) -> Void
  ) {
    guard state.facts.size <= largest else {
      state.unread.append("content: larger than max_file_size")
      return
    }
    var hashing = Hashing(hashes)
    var total: UInt64 = 0
    file.readAhead()
    do throws(Errno) {
      // One that grows for as long as it is read ends at the limit too.
      while total <= largest {
        spend(buffer.count)
        let count = try file.read(into: &buffer)
        if count == 0 { break }
        hashing.take(buffer, count: count)
        total += UInt64(count)
        // The size says that this is all: a file that has grown differs in its times.
        if total >= state.facts.size { break }
      }
    } catch {
      state.unread.append("content: \(error)")
      return
    }
    state.hashed = total
    hashing.finish(into: &state)
  }

  private func readExtended(
    of state: inout FileState, _ wanted: AttributeSet, names: () throws(Errno) -> [[UInt8]],
    value: ([UInt8]) throws(Errno) -> [UInt8]
  ) {
    guard !wanted.isDisjoint(with: [.accessControl, .extended, .capabilities, .label]) else {
      return
    }
    let found = note("extended attributes", &state, names) ?? []
    for name in found {
      guard
        let value = note(
          "extended attributes", &state,
          { () throws(Errno) in
            try value(name)
          })
      else { continue }
      switch String(decoding: name, as: UTF8.self) {
      case "system.posix_acl_access": state.accessList = value
      case "system.posix_acl_default": state.defaultList = value
      case "security.capability": state.capabilities = value
      case "security.selinux", "security.apparmor": state.label = value
      default: state.extended.append(.init(name: name, value: value))
      }
    }
    state.extended.sort { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// The value; where it cannot be had, that is noted in the state.
  private func note<Value>(
    _ what: String, _ state: inout FileState, _ get: () throws(Errno) -> Value
  ) -> Value? {
    do throws(Errno) { return try get() } catch {
      // An attribute that went away between the list and the question is none.
      if error.number != ENODATA { state.unread.append("\(what): \(error)") }
      return nil
    }
  }
}

extension AttributeSet {
  /// Whether a file has to be opened to know them.
  fileprivate var needsOpening: Bool {
    !isDisjoint(with: [
      .accessControl, .extended, .capabilities, .label, .flags, .sha256, .sha512, .blake2b,
      .verity, .growing,
    ])
  }
}
