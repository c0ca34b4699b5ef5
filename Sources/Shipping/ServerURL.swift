public import Configuration
import Linux

/// Where a server is: `https://host:9200/prefix`.
public struct ServerURL: Equatable, Sendable {
  /// Without a slash at its end.
  public let text: String

  /// - Parameter schemes: those that are taken, the usual one first.
  public init(_ word: Word, schemes: [String] = ["https", "http"]) throws(Diagnostic) {
    var text = word.text[...]
    while text.hasSuffix("/") { text = text.dropLast() }
    guard let mark = text.firstRange(of: "://") else {
      throw word.error("not a URL", suggestion: "write \(schemes[0])://\(word.text)")
    }
    guard schemes.contains(String(text[..<mark.lowerBound])) else {
      throw word.error("a URL begins with \(schemes.map { $0 + "://" }.joined(separator: " or "))")
    }
    let rest = text[mark.upperBound...]
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      !rest.contains(where: { "?#".contains($0) })
    else { throw word.error("a URL has no spaces, no '?' and no '#' here") }
    guard !rest.contains("@") else {
      throw word.error(
        "who we are does not belong into a URL", suggestion: "set user and password_file")
    }
    guard HostAndPort(String(rest.prefix { $0 != "/" })) != nil else {
      throw word.error("the URL names no host")
    }
    self.text = String(text)
  }
}
