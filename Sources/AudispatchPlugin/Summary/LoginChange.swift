import AuditRecord

/// Who somebody is from now on: LOGIN, in today's words and in those of kernels before 3.14.
///
///     pid=1 uid=0 old-auid=4294967295 auid=1000 old-ses=4294967295 ses=1 res=1
///     login pid=1 uid=0 old auid=4294967295 new auid=1000 old ses=4294967295 new ses=1
extension EventFacts {
  private struct Part {
    var name: String
    var field: Field
    /// How many fields of that very name were before it.
    var number: Int
  }

  /// The fields, `old auid` as `old-auid` and `new auid` as `auid`.
  private var loginParts: [Part] {
    var scanner = FieldScanner(body: subject.body, end: subject.line.upperBound, words: true)
    var parts: [Part] = []
    var counts: [String: Int] = [:]
    var isOld = false
    while let field = scanner.next(event.bytes.span), field.section == .record {
      guard !field.name.isEmpty else {
        isOld = event.bytes[field.value].elementsEqual("old".utf8)
        continue
      }
      let name = String(decoding: event.bytes[field.name], as: UTF8.self)
      let number = counts[name, default: 0]
      counts[name] = number + 1
      parts.append(Part(name: isOld ? "old-\(name)" : name, field: field, number: number))
      isOld = false
    }
    return parts
  }

  private func login(_ name: String) -> String? {
    guard let part = loginParts.first(where: { $0.name == name }) else { return nil }
    let own = String(decoding: event.bytes[part.field.name], as: UTF8.self)
    return account(part.field, own, of: subject) {
      let same = interpreter.meanings(in: subject, event).filter { $0.name == own }
      return part.number < same.count ? same[part.number].meaning : nil
    }
  }

  /// The login user before.
  var oldLogin: String? { login("old-auid") }

  /// The login user that was set, and what else is known.
  var loginChange: String {
    var words = [login("auid") ?? "unset"]
    func session(_ name: String) -> String? {
      loginParts.first { $0.name == name }.map { part in
        let number = event.bytes[part.field.value]
        return number.elementsEqual("4294967295".utf8) ? "unset" : SafeText.word(number.prefix(24))
      }
    }
    let details = [
      ("old-auid", oldLogin.map { $0.hasPrefix("uid ") ? String($0.dropFirst(4)) : $0 } ?? "unset"),
      ("old-ses", session("old-ses")), ("ses", session("ses")),
    ].compactMap { name, value in value.map { "\(name)=\($0)" } }
    words.append("(\(details.joined(separator: " ")))")
    return words.joined(separator: " ")
  }
}
