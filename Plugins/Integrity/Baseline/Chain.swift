import Linux

/// The digest of a change of the baseline and of all before it: who has it from elsewhere can tell
/// whether a baseline is the same one, or goes on from it.
struct ChainHead: Equatable, Sendable {
  /// Of the change, from 1.
  var sequence: Int64
  var digest: [UInt8]

  /// Before the first change.
  static let origin = ChainHead(sequence: 0, digest: [UInt8](repeating: 0, count: 32))

  /// `3 5d41…`.
  var shown: String { "\(sequence) \(FileState.hex(digest))" }
}

/// One change of the baseline with what it made of it, tied to the change before.
///
///     head   = SHA-256("audispatch-integrity 1", head before, sequence, at, command, reason, login,
///              session, uid, terminal, added, removed, changed, content, steps)
///     steps  = SHA-256 of path, before and after of everything that was accepted, by path
///
/// Each part stands behind its length in four bytes, and one that is absent is 0xffffffff; numbers
/// have eight bytes. All is little endian.
struct ChainLink: Equatable, Sendable {
  var generation: Generation
  /// All that the baseline holds since then; `nil` for changes of a program that did not note it.
  var content: ContentDigest?
  var steps: [UInt8]
  var head: [UInt8]

  static func head(
    after before: [UInt8], _ generation: Generation, _ content: ContentDigest?, _ steps: [UInt8]
  ) -> [UInt8] {
    var parts = DigestParts()
    parts.take(Array("audispatch-integrity 1".utf8))
    parts.take(before)
    let actor = generation.actor
    parts.take(generation.number)
    parts.take(generation.at)
    parts.take(Array(generation.command.utf8))
    parts.take(generation.reason.map { Array($0.utf8) })
    parts.take(actor.login.map(Int64.init))
    parts.take(actor.session.map(Int64.init))
    parts.take(Int64(actor.user))
    parts.take(actor.terminal.map { Array($0.utf8) })
    for count in [generation.added, generation.removed, generation.changed] {
      parts.take(Int64(count))
    }
    parts.take(content?.bytes)
    parts.take(steps)
    return parts.finish()
  }
}

/// The digest of a number of values, so that no two rows of them have the same bytes.
struct DigestParts: ~Copyable {
  private var hashing = Hashing(.sha256)

  mutating func take(_ bytes: [UInt8]?) {
    take(word: bytes.map { UInt32($0.count) } ?? .max)
    if let bytes { hashing.take(bytes, count: bytes.count) }
  }

  mutating func take(_ number: Int64?) {
    take(number.map { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } })
  }

  private mutating func take(word: UInt32) {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    hashing.take(bytes, count: 4)
  }

  consuming func finish() -> [UInt8] { hashing.digest() }
}
