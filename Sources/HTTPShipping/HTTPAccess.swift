public import AudispatchPlugin
public import Configuration
public import HTTPClient
public import Shipping

/// How servers are reached over HTTP, and who we are there.
public struct HTTPAccess: Equatable, Sendable {
  public var user: String?
  public var passwordFile: String?
  public var keyFile: String?
  public var tokenFile: String?
  /// The value of `Authorization`, from those, once it was read.
  public internal(set) var authorization: String?
  /// Lines that go with every request.
  public var headers: [String] = []
  public var tls = TLSFiles()
  public var proxy: String?
  public var withoutProxy: String?

  public init() {}

  /// What the client goes by.
  public func http(agent: String, connectTime: Duration) -> HTTPSettings {
    var settings = HTTPSettings(agent: agent)
    settings.authorities = tls.authorities
    settings.certificate = tls.certificate
    settings.key = tls.key
    settings.proxy = proxy
    settings.withoutProxy = withoutProxy
    settings.connectTime = connectTime
    settings.headers = headers + (authorization.map { ["Authorization: \($0)"] } ?? [])
    return settings
  }
}

extension HTTPAccess {
  /// The keywords `user`, `password_file`, `api_key_file` (if there are such keys), `token_file`,
  /// `header`, `tls_ca`, `tls_cert`, `tls_key`, `proxy`, `no_proxy`.
  public static func keywords<Options>(
    _ place: any WritableKeyPath<Options, HTTPAccess> & Sendable,
    tls: any WritableKeyPath<Options, TLSFiles> & Sendable,
    noting places: any WritableKeyPath<Options, SettingPlaces> & Sendable, hasKeys: Bool
  ) -> [PluginKeyword<Options>] {
    let credentials: [PluginKeyword<Options>] = [
      .value("user", "NAME", "who we are, with password_file") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        guard !w.text.isEmpty, !w.text.contains(":") else {
          throw w.error("a user has no colon")
        }
        o[keyPath: place].user = w.text
      },
      .value("password_file", "FILE", "its first line is the password of user") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].passwordFile = try w.absolutePath(for: "password_file")
      },
      .value("api_key_file", "FILE", "its first line is an API key: ID:KEY, or encoded") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].keyFile = try w.absolutePath(for: "api_key_file")
      },
      .value("token_file", "FILE", "its first line is a bearer token") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].tokenFile = try w.absolutePath(for: "token_file")
      },
    ]
    let ways: [PluginKeyword<Options>] = [
      .value("proxy", "URL", "through which proxy") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].proxy =
          try ServerURL(w, schemes: ["http", "https", "socks5", "socks5h"]).text
      },
      .value("no_proxy", "HOSTS", "hosts that are reached without it, with commas") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].withoutProxy = w.text
      },
    ]
    return credentials.filter { hasKeys || $0.name != "api_key_file" }.map { $0.noting(in: places) }
      + [header(place)]
      + TLSFiles.keywords(tls, noting: places) + ways.map { $0.noting(in: places) }
  }

  private static func header<Options>(
    _ place: any WritableKeyPath<Options, HTTPAccess> & Sendable
  ) -> PluginKeyword<Options> {
    .value("header", "TEXT", "a line that goes with every request", repeats: true) {
      (o: inout Options, w: Word) throws(Diagnostic) in
      guard w.text.contains(": "), w.text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
        throw w.error("a header is NAME: VALUE in visible ASCII")
      }
      o[keyPath: place].headers.append(w.text)
    }
  }
}
