/// Secrets that are known by how they look, wherever they stand: passwords in URLs, values of
/// variables and headers with telling names, tokens of well-known services, private keys.
enum SecretShapes {
  /// - Parameter isScript: whether it is a text of several words, as of `sh -c`.
  static func ranges(in text: [UInt8], isScript: Bool) -> [Range<Int>] {
    guard text.count >= 6 else { return [] }
    return urls(text) + assignments(text, isScript) + headers(text) + tokens(text) + keys(text)
  }

  private static func find(_ word: String, in text: [UInt8], from start: Int = 0) -> Int? {
    let wanted = Array(word.utf8)
    guard text.count >= wanted.count else { return nil }
    var at = start
    while at + wanted.count <= text.count {
      if text[at] == wanted[0], text[at..<at + wanted.count].elementsEqual(wanted) { return at }
      at += 1
    }
    return nil
  }

  /// `scheme://user:password@host`; a name alone that is as long as a token.
  private static func urls(_ text: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while let mark = find("://", in: text, from: at) {
      let start = mark + 3
      let end =
        text[start...].firstIndex { $0 <= 0x20 || "/?#\"'".utf8.contains($0) } ?? text.count
      at = start
      guard let host = text[start..<end].lastIndex(of: UInt8(ascii: "@")) else { continue }
      if let colon = text[start..<host].firstIndex(of: UInt8(ascii: ":")) {
        if colon + 1 < host { found.append(colon + 1..<host) }
      } else if host - start >= 20 {
        found.append(start..<host)
      }
    }
    return found
  }

  /// `NAME=VALUE`, `"name": "value"`.
  private static func assignments(_ text: [UInt8], _ isScript: Bool) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while at < text.count {
      guard isName(text[at]) else {
        at += 1
        continue
      }
      let start = at
      while at < text.count, isName(text[at]) { at += 1 }
      let name = text[start..<at].drop { $0 == UInt8(ascii: "-") }
      guard at < text.count, SecretWords.isSecret(name),
        let value = value(text, from: at, isAll: start == 0 && !isScript)
      else { continue }
      found.append(value)
      at = value.upperBound
    }
    return found
  }

  private static func isName(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x5f || byte == 0x2d || byte == 0x2e
  }

  /// What is assigned behind a name; `nil` where nothing is.
  private static func value(_ text: [UInt8], from start: Int, isAll: Bool) -> Range<Int>? {
    var at = start
    func isQuote(_ place: Int) -> Bool {
      place < text.count && (text[place] == 0x22 || text[place] == 0x27)
    }
    if isQuote(at) { at += 1 }
    while at < text.count, text[at] == 0x20 { at += 1 }
    guard at < text.count, text[at] == UInt8(ascii: "=") || text[at] == UInt8(ascii: ":") else {
      return nil
    }
    let isEqual = text[at] == UInt8(ascii: "=")
    at += 1
    while at < text.count, text[at] == 0x20 { at += 1 }
    if isQuote(at) {
      let quote = text[at]
      let end = text[(at + 1)...].firstIndex(of: quote) ?? text.count
      return end > at + 1 ? at + 1..<end : nil
    }
    if isExpansion(text[at...]) { return nil }
    // The value of an argument that begins with its name is all the rest.
    let end =
      isAll && isEqual
      ? text.count
      : text[at...].firstIndex { $0 <= 0x20 || "&;,\"'".utf8.contains($0) } ?? text.count
    guard end > at, !isVariable(text[at..<end]) else { return nil }
    return at..<end
  }

  /// `${NAME}`, `$(COMMAND)`.
  private static func isExpansion(_ value: ArraySlice<UInt8>) -> Bool {
    guard value.first == UInt8(ascii: "$"), let second = value.dropFirst().first else {
      return false
    }
    return second == UInt8(ascii: "{") || second == UInt8(ascii: "(")
  }

  /// `$NAME`, `${NAME}`: no secret. A hash of crypt(3) has a second `$`.
  static func isVariable(_ value: ArraySlice<UInt8>) -> Bool {
    guard value.first == UInt8(ascii: "$"), let second = value.dropFirst().first else {
      return false
    }
    if isExpansion(value) { return true }
    return value.dropFirst().allSatisfy {
      $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x5f
    } && !(second &- 0x30 < 10)
  }

  /// `Authorization: Bearer VALUE`: all behind the scheme.
  private static func headers(_ text: [UInt8]) -> [Range<Int>] {
    guard text.contains(UInt8(ascii: ":")) else { return [] }
    let lower = text.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
    var found: [Range<Int>] = []
    for name in SecretWords.headers {
      var at = 0
      while let place = find(name + ":", in: lower, from: at) {
        at = place + name.utf8.count + 1
        let end = text[at...].firstIndex { $0 == 0x22 || $0 == 0x27 || $0 == 0x0a } ?? text.count
        var start = at
        while start < end, text[start] == 0x20 { start += 1 }
        let space = text[start..<end].firstIndex(of: 0x20)
        for scheme in [
          "basic", "bearer", "token", "digest", "apikey", "negotiate", "aws4-hmac-sha256",
        ]
        where space.map({ lower[start..<$0].elementsEqual(scheme.utf8) }) == true {
          start = (space ?? start) + 1
          break
        }
        if end > start { found.append(start..<end) }
        // All up to there is looked at: whoever writes an argument may write this name again and again.
        at = max(at, end)
      }
    }
    return found
  }

  private static func tokens(_ text: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    func isToken(_ byte: UInt8) -> Bool { isName(byte) || "+/=~".utf8.contains(byte) }
    for (beginning, length) in SecretWords.tokens {
      var at = 0
      while let place = find(beginning, in: text, from: at) {
        at = place + beginning.utf8.count
        let end = text[at...].firstIndex { !isToken($0) } ?? text.count
        if end - at >= length { found.append(place..<end) }
        at = end
      }
    }
    // A JSON web token: three parts, of which the first two are objects.
    let dot = UInt8(ascii: ".")
    var at = 0
    var end = 0
    while let place = find("eyJ", in: text, from: at) {
      if place >= end { end = text[place...].firstIndex { !isToken($0) } ?? text.count }
      let behind = text[place..<end].firstIndex(of: dot) ?? end
      let second = text[behind..<end].firstIndex { $0 != dot } ?? end
      let last = text[second..<end].firstIndex(of: dot) ?? end
      let isWhole = text[last..<end].contains { $0 != dot }
      if isWhole, text[second..<end].starts(with: "eyJ".utf8) {
        found.append(place..<end)
        at = end
      } else {
        at = max(second, place + 3)
      }
    }
    return found
  }

  private static func keys(_ text: [UInt8]) -> [Range<Int>] {
    guard let begin = find("-----BEGIN ", in: text),
      let mark = find("PRIVATE KEY-----", in: text, from: begin)
    else { return [] }
    let start = mark + 16
    let end = find("-----END ", in: text, from: start) ?? text.count
    return end > start ? [start..<end] : []
  }
}
