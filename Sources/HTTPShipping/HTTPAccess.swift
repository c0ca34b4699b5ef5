public import AudispatchPlugin
public import Configuration
public import HTTPClient
public import Shipping

/// How servers are reached over HTTP, and who we are there.
public struct HTTPAccess: Equatable, Sendable {
  /// Its password goes into `authorization` alone.
  public var credentials = Credentials()
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
  public static func keywords<Options: NotingOptions>(
    _ place: any WritableKeyPath<Options, HTTPAccess> & Sendable,
    credentials: any WritableKeyPath<Options, Credentials> & Sendable,
    tls: any WritableKeyPath<Options, TLSFiles> & Sendable, hasKeys: Bool
  ) -> [PluginKeyword<Options>] {
    let files: [PluginKeyword<Options>] = [
      Options.noting("api_key_file", "FILE", "its first line is an API key: ID:KEY, or encoded") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].keyFile = try w.absolutePath(for: "api_key_file")
      },
      Options.noting("token_file", "FILE", "its first line is a bearer token") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].tokenFile = try w.absolutePath(for: "token_file")
      },
    ]
    let ways: [PluginKeyword<Options>] = [
      Options.noting("proxy", "URL", "through which proxy") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].proxy =
          try ServerURL(w, schemes: ["http", "https", "socks5", "socks5h"]).text
      },
      Options.noting("no_proxy", "HOSTS", "hosts that are reached without it, with commas") {
        (o: inout Options, w: Word) throws(Diagnostic) in
        o[keyPath: place].withoutProxy = w.text
      },
    ]
    return Credentials.keywords(credentials, forbidsColon: true)
      + files.filter { hasKeys || $0.name != "api_key_file" } + [header(place)]
      + TLSFiles.keywords(tls, noting: \.places) + ways
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
