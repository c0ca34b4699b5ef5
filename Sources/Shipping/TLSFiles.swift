public import AudispatchPlugin
public import Configuration
import Linux

/// The certificates that a connection needs: `tls_ca`, `tls_cert`, `tls_key`.
public struct TLSFiles: Equatable, Sendable {
  /// Those whose signature a server's certificate needs; `nil`: those that this host trusts.
  public var authorities: String?
  public var certificate: String?
  public var key: String?

  public init() {}

  public static func keywords<Options>(
    _ place: any WritableKeyPath<Options, TLSFiles> & Sendable,
    noting places: any WritableKeyPath<Options, SettingPlaces> & Sendable
  ) -> [PluginKeyword<Options>] {
    let keywords: [PluginKeyword<Options>] = [
      .value("tls_ca", "FILE", "whose signature a server's certificate needs") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].authorities = try w.absolutePath(for: "tls_ca")
      },
      .value("tls_cert", "FILE", "our own certificate, for servers that ask") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].certificate = try w.absolutePath(for: "tls_cert")
      },
      .value("tls_key", "FILE", "the private key of our certificate") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].key = try w.absolutePath(for: "tls_key")
      },
    ]
    return keywords.map { $0.noting(in: places) }
  }

  /// What does not fit together.
  public func conflicts(_ places: SettingPlaces) -> [Diagnostic] {
    guard (certificate == nil) != (key == nil) else { return [] }
    return [
      places.problem(
        key == nil ? "tls_cert" : "tls_key", "a certificate and its key belong together",
        suggestion: "set both tls_cert and tls_key")
    ]
  }

  /// Files that are not there.
  public func problems(_ places: SettingPlaces) -> [Diagnostic] {
    let files = [("tls_ca", authorities), ("tls_cert", certificate), ("tls_key", key)]
    return files.compactMap { keyword, path in
      guard let path else { return nil }
      do throws(Errno) {
        let status = try Files.status(of: path)
        return status.kind == .regular
          ? nil : places.problem(keyword, "\(path) is a \(status.kind.rawValue), not a file")
      } catch { return places.problem(keyword, "cannot examine \(path): \(error)") }
    }
  }
}
