import Glibc

/// A POSIX extended regular expression for secrets: what its first group matches, or all of it.
@safe public final class SecretPattern {
  /// Why a text is no such expression.
  public struct Fault: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  /// Bytes of an argument that are looked at; an expression can be slow on long ones.
  private static let longest = 64 << 10
  private var compiled = unsafe regex_t()

  public init(_ text: String) throws(Fault) {
    let code = unsafe regcomp(&compiled, text, REG_EXTENDED)
    guard code == 0 else {
      var reason = [CChar](repeating: 0, count: 256)
      _ = unsafe regerror(code, &compiled, &reason, reason.count)
      let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw Fault(description: String(decoding: bytes, as: UTF8.self))
    }
  }

  deinit { unsafe regfree(&compiled) }

  /// Where it matches, from left to right; empty matches are passed over.
  func ranges(in text: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    let terminated = text.prefix(Self.longest).prefix { $0 != 0 } + [0]
    let all = terminated.map { CChar(bitPattern: $0) }
    unsafe all.withUnsafeBufferPointer { buffer in
      var at = 0
      while at < all.count - 1 {
        var groups = [regmatch_t](repeating: regmatch_t(), count: 2)
        let flags = at > 0 ? REG_NOTBOL : 0
        guard unsafe regexec(&compiled, buffer.baseAddress! + at, 2, &groups, flags) == 0 else {
          return
        }
        let whole = groups[0]
        let group = groups[1].rm_so >= 0 ? groups[1] : whole
        if group.rm_eo > group.rm_so { found.append(at + Int(group.rm_so)..<at + Int(group.rm_eo)) }
        at += max(Int(whole.rm_eo), 1)
      }
    }
    return found
  }
}
