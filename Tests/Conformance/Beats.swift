import AudispatchPlugin
import AuditRecord
import EventDocument
import Foundation

/// Auditbeat's golden documents beside ours in the form `ecs`.
struct Beats {
  let folder: String

  /// The accounts of the host that the documents are from.
  private static let users: [UInt32: String] = [
    0: "root", 1000: "vagrant", 1001: "alice", 1002: "oldbob", 1003: "charlie", 1004: "testuser",
    9999: "bob",
  ]

  private static var options: DocumentOptions {
    var options = DocumentOptions()
    options.keepsOriginal = true
    let users = users
    options.accounts = AccountLookup(
      user: { users[$0] }, group: { users[$0] },
      userNumber: { name in users.first { $0.value == name }?.key })
    return options
  }

  var files: [String] {
    let ending = ".log-expected.json"
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    return (names ?? []).filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }
      .sorted()
  }

  /// Each expected document of a file, with what differs from it.
  func compared(_ file: String) throws -> [(name: String, differences: [String])] {
    let lines = try String(contentsOfFile: "\(folder)/\(file).log", encoding: .utf8)
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file).log-expected.json"))
    let expected = try JSONSerialization.jsonObject(with: data) as? [NSDictionary] ?? []
    var writer = DocumentWriter(.ecs, Self.options)
    var documents: [Int: NSDictionary] = [:]
    for event in events(lines.split(separator: "\n").map(String.init)) {
      documents[Int(event.stamp.serial)] = object(writer.document(event))
    }
    return expected.map { document in
      let audit = document["auditd"] as? NSDictionary
      let serial = audit?["sequence"] as? Int ?? 0
      let got = documents[serial]
      return ("beats/\(file):\(serial)", missing(document, got, ""))
    }
  }

  /// What of a document is not there or has another value for no known reason.
  private func missing(_ expected: Any?, _ got: Any?, _ path: String) -> [String] {
    if let expected = expected as? NSDictionary {
      let got = got as? NSDictionary
      return expected.allKeys.compactMap { $0 as? String }.sorted().flatMap { key in
        missing(expected[key], got?[key], path.isEmpty ? key : path + "." + key)
      }
    }
    if (expected as? NSObject) == (got as? NSObject) { return [] }
    let text = "\(path): \(expected ?? "nothing"), not \(got ?? "nothing")"
    guard let known = Differences.ecs.first(where: { $0.path == path }), got != nil else {
      return [text]
    }
    print("  known: \(text) (\(known.reason))")
    return []
  }
}
